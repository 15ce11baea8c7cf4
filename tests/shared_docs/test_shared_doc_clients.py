"""Shared documents in the Python client, on a real hub: programs that go and come back converge."""

from __future__ import annotations

import asyncio
import random
import threading
from collections.abc import AsyncIterator, Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from pycrdt import Doc, Text

from helpers.patience import PATIENCE
from helpers.running_hub import RunningHub, running_hub
from synovia_client import BlockingClient, Client, FunctionError, SharedDoc

TOGETHER = Path(__file__).resolve().parents[1] / "apps" / "together.py"
PATHS = "together:text", "together:write_text"

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def hub() -> AsyncIterator[RunningHub]:
    async with running_hub("sqlite://:memory:", TOGETHER) as running:
        yield running


async def plan(client: Client, *writers: str) -> dict[str, Any]:
    """Make a plan; give the arguments of its document."""
    return {"id": await client.mutation("together:add", {"title": "a", "writers": list(writers)})}


def text_of(doc: Doc[Any]) -> Text:
    text: Text = doc.get("text", type=Text)
    return text


def has_all(doc: Doc[Any], letters: set[str]) -> bool:
    return sorted(str(text_of(doc))) == sorted(letters)


async def until(shared: SharedDoc, holds: Callable[[], bool]) -> None:
    """Wait until something holds, looking at each change of a document."""
    async with asyncio.timeout(PATIENCE):
        while not holds():
            await shared.changed.after(shared.changed.count)


async def test_programs_that_come_and_go_have_in_the_end_what_each_has_typed(hub: RunningHub) -> None:
    chance, names = random.Random(5), ["ann", "bob", "cid"]
    clients = [await hub.connect(name) for name in names]
    args = await plan(clients[0], *names)
    docs = [Doc[Any]() for _ in names]
    opened: list[SharedDoc | None] = [None] * 3
    kept, letters = set[str](), 0
    for step in range(240):
        who = chance.randrange(3)
        text = text_of(docs[who])
        if step % 30 == 10 * who:
            if (shared := opened[who]) is None:
                opened[who] = await clients[who].shared_doc(*PATHS, args, doc=docs[who]).__aenter__()
            else:
                await shared.__aexit__()
                opened[who] = None
        elif chance.random() < 0.2 and len(text):
            at = chance.randrange(len(str(text)))
            kept.discard(str(text)[at])
            start = len(str(text)[:at].encode())
            del text[start : start + len(str(text)[at].encode())]
        else:
            letter = chr(0x4E00 + letters)  # each of its own, so that nothing can hide
            letters += 1
            at = chance.randint(0, len(str(text)))
            text.insert(len(str(text)[:at].encode()), letter)
            kept.add(letter)
        if step % 12 == 0:
            await asyncio.sleep(0)
    for who, client in enumerate(clients):
        shared = opened[who] or await client.shared_doc(*PATHS, args, doc=docs[who]).__aenter__()
        opened[who] = shared
        await shared.until_saved()
    everyone = [shared for shared in opened if shared is not None]
    for shared in everyone:
        await until(shared, partial(has_all, shared.doc, kept))
    assert len({str(text_of(doc)) for doc in docs}) == 1
    for shared in everyone:
        await shared.__aexit__()


async def test_who_may_not_is_told_so_and_who_loses_the_right_goes_on_when_it_is_back(hub: RunningHub) -> None:
    ann, bob, eve = [await hub.connect(name) for name in ("ann", "bob", "eve")]
    args = await plan(ann, "bob")
    with pytest.raises(FunctionError, match="has no document"):
        await eve.shared_doc(*PATHS, args).__aenter__()
    async with ann.shared_doc(*PATHS, args) as hers, bob.shared_doc(*PATHS, args) as his:
        text_of(his.doc).insert(0, "before")
        await until(hers, lambda: str(text_of(hers.doc)) == "before")
        await ann.mutation("together:share", {**args, "readers": [], "writers": ["ann"]})
        await until(his, lambda: his.error is not None)
        assert not his.synced
        text_of(his.doc).insert(0, "lost ")
        text_of(hers.doc).insert(0, "> ")
        await hers.until_saved()
        assert str(text_of(his.doc)) == "lost before"
        await ann.mutation("together:share", {**args, "readers": [], "writers": ["ann", "bob"]})
        both = lambda: sorted(str(text_of(hers.doc))) == sorted("> lost before")  # noqa: E731
        await until(hers, both)
        await until(his, lambda: str(text_of(his.doc)) == str(text_of(hers.doc)))
        assert his.error is None


async def test_a_program_without_an_event_loop_edits_from_any_thread(hub: RunningHub) -> None:
    ann = await hub.connect("ann")
    args = await plan(ann)

    def program() -> str:
        told = threading.Event()
        with BlockingClient(f"ws://127.0.0.1:{hub.port}", token="dev:ann@example.org") as client:
            seen = list[str]()

            def look(handle: Any) -> None:
                with handle.edit() as doc:
                    seen.append(str(text_of(doc)))
                if "from elsewhere" in seen[-1]:
                    told.set()

            with client.shared_doc(*PATHS, args, look) as handle:
                with handle.edit() as doc:
                    text_of(doc).insert(0, "typed here, ")
                assert told.wait(30)
                handle.wait_until_saved()
                assert handle.saved
                assert handle.error is None
                return seen[-1]

    async with ann.shared_doc(*PATHS, args) as shared:
        running = asyncio.create_task(asyncio.to_thread(program))
        await until(shared, lambda: str(text_of(shared.doc)) == "typed here, ")
        text_of(shared.doc).insert(12, "from elsewhere")
        assert await running == "typed here, from elsewhere"
