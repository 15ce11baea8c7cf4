"""Who is present is known at every hub, by whichever they are reached, and a hub that dies takes its own along."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import pytest_asyncio
from pydantic import SecretStr

from helpers.running_hub import RunningHub, running_hub
from synovia.functions.known_hubs import KnownHub
from synovia.hubs.settings import HubsSettings
from synovia.presence import directory, sharing
from synovia_client import Client, Member, Presence

pytestmark = pytest.mark.mongodb

READING_ROOM = Path(__file__).resolve().parents[1] / "apps" / "reading_room.py"
HALL = "reading_room:hall"
HUBS = HubsSettings(secret=SecretStr("the secret of these hubs"))


@pytest_asyncio.fixture
async def hubs(mongodb_uri: str, database_name: str) -> AsyncIterator[tuple[RunningHub, RunningHub]]:
    address = urlsplit(mongodb_uri)._replace(path=f"/{database_name}").geturl()
    async with AsyncExitStack() as stack:
        one = await stack.enter_async_context(running_hub(address, READING_ROOM, hubs=HUBS))
        other = await stack.enter_async_context(running_hub(address, READING_ROOM, hubs=HUBS))
        yield one, other


async def until(presence: Presence, holds: Callable[[Sequence[Member]], bool]) -> Sequence[Member]:
    """Wait until who is there is as it should be."""
    async for members in presence:
        if holds(members):
            return members
    raise AssertionError("presence does not end by itself")


def states(members: Sequence[Member]) -> set[object]:
    return {member.state for member in members}


async def test_those_at_two_hubs_see_each_other(hubs: tuple[RunningHub, RunningHub]) -> None:
    one, other = hubs
    ada, bo, cy = await one.connect("ada"), await other.connect("bo"), await other.connect("cy")
    async with ada.presence(HALL, state="a") as hers:
        async with bo.presence(HALL, state="b") as his:
            await until(hers, lambda members: states(members) == {"a", "b"})
            await until(his, lambda members: states(members) == {"a", "b"})
            hers.update("a2")
            await until(his, lambda members: "a2" in states(members))
            async with cy.presence(HALL, state="c"):
                await until(hers, lambda members: states(members) == {"a2", "b", "c"})
            await until(hers, lambda members: states(members) == {"a2", "b"})
        await until(hers, lambda members: states(members) == {"a2"})
        async with bo.presence(HALL, state="b2") as again:
            await until(hers, lambda members: states(members) == {"a2", "b2"})
            await until(again, lambda members: states(members) == {"a2", "b2"})


async def test_who_moves_to_another_hub_is_there_once(hubs: tuple[RunningHub, RunningHub]) -> None:
    one, other = hubs
    watching = await other.connect("watching")
    moving = Client(f"ws://127.0.0.1:{one.port}", session_id=b"s" * 16)
    moved = Client(f"ws://127.0.0.1:{other.port}", session_id=b"s" * 16)
    async with watching.presence(HALL, state="w") as seen, moved:
        async with moving, moving.presence(HALL, state="before") as before:
            await until(seen, lambda members: states(members) == {"w", "before"})
            async with moved.presence(HALL, state="after") as after:
                await until(seen, lambda members: states(members) == {"w", "after"})
                await until(before, lambda members: states(members) == {"w", "after"})
                before.update("late")  # what is under way from the hub of before does not come back
                await until(after, lambda members: len(members) == 2)
                await moving.close()
                after.update("later")
                await until(seen, lambda members: states(members) == {"w", "later"})
        await until(seen, lambda members: states(members) == {"w"})


async def test_a_hub_that_stops_takes_its_own_along_and_is_forgotten(
    hubs: tuple[RunningHub, RunningHub], mongodb_uri: str, database_name: str
) -> None:
    one, _ = hubs
    ada = await one.connect("ada")
    address = urlsplit(mongodb_uri)._replace(path=f"/{database_name}").geturl()
    async with ada.presence(HALL, state="a") as hers, running_hub(address, READING_ROOM, hubs=HUBS) as third:
        bo = await third.connect("bo")
        async with bo.presence(HALL, state="b"):
            await until(hers, lambda members: states(members) == {"a", "b"})
            await third.app.stop()
            await until(hers, lambda members: states(members) == {"a"})
            rows = await one.app.engine.run_system_query(directory._HUBS)
            assert len(rows.value()) == 2


async def test_a_hub_that_says_nothing_any_more_is_gone(
    hubs: tuple[RunningHub, RunningHub], monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = hubs
    ada, bo = await one.connect("ada"), await other.connect("bo")
    async with ada.presence(HALL, state="a") as hers, bo.presence(HALL, state="b"):
        await until(hers, lambda members: states(members) == {"a", "b"})
        monkeypatch.setattr(sharing, "SILENCE_SECONDS", 0.0)  # as if it had said nothing for long
        await until(hers, lambda members: states(members) == {"a"})
        monkeypatch.undo()
        await until(hers, lambda members: states(members) == {"a", "b"})


def test_where_hubs_are_reached_is_no_table_of_the_application() -> None:
    assert KnownHub.spec.system
