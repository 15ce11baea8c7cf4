"""An export in a store: ids, times, references and values are kept, and a second import changes nothing."""

from __future__ import annotations

import math
import tracemalloc
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from bson import Int64

from apps import moved_chat
from helpers.convex_exports import BEGIN, MESSAGES, USERS, as_bytes, as_float, chat, convex_id, write_export
from synovia.convex.functions import ConvexFunctions
from synovia.convex_export import Archive, ExportError, Imported, check, import_tables
from synovia.convex_export.checking import documents
from synovia.errors import FunctionError
from synovia.export.inserting import batches
from synovia.functions.function import Kind
from synovia.functions.registry import collect
from synovia.schema import Document
from synovia.store.base import Batch, Store, Write
from synovia.testing import TestApp
from synovia.testing.caller import Caller

pytestmark = pytest.mark.same_tables

REGISTRY = collect("moved_chat", [moved_chat])


async def bring(path: Path, store: Store) -> list[Imported]:
    """Import an export into an open store of the application."""
    with Archive(path) as archive:
        checked = check(archive, REGISTRY.models)
        return await import_tables(archive, store, [*checked.tables])


@pytest.fixture
async def store(any_store: Store) -> AsyncIterator[Store]:
    await any_store.open(REGISTRY.tables)
    yield any_store
    await any_store.close()


async def stored(store: Store, table: str, id_: str) -> Document:
    ts, _ = await store.newest()
    (found,) = await store.snapshot(ts).get(table, [id_])
    assert found is not None
    return found


async def test_ids_times_and_references_are_kept(store: Store, tmp_path: Path) -> None:
    done = await bring(write_export(tmp_path / "export.zip", chat()), store)
    assert done == [Imported("users", made=2), Imported("messages", made=5)]
    message = await stored(store, "messages", MESSAGES[3])
    assert next(iter(message)) == "_id"
    assert message["_creationTime"] == BEGIN + 1000.75
    assert message["author"] == USERS[1]
    assert type(message["likes"]) is float


async def test_a_running_application_shows_old_and_new_documents_in_one_order(any_store: Store, tmp_path: Path) -> None:
    async with TestApp(REGISTRY, any_store) as app:
        call = app.caller()
        async with call.subscribe("moved_chat:newest", {"channel": "general"}) as live:
            assert live.value == []
            await bring(write_export(tmp_path / "export.zip", chat()), any_store)
            async for found in live:
                if [each["_id"] for each in found] == [*reversed(MESSAGES)]:
                    break
        given = {"author": USERS[0], "channel": "general", "body": "new"}
        new = [await call.mutation("moved_chat:send", given) for _ in range(2)]
        found = await call.query("moved_chat:newest", {"channel": "general"})
        assert [each["_id"] for each in found] == [*reversed(new), *reversed(MESSAGES)]
        assert await call.query("moved_chat:author", {"messageId": MESSAGES[3]}) == "Ben"
        assert await call.query("moved_chat:author", {"messageId": new[0]}) == "Ada"
        assert await call.mutation("moved_chat:like", {"messageId": MESSAGES[3]}) == 4
        times = await call.query("moved_chat:times")
        assert times == sorted(times)
        assert await call.query("moved_chat:newest_ids", {"limit": 4}) == [*reversed(new), *reversed(MESSAGES)][:4]
        assert times[0] == BEGIN + 1000


async def test_nonsense_is_no_id_beside_imported_ones(any_store: Store, tmp_path: Path) -> None:
    async with TestApp(REGISTRY, any_store) as app:
        await bring(write_export(tmp_path / "export.zip", chat()), any_store)
        call = app.caller()
        for nonsense in ("", "not an id", "x" * 257, "a\nb", 5, None):
            assert await refusal(call, nonsense) == "invalid_arguments"
        for other in (USERS[0], convex_id(10_002, "nobody")):  # ids, but of no message
            assert await refusal(call, other) == "not_found"


async def refusal(call: Caller, message_id: Any) -> str:
    with pytest.raises(FunctionError) as caught:
        await call.query("moved_chat:author", {"messageId": message_id})
    return caught.value.code


async def test_twice_is_once_and_what_has_changed_since_stays(store: Store, tmp_path: Path) -> None:
    path = write_export(tmp_path / "export.zip", chat())
    await bring(path, store)
    before = await stored(store, "messages", MESSAGES[0])
    gone = await stored(store, "messages", MESSAGES[1])
    after = {**before, "body": "edited"}
    await store.commit(
        Batch([Write("messages", MESSAGES[0], before, after), Write("messages", MESSAGES[1], gone, None)])
    )
    assert await bring(path, store) == [Imported("users", there=2), Imported("messages", made=1, there=4, changed=1)]
    assert (await stored(store, "messages", MESSAGES[0]))["body"] == "edited"
    assert await stored(store, "messages", MESSAGES[1]) == gone


VALUES: list[tuple[Any, Any]] = [
    (5, Int64(5)),
    (5.0, 5.0),
    (-0.0, -0.0),
    (2**63 - 1, Int64(2**63 - 1)),
    (-(2**63), Int64(-(2**63))),
    (1e300, 1e300),
    (as_float(math.inf), math.inf),
    (as_float(-math.inf), -math.inf),
    (as_bytes(b"\x00\xff"), b"\x00\xff"),
    (as_bytes(b""), b""),
    (None, None),
    (True, True),
    ("text with \u2028 and \U0001f980", "text with \u2028 and \U0001f980"),
    ([1, 1.0, "1", [None]], [Int64(1), 1.0, "1", [None]]),
    ({"a b": {"c": 1}}, {"a b": {"c": Int64(1)}}),
]


async def test_values_are_kept_to_the_last_bit(store: Store, tmp_path: Path) -> None:
    rows: list[dict[str, Any]] = [
        {
            "_id": convex_id(10_001, number),
            "_creationTime": BEGIN,
            "author": USERS[0],
            "channel": "c",
            "body": "",
            "extra": given,
        }
        for number, (given, _) in enumerate([*VALUES, (as_float(math.nan), None)])
    ]
    await bring(write_export(tmp_path / "export.zip", {"messages": rows}), store)
    for row, (_, expected) in zip(rows, VALUES, strict=False):
        found = (await stored(store, "messages", row["_id"]))["extra"]
        assert repr(found) == repr(expected), row
        assert type(found) is type(expected)
    assert math.isnan((await stored(store, "messages", rows[-1]["_id"]))["extra"])


async def test_a_unique_index_names_the_document_that_it_refuses(store: Store, tmp_path: Path) -> None:
    rows: list[dict[str, Any]] = [
        {"_id": convex_id(10_001, number), "_creationTime": BEGIN, "name": "x", "tokenIdentifier": str(number % 90)}
        for number in range(100)
    ]
    path = write_export(tmp_path / "export.zip", {"users": rows})
    with pytest.raises(ExportError, match=r"users/documents\.jsonl:91: .*by_token"):
        await bring(path, store)
    await stored(store, "users", rows[89]["_id"])


async def test_an_id_that_is_there_twice_is_told(store: Store, tmp_path: Path) -> None:
    row = chat()["users"][0]
    other = {**row, "tokenIdentifier": "other"}
    with pytest.raises(ExportError, match=r"users/documents\.jsonl:2: .* too"):
        await bring(write_export(tmp_path / "export.zip", {"users": [row, other]}), store)


@pytest.mark.slow
def test_memory_does_not_grow_with_the_export(tmp_path: Path) -> None:
    row = chat()["messages"][0]

    def peak(count: int) -> int:
        rows = ({**row, "_id": convex_id(10_002, number)} for number in range(count))
        with Archive(write_export(tmp_path / f"{count}.zip", {"messages": rows})) as archive:
            tracemalloc.start()
            try:
                check(archive, REGISTRY.models)
                assert sum(len(batch) for batch in batches(documents(archive, "messages"))) == count
                return tracemalloc.get_traced_memory()[1]
            finally:
                tracemalloc.stop()

    assert peak(12_000) < 1.5 * peak(3_000)


async def test_clients_are_told_when_imported_rows_were_made(any_store: Store, tmp_path: Path) -> None:
    async with TestApp(REGISTRY, any_store) as app:
        await bring(write_export(tmp_path / "export.zip", chat()), any_store)
        call = app.caller()
        new = await call.mutation("moved_chat:send", {"author": USERS[0], "channel": "general", "body": "new"})
        own, *old = await call.query("moved_chat:newest", {"channel": "general"})
        assert [each["_creationTime"] for each in old] == [BEGIN + 1000 + number / 4 for number in range(4, -1, -1)]
        assert (own["_id"], "_creationTime" in own) == (new, False), "its id tells"
        page = await call.query("moved_chat:page", {"channel": "general"})
        assert [each.get("_creationTime") for each in page["items"]] == [None, *(each["_creationTime"] for each in old)]
        find = ConvexFunctions(REGISTRY).find
        for path in ("newest", "page"):
            outcome = await app.engine.query(f"moved_chat:{path}", {"channel": "general"}, None)
            told = find(f"moved_chat:{path}", Kind.QUERY).tree(outcome.packed or b"")
            rows = told if path == "newest" else told["page"]
            assert [each["_creationTime"] for each in rows[1:]] == [each["_creationTime"] for each in old]
            assert rows[0]["_creationTime"] > BEGIN
