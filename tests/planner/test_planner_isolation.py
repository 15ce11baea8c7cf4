"""Across organizations nothing is to be had, whatever functions forget."""

from __future__ import annotations

from contextlib import AsyncExitStack
from importlib import import_module

import numpy as np
import pytest

from apps import forgetful, planner_samples
from helpers.running_hub import running_hub
from helpers.tenant_isolation import Intruder
from synovia.functions.registry import collect
from synovia.seeding import run_seeds
from synovia_client import Client, FunctionError

MODULES = ("schema", "access", "seeds", "queries.organizations", "queries.schedules", "mutations.schedules")
REGISTRY = collect("planner", [*(import_module(f"planner.{name}") for name in MODULES), forgetful, planner_samples])
TABLES = {
    "planner.schema:Organization": "id",
    "planner.schema:User": "organization_id",
    "planner.schema:Schedule": "organization_id",
    "apps.planner_samples:Sample": "organization_id",
    "synovia:AuditEntry": "scope",
}
ADA = "dev:ada@north.example?organizationId=org_north"
INTRUDERS = {
    "dev:sue@south.example?organizationId=org_south": "org_south",
    "dev:sue@south.example?organizationId=org_north": None,  # says that it belongs there, and does not
    "dev:ada@north.example?organizationId=org_nowhere": None,
    None: None,
}
SAMPLES = np.linspace(0.0, 1.0, 1_000)
NORTH = {"organizationId": "org_north"}


@pytest.mark.slow
async def test_across_organizations_there_is_nothing(any_address: str) -> None:
    async with running_hub(any_address, REGISTRY) as hub, AsyncExitStack() as people:
        await run_seeds(hub.app.engine, REGISTRY)
        url = f"ws://127.0.0.1:{hub.port}"
        ada = await people.enter_async_context(Client(url, token=ADA))
        await ada.mutation("planner_samples:keep", {"of": "org_north", "values": SAMPLES})
        [plan, *_] = await ada.query("queries/schedules:getByUser", {"userId": (await ada.query(ME))["_id"]})
        paper = await ada.upload_file("mutations/schedules:attach", b"secret", name="plan.pdf", type="application/pdf")
        await ada.mutation("mutations/schedules:attach", {"scheduleId": plan["_id"], "paper": paper})
        [ref] = await ada.query("planner_samples:arrays")
        assert await ada.query("forgetful:addresses", {"table": "planner.schema:Schedule", "field": "paper"})
        for token, tenant in INTRUDERS.items():
            client = await people.enter_async_context(Client(url, token=token))
            for table, scope in TABLES.items():
                await Intruder(hub, client, tenant, "org_north").tries(table, scope)
            with pytest.raises(FunctionError) as refused:
                await client.array(ref)
            assert refused.value.code == "array_not_found"
            assert not await client.query("forgetful:addresses", {"table": "planner.schema:Schedule", "field": "paper"})
            assert not await client.query("planner_samples:arrays")


async def test_a_live_query_that_becomes_anothers_shows_nothing_of_before(any_address: str) -> None:
    """The connection resumes with what it holds; a member who is taken out loses what they saw with that commit."""
    ask = {"table": "planner.schema:Schedule", "field": "organization_id", "of": "org_north"}
    async with running_hub(any_address, REGISTRY) as hub:
        await run_seeds(hub.app.engine, REGISTRY)
        async with (
            Client(f"ws://127.0.0.1:{hub.port}", token=ADA) as ada,
            ada.subscribe("forgetful:everything", ask) as all_,
        ):
            values = aiter(all_)
            assert (await anext(values))["count"] == 8
            await ada.authenticate("dev:ada@north.example?organizationId=org_south")
            while (seen := await anext(values))["count"]:
                pass
            assert seen["rows"] == []


ME = "queries/organizations:me"
