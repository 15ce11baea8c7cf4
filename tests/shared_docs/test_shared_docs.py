"""Shared documents in functions: who may, what is refused, how they are put together, and their versions."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pycrdt import Array, Doc, Map, Text, XmlElement, XmlFragment, XmlText

from apps import together
from helpers.examples import examples
from synovia import FunctionError, Table, keys
from synovia.export.archive import Archive
from synovia.export.importing import import_archive
from synovia.export.writing import IMPORTS, export_store
from synovia.functions.registry import collect
from synovia.functions.shared_tables import KEPT_SEGMENTS, SHARED_TABLES, SharedHead, SharedState, SharedUpdate
from synovia.keys import BY_ID
from synovia.shared_docs import segments as closing
from synovia.shared_docs.library import merged
from synovia.shared_docs.segments import to_be_merged
from synovia.shared_docs.structure import InvalidUpdate, walk
from synovia.store import open_store
from synovia.store.base import Store
from synovia.testing import Caller, TestApp
from synovia.testing.app import KEYS, settings_for_tests

T = TypeVar("T", bound=Table)


@pytest.fixture
async def app(any_store: Store) -> AsyncIterator[TestApp]:
    async with TestApp(collect("together", [together]), any_store) as app:
        yield app


def person(app: TestApp, name: str) -> Caller:
    return app.caller(f"{name}@example.org")


async def plan(caller: Caller, **who: list[str]) -> str:
    return str(await caller.mutation("together:add", {"title": "a plan", **who}))


class Editor:
    """Types into a document and appends what has changed."""

    def __init__(self, caller: Caller, id_: str) -> None:
        self.caller = caller
        self.id = id_
        self.doc: Doc[Any] = Doc()
        self.text = self.doc.get("text", type=Text)
        self._sent = self.doc.get_state()

    def change(self) -> bytes:
        """Give what has changed since this was asked the last time."""
        update = self.doc.get_update(self._sent)
        self._sent = self.doc.get_state()
        return bytes(update)

    async def append(self) -> None:
        await self.caller.mutation("together:write_text", {"id": self.id, "update": self.change()})

    async def type(self, *pieces: str) -> None:
        for piece in pieces:
            self.text.insert(len(self.text), piece)
            await self.append()


async def shown(caller: Caller, id_: str) -> str:
    """Give the text as somebody has it who opens the document now."""
    found = await caller.query("together:text", {"id": id_})
    doc: Doc[Any] = Doc()
    for update in (*found["states"], *found["updates"].values()):
        doc.apply_update(update)
    return str(doc.get("text", type=Text))


async def rows(app: TestApp, table: type[T]) -> list[T]:
    """Read a table of the server's own as it is stored."""
    ts, _ = await app.store.newest()
    return [
        table.from_document(each) for each in await app.store.snapshot(ts).scan(table.spec.name, BY_ID, keys.prefix(()))
    ]


async def rows_of(app: TestApp, table: type[T], id_: str) -> list[T]:
    """Read what a table of the server's own has of one plan's document."""
    return [each for each in await rows(app, table) if getattr(each, "document", each.id) == f"plans.text:{id_}"]


async def head_of(app: TestApp, id_: str) -> SharedHead | None:
    return next(iter(await rows_of(app, SharedHead, id_)), None)


async def code_of(call: Any) -> str:
    with pytest.raises(FunctionError) as caught:
        await call
    return caught.value.code


@pytest.mark.slow
@pytest.mark.alike
async def test_who_follows_a_document_is_sent_each_update_once_over_all_segments(
    app: TestApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(closing, "MEAN_UPDATES", 8)  # with 64 one run of twenty would close none
    ann = person(app, "ann")
    id_ = await plan(ann)
    editor, doc, seen = Editor(ann, id_), Doc[Any](), 0
    segment, taken = 0, set[str]()
    subscription = await ann.subscribe("together:text", {"id": id_, "since": 0}).__aenter__()
    for number in range(200):
        await editor.type(f"{number},")
        while True:
            value = subscription.value
            assert value["segment"] == segment
            assert not value.get("gone")
            assert value.get("states") is None
            for key in value["updates"].keys() - taken:
                doc.apply_update(value["updates"][key])
                taken.add(key)
                seen += 1
            if value.get("next") is None:
                break
            await subscription.__aexit__(None, None, None)
            segment = value["next"]
            subscription = await ann.subscribe("together:text", {"id": id_, "since": segment}).__aenter__()
    await subscription.__aexit__(None, None, None)
    assert seen == 200
    assert segment >= 1, "segments are closed from time to time"
    assert str(doc.get("text", type=Text)) == str(editor.text) == await shown(ann, id_)


@pytest.mark.slow
@pytest.mark.alike
async def test_what_is_closed_is_merged_and_only_the_last_segments_stay(app: TestApp) -> None:
    ann = person(app, "ann")
    id_ = await plan(ann)
    editor = Editor(ann, id_)
    while (head := await head_of(app, id_)) is None or head.segment <= KEPT_SEGMENTS + 2:
        await editor.type("a", "bc", "d" * 3000)
    segments = {each.segment for each in await rows(app, SharedUpdate)}
    assert segments <= set(range(head.oldest, head.segment + 1))
    states = await rows(app, SharedState)
    assert head.size == sum(each.size for each in states) == sum(len(each.data) for each in states)
    assert len(states) <= head.segment
    assert await shown(ann, id_) == str(editor.text)
    old = await ann.query("together:text", {"id": id_, "since": 0})
    assert old == {"segment": 0, "updates": {}, "gone": True}
    for since in (-1, head.segment + 1, 1 << 40):
        assert (await ann.query("together:text", {"id": id_, "since": since}))["gone"], since


async def test_editors_at_once_lose_nothing_while_segments_are_closed(
    app: TestApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(closing, "MEAN_UPDATES", 8)  # with 64 one run of twenty would close none
    names = ["ann", "bob", "cid"]
    id_ = await plan(person(app, "ann"), writers=names)
    editors = [Editor(person(app, name), id_) for name in names]
    await asyncio.gather(*(each.type(*(f"{number} " for number in range(60))) for each in editors))
    doc: Doc[Any] = Doc()
    doc.apply_update(merged(*[bytes(each.doc.get_update()) for each in editors]))
    assert await shown(person(app, "ann"), id_) == str(doc.get("text", type=Text))
    head = await head_of(app, id_)
    assert head is not None, "180 updates close some segments"
    assert head.segment >= 1


@pytest.mark.alike
async def test_the_rules_of_the_row_say_who_reads_and_who_writes(app: TestApp) -> None:
    ann, bob, eve = (person(app, name) for name in ("ann", "bob", "eve"))
    id_ = await plan(ann, readers=["bob"])
    await Editor(ann, id_).type("hello")
    assert await shown(bob, id_) == "hello"
    update = Editor(bob, id_)
    update.text.insert(0, "x")
    change = update.change()
    writing: list[tuple[str, dict[str, Any]]] = [
        ("write_text", {"update": change}),
        ("keep", {"name": "one"}),
        ("restore", {"version": "x"}),
        ("forget", {"version": "x"}),
    ]
    for path, args in writing:
        assert await code_of(bob.mutation(f"together:{path}", {"id": id_, **args})) == "forbidden"
        assert await code_of(eve.mutation(f"together:{path}", {"id": id_, **args})) == "not_found"
    for path in ("text", "texts", "versions"):
        assert await code_of(eve.query(f"together:{path}", {"id": id_})) == "not_found"
    async with bob.subscribe("together:text", {"id": id_, "since": 0}) as followed:
        assert len(followed.value["updates"]) == 1
        await ann.mutation("together:share", {"id": id_, "readers": [], "writers": ["ann"]})
        assert followed.error is not None, "who loses the right is told nothing more"
        assert followed.error.code == "not_found"
    await ann.mutation("together:share", {"id": id_, "readers": ["ann"], "writers": []})
    assert await code_of(ann.mutation("together:write_text", {"id": id_, "update": change})) == "forbidden"
    assert await shown(ann, id_) == "hello"


def _any(content: bytes) -> bytes:
    """Make an update that holds one value."""
    return b"\x01\x01\x01\x00\x08\x01\x01t\x01" + content + b"\x00"


NO_UPDATES = {
    "nothing": b"",
    "text": b"hello world",
    "cut": b"\x01\x01\x01\x00\x04\x01\x01t\x05hel",
    "more behind": b"\x00\x00\x00",
    "lists in lists": _any(b"\x75\x01" * 200_000 + b"\x7e"),
    "maps in maps": _any(b"\x76\x01\x01a" * 100_000 + b"\x7e"),
    "a clock beyond numbers": b"\x01\x01\x01\xff\xff\xff\xff\xff\xff\xff\x0f\x00\x01\x00",
    "a document in it": b"\x01\x01\x01\x00\x09\x01\x01t\x01a\x7e\x00",
    "a type that nobody knows": b"\x01\x01\x01\x00\x07\x01\x01t\x0f\x00",
    "no text": b"\x01\x01\x01\x00\x04\x01\x01t\x02\xff\xfe\x00",
}


@pytest.mark.alike
async def test_what_is_no_update_is_refused_and_harms_nobody(app: TestApp) -> None:
    ann = person(app, "ann")
    id_ = await plan(ann)
    for name, update in NO_UPDATES.items():
        code = await code_of(ann.mutation("together:write_text", {"id": id_, "update": update}))
        assert code == "invalid_update", name
    assert await code_of(ann.mutation("together:write_text", {"id": id_, "update": "text"})) == "invalid_arguments"
    await ann.mutation("together:write_text", {"id": id_, "update": b"\x00\x00"})
    assert await rows(app, SharedUpdate) == [], "what changes nothing is not kept"


@pytest.mark.slow
@pytest.mark.alike
async def test_a_document_that_is_full_takes_deletions_and_nothing_else(app: TestApp) -> None:
    ann = person(app, "ann")
    id_ = await plan(ann)
    editor = Editor(ann, id_)
    for _ in range(6):
        await editor.type("x" * 40_000)
    with pytest.raises(FunctionError, match="at most 262,144 bytes") as caught:
        await editor.type("y" * 40_000)
    assert caught.value.code == "shared_doc_too_large"
    assert caught.value.data == {"most": 262_144}
    other = Editor(ann, id_)
    for update in (await ann.query("together:text", {"id": id_}))["states"]:
        other.doc.apply_update(update)
    other.change()
    del other.text[:]
    await other.append()
    assert await shown(ann, id_) == ""


@given(st.data())
@examples(60)
def test_the_walk_takes_what_editors_make_and_no_cut_of_it(data: st.DataObject) -> None:
    doc: Doc[Any] = Doc(client_id=1)
    text, entries, items = doc.get("t", type=Text), doc.get("m", type=Map), doc.get("l", type=Array)
    fragment = doc.get("x", type=XmlFragment)
    values = st.recursive(
        st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False) | st.text() | st.binary(),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
        max_leaves=6,
    )
    for _ in range(data.draw(st.integers(0, 6))):
        match data.draw(st.integers(0, 5)):
            case 0:
                text.insert(data.draw(st.integers(0, len(text))), data.draw(st.text(min_size=1)))
            case 1 if len(text):
                del text[0 : data.draw(st.integers(1, len(text)))]
            case 2:
                entries[data.draw(st.text(max_size=3))] = data.draw(values)
            case 3:
                items.append(data.draw(values))
            case 4:
                element = fragment.children.append(XmlElement("p", {"class": data.draw(st.text(max_size=3))}))
                element.children.append(XmlText(data.draw(st.text(max_size=5))))
            case 5:
                text.insert(0, "b", {"bold": True})
    update = bytes(doc.get_update())
    list(walk(update))
    assert merged(update)
    cut = data.draw(st.integers(0, len(update) - 1))
    with pytest.raises(InvalidUpdate):
        list(walk(update[:cut]))


@given(st.binary(max_size=60))
@examples(200)
def test_whatever_bytes_come_the_walk_ends(data: bytes) -> None:
    try:
        list(walk(data))
    except InvalidUpdate:
        return
    merged(data)


@given(st.lists(st.integers(1, 200), min_size=1, max_size=400))
@examples(50)
def test_states_are_few_and_bytes_are_seldom_written_anew(sizes: list[int]) -> None:
    states, written = list[int](), 0
    for size in sizes:
        number = to_be_merged(states, size)
        merged_size = size + sum(states[len(states) - number :])
        states[len(states) - number :] = [merged_size]
        written += merged_size
    total = sum(sizes)
    assert sum(states) == total
    assert len(states) <= total.bit_length() + 1
    assert written <= total * (total.bit_length() + 1)


@pytest.mark.alike
async def test_versions_are_kept_compared_and_restored(app: TestApp) -> None:
    ann, bob = person(app, "ann"), person(app, "bob")
    id_ = await plan(ann, readers=["bob"])
    editor = Editor(ann, id_)
    heading = editor.doc.get("page", type=XmlFragment)
    entries = editor.doc.get("facts", type=Map)
    with editor.doc.transaction():
        paragraph = heading.children.append(XmlElement("paragraph"))
        words = paragraph.children.append(XmlText("Ada reads well"))
        entries["age"] = 9
    await editor.type("one two three")
    version = await ann.mutation("together:keep", {"id": id_, "name": "spring"})
    with editor.doc.transaction():
        del editor.text[4:7]
        editor.text.insert(4, "2")
        words.insert(9, " very")
        entries["age"] = 10
        editor.doc.get("new", type=Text).insert(0, "something else")
    await editor.append()
    [kept] = await bob.query("together:versions", {"id": id_})
    assert (kept["id"], kept["name"], kept["actor"]) == (version, "spring", ann.identity.key if ann.identity else "")
    differences = await bob.query("together:compare", {"id": id_, "before": version})
    of_text = [(each["kind"], each["text"]) for each in differences if each["root"] == "text"]
    assert of_text == [("same", "one "), ("removed", "two"), ("added", "2"), ("same", " three")]
    assert ("page", "added", "very ") in [(each["root"], each["kind"], each["text"]) for each in differences]
    was = await bob.query("together:texts", {"id": id_, "version": version})
    assert was == {"facts": '{\n "age": 9.0\n}', "page": "Ada reads well", "text": "one two three"}
    await ann.mutation("together:restore", {"id": id_, "version": version})
    assert await bob.query("together:texts", {"id": id_}) == {**was, "new": ""}
    assert await bob.query("together:compare", {"id": id_, "before": version}) == [
        each for each in await bob.query("together:compare", {"id": id_, "before": version}) if each["kind"] == "same"
    ]
    await ann.mutation("together:forget", {"id": id_, "version": version})
    assert await bob.query("together:versions", {"id": id_}) == []
    assert await code_of(ann.mutation("together:restore", {"id": id_, "version": version})) == "not_found"


@pytest.mark.slow
@pytest.mark.alike
async def test_a_large_document_is_read_in_a_process_of_its_own_and_one_that_harms_ends_only_that(app: TestApp) -> None:
    ann = person(app, "ann")
    id_ = await plan(ann)
    editor = Editor(ann, id_)
    await editor.type("word " * 4000)
    version = await ann.mutation("together:keep", {"id": id_, "name": "long"})
    await editor.type("end")
    [same, added] = await ann.query("together:compare", {"id": id_, "before": version})
    assert (same["kind"], added["kind"]) in {("same", "added"), ("removed", "added")}
    await ann.mutation("together:restore", {"id": id_, "version": version})
    assert (await ann.query("together:texts", {"id": id_}))["text"] == "word " * 4000
    # one list in the other, 20,000 deep: whoever deletes the outermost goes all the way down
    nested = [b"\x07\x01\x01n\x00", *(b"\x07\x00\x01" + _varint(each) + b"\x00" for each in range(19_999))]
    deep = b"\x01" + _varint(len(nested)) + b"\x01\x00" + b"".join(nested) + b"\x00"
    await ann.mutation("together:write_text", {"id": id_, "update": deep})
    later = await ann.mutation("together:keep", {"id": id_, "name": "deep"})
    code = await _code_or_none(ann.query("together:texts", {"id": id_, "version": later}))
    assert code in (None, "unreadable_shared_doc")
    assert len(await ann.query("together:versions", {"id": id_})) == 2, "the hub goes on"


def _varint(number: int) -> bytes:
    out = b""
    while number > 127:
        out += bytes([number & 127 | 128])
        number >>= 7
    return out + bytes([number])


async def _code_or_none(call: Any) -> str | None:
    try:
        await call
    except FunctionError as error:
        return error.code
    return None


async def test_a_small_document_that_cannot_be_read_is_told_as_that(app: TestApp) -> None:
    ada = person(app, "ada")
    id_ = await plan(ada)
    formatting_in_a_map = b"\x01\x01\x02\x01&\x01\x01m\x04text\x03key\x04null\x00"
    await ada.mutation("together:write_text", {"id": id_, "update": formatting_in_a_map})
    with pytest.raises(FunctionError) as caught:
        await ada.query("together:texts", {"id": id_})
    assert caught.value.code == "unreadable_shared_doc"


@pytest.mark.alike
async def test_with_the_row_everything_goes(app: TestApp) -> None:
    ann = person(app, "ann")
    id_, other = await plan(ann), await plan(ann)
    for each in (id_, other):
        await Editor(ann, each).type("hello ", "x" * 40_000, "y")
        await ann.mutation("together:keep", {"id": each, "name": "one"})
    of_each = [[await rows_of(app, table, each) for table in SHARED_TABLES] for each in (id_, other)]
    assert all(all(held) for held in of_each)
    await ann.mutation("together:remove", {"id": id_})
    assert [await rows(app, table) for table in SHARED_TABLES] == of_each[1]
    assert await shown(ann, other) != ""


def bytes_in(folder: Path) -> bytes:
    return b"".join(each.read_bytes() for each in folder.iterdir())


async def test_with_keys_everything_is_sealed_and_an_export_has_it(tmp_path: Path) -> None:
    registry, settings = collect("together", [together]), settings_for_tests()
    settings = settings.model_copy(update={"encryption": KEYS})
    (folder := tmp_path / "hub").mkdir()
    async with TestApp(registry, open_store(f"sqlite:///{folder}/hub.db"), settings=settings) as app:
        ann = person(app, "ann")
        id_ = await plan(ann)
        await Editor(ann, id_).type("the secret word", " " * 40_000, "another secret")
        await ann.mutation("together:keep", {"id": id_, "name": "one"})
        assert (await shown(ann, id_)).startswith("the secret word")
        with (tmp_path / "all.synovia").open("wb") as file:
            await export_store(app.store, file)
    assert b"a plan" in bytes_in(folder), "this is where clear text is found"
    assert b"secret" not in bytes_in(folder)
    restored = open_store(f"sqlite:///{tmp_path}/restored.db")
    await restored.open([*registry.tables, IMPORTS])
    with Archive(tmp_path / "all.synovia") as archive:
        await import_archive(archive, restored)
    await restored.close()
    async with TestApp(registry, open_store(f"sqlite:///{tmp_path}/restored.db"), settings=settings) as app:
        ann = person(app, "ann")
        assert (await shown(ann, id_)).endswith("another secret")
        assert len(await ann.query("together:versions", {"id": id_})) == 1
