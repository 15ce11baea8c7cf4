"""Cursors and journals are kept by the client: they may come back as anything."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator

import msgpack
import pytest
from bson import Regex

from apps import board
from helpers.recording_subscriber import RecordingSubscriber
from synovia import FunctionError, keys
from synovia.functions import query as querying
from synovia.functions.registry import Registry, collect
from synovia.store.base import Store
from synovia.testing import TestApp
from synovia_protocol import codec

pytestmark = pytest.mark.same_tables

_OF_MINE = keys.encode(["mine"])
MADE_UP = {
    "nested without end": _OF_MINE + b"\x38" * 5_000,
    "nested deeper than a document": _OF_MINE + b"\x38" * 150 + b"\0" * 151 + keys.encode(["z"]),
    "maps nested without end": _OF_MINE + b"\x30\x30\0" * 5_000,
    "digits of no number": _OF_MINE + b"\x20" + bytes(8) + b"\x30" + b"\xff" * 17 + keys.encode(["z"]),
    "a name with a zero": _OF_MINE + keys.encode([{"a\0b": 1}, "z"]),
    "a pattern with a zero": _OF_MINE + keys.encode([Regex("a\0b"), "z"]),
    "a number in another form": _OF_MINE + b"\x20\xbf\xf0" + bytes(6) + b"\x30" + bytes(17) + keys.encode(["z"]),
}
"""Places in what the query reads, but of no document."""


@pytest.fixture
async def app(any_store: Store) -> AsyncIterator[TestApp]:
    registry: Registry = collect("board", [board])
    async with TestApp(registry, any_store) as app:
        for name in ("mine", "other"):
            for rank in range(5):
                await app.caller().mutation("board:add", {"slug": f"{name}{rank}", "board": name, "rank": rank})
        yield app


@pytest.mark.parametrize(
    "end",
    [
        keys.encode(["other", 4, "z"]),
        keys.encode(["zzz"]),
        b"\xff",
        b"\xff" * 40,
        b"",
        b"\x00",
        *MADE_UP.values(),
    ],
)
async def test_a_forged_end_does_not_lead_beyond_what_the_query_reads(app: TestApp, end: bytes) -> None:
    holder = RecordingSubscriber(app.engine)
    holder.subscribe("page", "board:page", {"board": "mine"}, journal=msgpack.packb([end]))
    await holder.settled()
    assert [card["slug"] for card in holder.value("page")["items"]] == ["mine0", "mine1", "mine2"]


@pytest.mark.parametrize("place", MADE_UP.values(), ids=MADE_UP)
async def test_a_cursor_that_is_no_place_of_a_document_is_refused(app: TestApp, place: bytes) -> None:
    cursor = base64.urlsafe_b64encode(place).decode()
    with pytest.raises(FunctionError) as caught:
        await app.caller().query("board:page", {"board": "mine", "cursor": cursor})
    assert caught.value.code == "bad_cursor"


@pytest.mark.parametrize(
    "journal", [b"", b"\xc1", b"\x01", b"\x91\x01", b"\x91\xa1x", b"\x81\x01\x02", b"\x90\x90", b"\xdd\xff\xff\xff\xff"]
)
async def test_a_journal_that_is_none_fails_its_query_alone(
    app: TestApp, journal: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    holder = RecordingSubscriber(app.engine)
    holder.subscribe("bad", "board:page", {"board": "mine"}, journal=journal)
    holder.subscribe("good", "board:page", {"board": "mine"})
    await holder.settled()
    error = holder.version("bad").error
    assert error is not None
    assert error.code == "bad_cursor"
    assert len(holder.value("good")["items"]) == 3
    assert caplog.records == []


@pytest.mark.parametrize(("last", "shown"), [(1, 2), (2, 1), (3, 1)])
async def test_a_forged_end_makes_no_page_of_a_long_list(
    app: TestApp, monkeypatch: pytest.MonkeyPatch, last: int, shown: int
) -> None:
    monkeypatch.setattr(querying, "MAX_PAGE_SIZE", last + 1)
    first = await app.caller().query("board:page", {"board": "mine", "size": last + 1})
    end = base64.urlsafe_b64decode(first["nextCursor"])
    monkeypatch.setattr(querying, "MAX_PAGE_SIZE", 1)
    holder = RecordingSubscriber(app.engine)
    holder.subscribe("page", "board:page", {"board": "mine", "size": 1}, journal=msgpack.packb([end]))
    await holder.settled()
    assert [card["slug"] for card in holder.value("page")["items"]] == ["mine0", "mine1"][:shown]


async def test_the_journal_of_a_page_keeps_its_stretch(app: TestApp) -> None:
    first = RecordingSubscriber(app.engine)
    live = first.subscribe("page", "board:page", {"board": "mine"})
    await first.settled()
    assert live.journal is not None
    outcome = await app.engine.mutate("board:add", {"slug": "early", "board": "mine", "rank": -1}, None)
    again = RecordingSubscriber(app.engine)
    again.subscribe("page", "board:page", {"board": "mine"}, journal=live.journal)
    await again.settled(outcome.ts or 0)
    packed = again.version("page").packed
    assert packed is not None
    assert [card["slug"] for card in codec.unpack(packed)["items"]] == ["early", "mine0", "mine1", "mine2"]
