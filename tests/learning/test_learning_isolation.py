"""Across tenants nothing is to be had, whatever functions forget."""

from __future__ import annotations

from contextlib import AsyncExitStack
from importlib import import_module

import numpy as np
import pytest

from apps import forgetful, learning_samples
from helpers.running_hub import running_hub
from helpers.tenant_isolation import Intruder
from learning.schema import COURSES, EVENTS, OWN, MemberProfile, SupportTicket, SupportTicketMessage, User
from synovia.functions.registry import collect
from synovia.seeding import run_seeds
from synovia_client import Client, FunctionError

MODULES = ("schema", "access", "seeds", "support", "events")
REGISTRY = collect("learning", [*(import_module(f"learning.{name}") for name in MODULES), forgetful, learning_samples])
OF_TENANTS = (User, MemberProfile, *COURSES, *EVENTS, *OWN, SupportTicket, SupportTicketMessage)
TABLES = {
    "learning.schema:Tenant": "id",
    "apps.learning_samples:Sample": "tenant_id",
    **{f"learning.schema:{table.__name__}": "tenant_id" for table in OF_TENANTS},
}
ADA, MEMBER = "dev:ada@north.example?tenantId=north", "dev:member35@north.example?tenantId=north"
INTRUDERS = {
    "dev:ada@south.example?tenantId=south": "south",
    "dev:ada@south.example?tenantId=north": None,  # says that it belongs there, and does not
    None: None,
}
SAMPLES = np.linspace(0.0, 1.0, 1_000)


@pytest.mark.slow
@pytest.mark.alike
async def test_across_tenants_there_is_nothing(any_address: str) -> None:
    async with running_hub(any_address, REGISTRY) as hub, AsyncExitStack() as people:
        await run_seeds(hub.app.engine, REGISTRY)
        url = f"ws://127.0.0.1:{hub.port}"
        ada = await people.enter_async_context(Client(url, token=ADA))
        member = await people.enter_async_context(Client(url, token=MEMBER))
        await ada.mutation("learning_samples:keep", {"of": "north", "values": SAMPLES})
        await member.mutation("support:open", {"subject": "Help", "text": "Nothing works."})
        event = {"title": "Fair", "startsAt": 2**45, "speakers": [], "sponsors": ["A bank"]}
        await member.mutation("events:register", {"eventId": await ada.mutation("events:create", event)})
        [ref] = await ada.query("learning_samples:arrays")
        for token, tenant in INTRUDERS.items():
            client = await people.enter_async_context(Client(url, token=token))
            for table, scope in TABLES.items():
                await Intruder(hub, client, tenant, "north").tries(table, scope)
            with pytest.raises(FunctionError) as refused:
                await client.array(ref)
            assert refused.value.code == "array_not_found"


async def test_members_see_their_own_tickets_only(any_address: str) -> None:
    ask = {"table": "learning.schema:SupportTicket", "field": "tenant_id", "of": "north"}
    async with running_hub(any_address, REGISTRY) as hub, AsyncExitStack() as people:
        await run_seeds(hub.app.engine, REGISTRY)
        url = f"ws://127.0.0.1:{hub.port}"
        ada = await people.enter_async_context(Client(url, token=ADA))
        member = await people.enter_async_context(Client(url, token=MEMBER))
        assert (await ada.query("forgetful:everything", ask))["count"] == 3
        assert (await member.query("forgetful:everything", ask))["count"] == 1
