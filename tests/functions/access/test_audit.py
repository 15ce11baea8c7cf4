"""The audit table: written with the mutation, by nobody else, and never changed."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from functions.access.ward_callers import REGISTRY, appoint
from synovia import FunctionError
from synovia.functions.access import CallOrigin
from synovia.testing import TestApp


@pytest.fixture
async def app() -> AsyncIterator[TestApp]:
    async with TestApp(REGISTRY) as app:
        await appoint(app, "chief", "chief")
        yield app


async def test_an_entry_says_who_did_what(app: TestApp) -> None:
    await app.caller("ann@example.org").mutation("ward:sign_for", {"action": "opened"})
    app.clock.advance(1)
    await app.engine.mutate("ward:sign_for", {"action": "closed"}, None, origin=CallOrigin.APPLICATION)
    by_hand, by_itself = await app.caller("chief@example.org").query("ward:entries")
    assert (by_hand["actor"], by_hand["action"], by_hand["subject"]) == ("dev|ann@example.org", "opened", "a door")
    assert by_hand["data"] == {"count": 1}
    assert by_itself["actor"] == "application"


async def test_a_mutation_that_fails_leaves_no_entry(app: TestApp) -> None:
    with pytest.raises(FunctionError):
        await app.caller("ann@example.org").mutation("ward:sign_for", {"action": "opened", "fail": True})
    assert await app.caller("chief@example.org").query("ward:entries") == []


@pytest.mark.parametrize("how", ["insert", "patch", "replace", "delete"])
async def test_functions_cannot_write_it(app: TestApp, how: str) -> None:
    await app.caller("ann@example.org").mutation("ward:sign_for", {"action": "opened"})
    before = await app.caller("chief@example.org").query("ward:entries")
    with pytest.raises(FunctionError) as caught:
        await app.caller().mutation("ward:tamper", {"how": how})
    assert caught.value.code == "forbidden"
    assert await app.caller("chief@example.org").query("ward:entries") == before
