"""Across workspaces nothing is to be had, whatever functions forget; and the door of two hubs."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from importlib import import_module
from typing import Any

import pytest

from apps import events_samples, forgetful
from helpers.running_hub import running_hub
from helpers.tenant_isolation import Intruder
from synovia.functions.access import CallOrigin
from synovia.functions.registry import collect
from synovia.seeding import run_seeds
from synovia_client import Client

MODULES = (
    "schema",
    "access",
    "seeds",
    "functions.workspaces",
    "functions.gatherings",
    "functions.passes",
    "functions.users",
)
REGISTRY = collect("events", [*(import_module(f"events.{name}") for name in MODULES), forgetful, events_samples])
OF_WORKSPACES = [
    "Order",
    "Pass",
    "CheckIn",
    "DpTemplate",
    "DpBatch",
    "GeneratedDp",
    "Campaign",
    "WorkspaceMember",
    "TeamMember",
]
OF_OTHERS = {
    "Organization": "id", "User": "auth_id", "PlatformRole": "auth_id", "Notification": "auth_id",
    "Payment": "order_id", "Release": "commit",
}  # fmt: skip
PUBLISHED = ("Event", "TicketTier", "Session")
STRANGER = "dev:eve@elsewhere.example"


@pytest.mark.slow
async def test_across_workspaces_there_is_nothing() -> None:
    async with running_hub("sqlite://:memory:", REGISTRY) as hub, AsyncExitStack() as people:
        await run_seeds(hub.app.engine, REGISTRY)
        planted = await hub.app.engine.mutate("events_samples:plant", {}, None, origin=CallOrigin.APPLICATION)
        draft = planted.value()
        url = f"ws://127.0.0.1:{hub.port}"
        eve = await people.enter_async_context(Client(url, token=STRANGER))
        own = (await eve.mutation("workspaces:found", {"organization": "E", "slug": "e", "workspace": "E"}), eve)
        nobody = (None, await people.enter_async_context(Client(url)))
        for tenant, client in (own, nobody):
            for name in OF_WORKSPACES:
                await Intruder(hub, client, tenant, draft).tries(f"events.schema:{name}", "workspace_id")
            await Intruder(hub, client, tenant, draft).tries("events.schema:Workspace", "id")
            for name, scope in OF_OTHERS.items():
                await nothing_of(
                    client, f"events.schema:{name}", scope, draft, own=1 if tenant and scope == "id" else 0
                )
            for name in PUBLISHED:
                shown = await client.query("forgetful:everything", ask(f"events.schema:{name}", "workspace_id", draft))
                assert "Secret" not in repr(shown), name
                assert draft not in repr(shown), name
            assert not await client.query("forgetful:guess", {"table": "events.schema:Event", "id": draft})
            assert not await client.query(
                "forgetful:addresses", {"table": "events.schema:GeneratedDp", "field": "picture"}
            )
            assert "events.look" not in repr(
                await client.query("forgetful:everything", ask("synovia:AuditEntry", "scope", draft))
            )


def ask(table: str, field: str, of: str) -> dict[str, str]:
    return {"table": table, "field": field, "of": of}


async def nothing_of(client: Client, table: str, scope: str, of: str, *, own: int) -> None:
    """Expect that no row is shown but one's own, in whatever way one asks."""
    shown = await client.query("forgetful:everything", ask(table, scope, of))
    own = own if table.endswith("Organization") else 0
    assert (len(shown["rows"]), shown["count"], shown["groups"], len(shown["first"])) == (own, own, own, own), table
    assert {len(found) for found in shown["indexes"].values()} <= {own}, table


@pytest.mark.mongodb
async def test_a_pass_is_admitted_once_at_the_doors_of_two_hubs(mongodb_store: str) -> None:
    async with running_hub(mongodb_store, REGISTRY) as one, running_hub(mongodb_store, REGISTRY) as other:
        await run_seeds(one.app.engine, REGISTRY)
        async with AsyncExitStack() as people:
            token = "dev:dan@events.example"
            doors = [
                await people.enter_async_context(Client(f"ws://127.0.0.1:{hub.port}", token=token))
                for hub in (one, other)
            ]
            ids = await one.app.engine.query(
                "forgetful:ids", {"table": "events.schema:Event"}, None, origin=CallOrigin.APPLICATION
            )
            [event] = ids.value()
            codes = [each["code"] for each in (await doors[0].query("passes:find", {"eventId": event, "text": "al"}))]

            async def scan(number: int, code: str) -> str:
                scans = [{"scanId": f"{number}", "code": code, "scannedAt": number}]
                answer: Any = await doors[number % 2].mutation(
                    "passes:check_in", {"eventId": event, "scanner": f"door {number}", "scans": scans}
                )
                return str(answer[0]["outcome"])

            outcomes = await asyncio.gather(*(scan(number, codes[0]) for number in range(8)))
            assert sorted(outcomes) == ["admitted", *["already"] * 7]
            for door in doors:
                async with door.subscribe("passes:door", {"eventId": event}) as live:
                    async for shown in live:
                        if shown["admitted"] == 1:
                            break
