"""Every kind of access × every kind of caller, for each kind of function, by the engine that all doors lead to."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from apps import ward
from functions.access.ward_callers import REGISTRY, appoint
from helpers.patience import PATIENCE
from synovia import FunctionError
from synovia.functions.access import CallOrigin
from synovia.functions.registry import Registry
from synovia.testing import TestApp

CALLERS = ("anonymous", "newcomer", "nurse", "doctor", "chief", "spy")
TABLE = {
    # function           anonymous          newcomer     nurse        doctor       chief        a role not in the table
    "for_all": ("yes", "yes", "yes", "yes", "yes", "yes"),
    "for_signed_in": ("unauthenticated", "yes", "yes", "yes", "yes", "yes"),
    "for_role": ("unauthenticated", "forbidden", "forbidden", "yes", "yes", "forbidden"),
    "for_capability": ("unauthenticated", "forbidden", "yes", "yes", "forbidden", "forbidden"),
    "for_nobody": ("unknown_function",) * 6,
    "write": ("unauthenticated", "forbidden", "forbidden", "yes", "forbidden", "forbidden"),
    "act": ("unauthenticated", "forbidden", "yes", "yes", "forbidden", "forbidden"),
}
ARGS: dict[str, dict[str, Any]] = {"write": {"text": "fine"}}


@pytest.fixture
async def app() -> AsyncIterator[TestApp]:
    async with TestApp(REGISTRY) as app:
        for role in CALLERS[2:]:
            await appoint(app, role, role)
        yield app


async def tried(app: TestApp, name: str, function: str, args: dict[str, Any]) -> str:
    caller = app.caller(None if name == "anonymous" else f"{name}@example.org")
    kind = REGISTRY.functions[f"ward:{function}"].kind
    try:
        await getattr(caller, kind)(f"ward:{function}", args)
    except FunctionError as error:
        return error.code
    return "yes"


@pytest.mark.parametrize("function", TABLE)
async def test_each_caller_gets_what_the_table_says(app: TestApp, function: str) -> None:
    got = [await tried(app, name, function, ARGS.get(function, {})) for name in CALLERS]
    assert got == list(TABLE[function])


@pytest.mark.parametrize("function", TABLE)
async def test_who_may_not_call_learns_nothing_about_arguments(app: TestApp, function: str) -> None:
    got = [await tried(app, name, function, {"nonsense": 1}) for name in CALLERS]
    assert got == [code if code != "yes" else "invalid_arguments" for code in TABLE[function]]


async def test_internal_and_trusted_calls(app: TestApp) -> None:
    engine = app.engine
    assert (await engine.query("ward:for_role", {}, None, origin=CallOrigin.APPLICATION)).error is None
    assert (await engine.query("ward:for_nobody", {}, None, origin=CallOrigin.APPLICATION)).error is None
    assert (await engine.mutate("ward:write", {"text": "by itself"}, None, origin=CallOrigin.APPLICATION)).error is None
    assert (
        await engine.run_action("ward:act", {"path": "ward:for_role"}, None, origin=CallOrigin.APPLICATION)
    ).error is None
    refused = await engine.query("ward:for_role", {}, None, origin=CallOrigin.FUNCTION)
    assert refused.error is not None
    assert refused.error.code == "unauthenticated"


async def test_an_action_calls_as_its_caller(app: TestApp) -> None:
    nurse = app.caller("nurse@example.org")
    assert await nurse.action("ward:act", {"path": "ward:for_nobody"}) == 0
    with pytest.raises(FunctionError) as caught:
        await nurse.action("ward:act", {"path": "ward:for_role"})
    assert caught.value.code == "forbidden"
    assert await nurse.action("ward:standing") == ["nurse"]
    await appoint(app, "nurse", "chief")
    assert await nurse.action("ward:standing") == ["chief"]
    assert await app.caller().action("ward:standing") == []


async def test_bodies_ask_for_roles_and_capabilities(app: TestApp) -> None:
    async def asked(name: str | None, **args: str) -> str:
        try:
            await app.caller(name and f"{name}@example.org").query("ward:required", args)
        except FunctionError as error:
            return error.code
        return "yes"

    assert [await asked(name, role="doctor") for name in (None, "nurse", "doctor")] == [
        "unauthenticated",
        "forbidden",
        "yes",
    ]
    assert [await asked(name, capability="notes.read") for name in (None, "chief", "nurse")] == [
        "unauthenticated",
        "forbidden",
        "yes",
    ]
    assert await asked("doctor", role="surgeon") == "server_error", (
        "a slip of the application's, not the caller's fault"
    )


async def test_an_admin_reads_the_table_of_grants(app: TestApp) -> None:
    shown = await app.caller("chief@example.org").query("ward:grants")
    assert shown["nurse"] == ["notes.read"]
    assert shown["doctor"] == ["notes.read", "notes.write"]


async def test_a_mutation_whose_caller_loses_the_role_before_its_commit_is_refused(app: TestApp) -> None:
    """Admission is among what the mutation has read, so it holds as of the commit."""
    ward.started, ward.gate = asyncio.Event(), asyncio.Event()
    writing = asyncio.create_task(tried(app, "doctor", "write_slowly", {"text": "late"}))
    async with asyncio.timeout(PATIENCE):
        await ward.started.wait()
        await appoint(app, "doctor", None)
        ward.gate.set()
        assert await writing == "forbidden"
    assert await app.caller().query("ward:for_all") == 0


def test_the_registry_knows_the_table() -> None:
    registry: Registry = REGISTRY
    assert registry.roles is not None
    assert set(registry.roles.grants) == {"doctor", "nurse", "chief"}
