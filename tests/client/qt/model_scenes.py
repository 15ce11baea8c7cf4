"""Scenes of item models; each is run in a process of its own under each binding."""

from __future__ import annotations

import asyncio
import logging
import random
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

import synovia_qt.models
from client.peer import PeerConnection
from client.qt.stage import QtWidgets, Rows, Told, connected, give, lead, strict, until
from helpers.patience import PATIENCE
from synovia_client import Change, Outbox
from synovia_client.changes import NOTHING, Outcome
from synovia_protocol.errors import ErrorInfo
from synovia_protocol.messages import ModifyQuerySet, Mutation, MutationResponse, QueryFailed
from synovia_qt import ROW_ROLE, Column, LiveListModel, LiveTableModel, SynoviaClient
from synovia_qt.binding import QtCore

COLUMNS: list[Column | str] = ["name", Column("n", "Number", editable=True), Column("subject.side")]
Edit = QtCore.Qt.ItemDataRole.EditRole


def row(key: int, **more: Any) -> dict[str, Any]:
    return {"_id": f"{key:024x}", "code": key, "name": f"row {key}", "n": 0, "subject": {"side": "left"}, **more}


def changed_at_random(rng: random.Random, rows: Rows, following: int, most: int = 6) -> Rows:
    """Remove, move, insert and edit some rows, sometimes very many."""
    kept = [each for each in rows if rng.random() > 0.1]
    if rng.random() < 0.1:
        rng.shuffle(kept)
    for _ in range(rng.randrange(4)):
        if kept:
            kept.insert(rng.randrange(len(kept)), kept.pop(rng.randrange(len(kept))))
    for place in [place for place in range(len(kept)) if rng.random() < 0.2]:
        field = rng.choice(["name", "n", "subject"])
        value = {"side": rng.choice("lr")} if field == "subject" else rng.randrange(99)
        kept[place] = {**kept[place], field: value}
    for offset in range(rng.randrange(most)):
        kept.insert(rng.randrange(len(kept) + 1), row(following + offset))
    return kept


def random_patches() -> None:
    """Follow 50 random changes, by ids and by keys that are none, with every persistent index on its row."""
    rng = random.Random(7)
    with connected() as (_, client):
        models = [
            LiveTableModel(client, "by_id", {}, COLUMNS),
            LiveTableModel(client, "by_code", {}, COLUMNS, key="code"),
            LiveListModel(client, "by_call", {}, COLUMNS, key=lambda each: (each["code"], "key")),
        ]
        watches = [(strict(model), Told(model)) for model in models]
        rows: Rows = []
        for number in range(50):
            rows = followed(models, rows, changed_at_random(rng, rows, 10 * number, 3))
        for _, told in watches:
            assert (told.resets, told.layouts) == (0, 0)
            assert min(told.moved, told.removed, told.inserted, len(told.changed)) > 20


def followed(models: list[LiveTableModel], old: Rows, new: Rows) -> Rows:
    """Let models follow one change, and look where their persistent indexes are afterwards."""
    held = [[QtCore.QPersistentModelIndex(model.index(place, 0)) for place in range(len(old))] for model in models]
    change: Change[Any] = Change(Outcome(old), Outcome(new))
    places = {each["code"]: place for place, each in enumerate(new)}
    for model, indexes in zip(models, held, strict=True):
        model._changed(change)
        assert [*model.rows] == new
        for index, each in zip(indexes, old, strict=True):
            assert (index.row() if index.isValid() else None) == places.get(each["code"])
    return new


def shuffled_lists() -> None:
    """Follow a list that is shuffled altogether by one change of the layout."""
    rng = random.Random(5)
    synovia_qt.models.MOST_MOVES = 20
    with connected() as (_, client):
        models = [LiveTableModel(client, "list", {}, COLUMNS, key=key) for key in ("_id", "code")]
        watches = [(strict(model), Told(model)) for model in models]
        rows = followed(models, [], [row(each) for each in range(60)])
        new = [{**each, "n": 1} for each in rows[10:]] + [row(1000 + each) for each in range(10)]
        rng.shuffle(new)
        followed(models, rows, new)
        assert [(told.layouts, told.moved, told.resets) for _, told in watches] == [(1, 0, 0)] * 2


def a_thousand_updates() -> None:
    """Follow 1,000 updates without a reset, and know each row afterwards."""
    rng = random.Random(11)
    with connected() as (_, client):
        model = LiveTableModel(client, "list", {}, COLUMNS)
        told, rows = Told(model), [row(each) for each in range(30)]
        model._changed(Change(NOTHING, Outcome(rows)))
        for number in range(1_000):
            new = changed_at_random(rng, rows, 100 + 10 * number)
            model._changed(Change(Outcome(rows), Outcome(new)))
            rows = new
        assert [*model.rows] == rows
        assert told.resets == 0


def exact_signals() -> None:
    """Announce contiguous runs and changed columns only, and as few moves as there can be."""
    with connected() as (_, client):
        model = LiveTableModel(client, "list", {}, COLUMNS)
        keeps, told = strict(model), Told(model)
        rows = [row(each) for each in range(10)]
        model._changed(Change(NOTHING, Outcome(rows)))
        assert (told.inserted, told.resets, model.rowCount(), model.columnCount()) == (1, 0, 10, 3)
        new = [{**each, "n": 1} if place in (2, 3, 4, 7) else each for place, each in enumerate(rows)]
        new[5] = {**rows[5], "name": "x", "subject": {"side": "right"}}
        new[9] = {**rows[9], "code": 1000}
        model._changed(Change(Outcome(rows), Outcome(new)))
        assert told.changed == [(2, 4, 1, 1), (5, 5, 0, 0), (5, 5, 2, 2), (7, 7, 1, 1)], told.changed
        turned = [*new[1:9], new[0], new[9]]
        model._changed(Change(Outcome(new), Outcome(turned)))
        assert (told.moved, told.removed, told.inserted, told.resets) == (1, 0, 1, 0)
        assert [model.headerData(place, QtCore.Qt.Orientation.Horizontal) for place in range(3)] == [
            "name",
            "Number",
            "subject.side",
        ]
        assert model.index(4, 2).data() == "right"
        assert keeps is not None


def live_lists() -> None:
    """Follow 200 commits that change two lists: no reset, nothing torn when it is painted, the selection stays."""
    commits = 200
    first = [row(each, version=0) for each in range(20)]

    async def script(connection: PeerConnection) -> None:
        await give(connection, 5, one=first, two=first)
        await asyncio_wait(go)
        rng, old = random.Random(3), first
        for version in range(1, commits + 1):
            new = [{**each, "version": version} for each in old]
            new.insert(rng.randrange(20), new.pop(rng.randrange(20)))
            await lead(connection, 5 + version, one=(old, new), two=(old, new))
            old = new
            if version % 20 == 0:
                await asyncio.to_thread(updates.acquire)
        await connection.answer(await connection.expect(Mutation), old, 5 + commits)

    go, updates = threading.Event(), threading.Semaphore(0)
    with connected(frame=1) as (hub, client):
        played = hub.play(script)
        columns = ["name", "version"]
        one, two = LiveTableModel(client, "one", {}, columns), LiveTableModel(client, "two", {}, columns)
        watches = [(strict(model), Told(model)) for model in (one, two)]
        paints: list[tuple[int, int]] = []

        class View(QtWidgets.QTableView):
            def paintEvent(self, event: Any) -> None:
                if one.rows and two.rows:
                    versions = {each["version"] for each in (*one.rows, *two.rows)}
                    paints.append((min(versions), max(versions)))
                super().paintEvent(event)

        views = [View(), View()]
        for view, model in zip(views, (one, two), strict=True):
            view.setModel(model)
            view.resize(300, 900)
            view.show()
        until(lambda: one.rows and two.rows)
        views[0].selectRow(7)
        chosen = one.rows[7]["_id"]
        client.transitioned.connect(lambda transition: updates.release())
        go.set()
        call = client.mutation("m")
        until(lambda: call.done)
        played.result(PATIENCE)
        assert [*one.rows] == [*two.rows] == call.result
        assert [told.resets for _, told in watches] == [0, 0]
        assert len(paints) > 5, f"{len(paints)} paints"
        assert all(low == high for low, high in paints), "half of a commit was painted"
        selected = views[0].selectionModel().selectedRows()
        assert [index.data(ROW_ROLE)["_id"] for index in selected] == [chosen]


async def asyncio_wait(event: threading.Event) -> None:
    await asyncio.to_thread(event.wait, PATIENCE)


def a_busy_interface() -> None:
    """Nothing is lost while the interface is busy, and it is told once."""

    async def script(connection: PeerConnection) -> None:
        await give(connection, 5, list=[row(0)])
        mutation = await connection.expect(Mutation)
        old = [row(0)]
        for number in range(1, 200):
            new = [*old, row(number)]
            await lead(connection, 5 + number, list=(old, new))
            old = new
        await connection.answer(mutation, None, 204)

    with connected() as (hub, client):
        hub.play(script)
        model = LiveTableModel(client, "list", {}, COLUMNS)
        until(lambda: model.rowCount() == 1)
        told = Told(model)
        seen: list[Any] = []
        client.transitioned.connect(seen.append)
        client.blocking.mutation("m")  # Qt's events do not run meanwhile
        assert (model.rowCount(), seen) == (1, [])
        until(lambda: seen)
        assert (model.rowCount(), told.inserted, len(seen), told.resets) == (200, 1, 1, 0)


async def asked(connection: PeerConnection, args: dict[str, Any]) -> None:
    """Wait until a page is asked for with these arguments."""
    while "page" not in connection.queries or connection.queries["page"].args != args:
        await connection.expect(ModifyQuerySet)


def pages_and_arguments() -> None:
    """Read further pages when the view asks, and reset only for other arguments."""

    async def script(connection: PeerConnection) -> None:
        await connection.give("page", {"items": [row(1), row(2)], "nextCursor": "next"}, 5)
        await asked(connection, {"board": "a", "cursor": "next", "limit": 2})
        await connection.give("page", {"items": [row(3)], "nextCursor": None}, 6)
        await asked(connection, {"board": "b", "limit": 2})
        await connection.give("page", {"items": [row(4)], "nextCursor": None}, 7)

    nowhere = QtCore.QModelIndex()
    with connected() as (hub, client):
        hub.play(script)
        model = LiveListModel(client, "page", {"board": "a"}, COLUMNS, page_size=2)
        told = Told(model)
        assert not model.canFetchMore(nowhere)
        until(lambda: model.rowCount() == 2)
        assert model.canFetchMore(nowhere)
        model.fetchMore(nowhere)
        until(lambda: model.rowCount() == 3)
        keeps = strict(model)  # not before: Qt's tester fetches more itself
        assert not model.canFetchMore(nowhere)
        assert model.columnCount() == 1
        role = next(role for role, name in model.roleNames().items() if bytes(name) == b"subject_side")
        assert model.index(0, 0).data(role) == "left"
        model.set_args({"board": "a"})
        assert told.resets == 0
        model.set_args({"board": "b"})
        assert (told.resets, model.rowCount()) == (1, 0)
        until(lambda: model.rowCount() == 1)
        assert (told.resets, keeps is not None) == (1, True)


def editing() -> None:
    """Show an edit at once; take it back, and tell, when it is refused."""

    async def script(connection: PeerConnection) -> None:
        rows = [row(1), row(2)]
        await give(connection, 5, list=rows)
        refused = await connection.expect(Mutation)
        assert refused.args == {"id": 1, "n": 7}
        await asyncio_wait(seen)
        no = ErrorInfo("forbidden", "not yours")
        await connection.send(connection.session.send(MutationResponse(refused.request_id, None, error=no)))
        taken = await connection.expect(Mutation)
        await lead(connection, 6, list=(rows, [row(1, n=8), row(2)]))
        await connection.answer(taken, None, 6)

    seen = threading.Event()
    with connected() as (hub, client):
        hub.play(script)
        model = LiveTableModel(
            client, "list", {}, COLUMNS, edit=lambda each, field, value: ("set", {"id": each["code"], field: value})
        )
        keeps, told = strict(model), Told(model)
        refusals: list[Any] = []
        model.editFailed.connect(lambda key, field, error: refusals.append((key, field, error.code)))
        until(lambda: model.rowCount() == 2)
        cell = model.index(0, 1)
        assert not model.setData(model.index(0, 0), "x", Edit)
        assert cell.flags() & QtCore.Qt.ItemFlag.ItemIsEditable
        assert model.setData(cell, 7, Edit)
        assert cell.data() == 7, "a view that paints now shows the old value"
        assert client.waiting == 1
        seen.set()
        until(lambda: refusals)
        assert (cell.data(), refusals, client.waiting) == (0, [(row(1)["_id"], "n", "forbidden")], 0)
        assert model.setData(cell, 8, Edit)
        until(lambda: cell.data() == 8 and client.waiting == 0)
        assert model.setData(cell, {1}, Edit)
        until(lambda: len(refusals) > 1)
        assert (cell.data(), refusals[1]) == (8, (row(1)["_id"], "n", "invalid_arguments"))
        assert (told.resets, told.removed, set(told.changed)) == (0, 0, {(0, 0, 1, 1)})
        assert keeps is not None


def an_edit_that_is_never_sent() -> None:
    """Take an edit back for which the outbox has no room."""
    with (
        TemporaryDirectory() as folder,
        connected(outbox=Outbox(Path(folder) / "outbox.db", max_bytes=1)) as (hub, client),
    ):
        hub.play(lambda connection: give(connection, 5, list=[row(1)]))
        model = LiveTableModel(
            client, "list", {}, COLUMNS, edit=lambda each, field, value: ("set", {"id": each["code"], field: value})
        )
        keeps, refusals = strict(model), []
        model.editFailed.connect(lambda key, field, error: refusals.append(error.code))
        until(lambda: model.rowCount() == 1)
        cell = model.index(0, 1)
        assert model.setData(cell, 7, Edit)
        assert cell.data() == 7
        until(lambda: refusals)
        assert (cell.data(), refusals, keeps is not None) == (0, ["outbox_error"], True)


def models_that_go() -> None:
    """A model that nobody holds goes, one that Qt destroys is told nothing, and their queries are released."""
    import gc
    import weakref

    async def script(connection: PeerConnection) -> None:
        await give(connection, 5, a=[row(1)], b=[row(1)])
        gone: set[int] = set()
        while len(gone) < 2:
            gone |= {*(await connection.expect(ModifyQuerySet)).remove}

    with connected() as (hub, client):
        played = hub.play(script)
        dropped: LiveTableModel | None = LiveTableModel(client, "a", {}, COLUMNS)
        assert dropped is not None
        owner: QtCore.QObject | None = QtCore.QObject()
        owned = LiveTableModel(client, "b", {}, COLUMNS, parent=owner)
        until(lambda: dropped is not None and dropped.rowCount() == owned.rowCount() == 1)
        ref = weakref.ref(dropped)
        dropped = None
        gc.collect()
        assert ref() is None
        assert owner is not None
        owner.deleteLater()
        until(played.done)
        played.result(PATIENCE)


def empty_lists() -> None:
    """Tell an empty list from one that is on its way."""

    async def script(connection: PeerConnection) -> None:
        await give(connection, 5, list=[])

    with connected() as (hub, client):
        model = LiveTableModel(client, "list", {}, ["name"])
        told: list[bool] = []
        model.loadedChanged.connect(lambda: told.append(model.loaded))
        assert not model.loaded
        hub.play(script)
        until(lambda: model.loaded)
        assert (told, model.rowCount()) == ([True], 0)
        model.set_args({"more": 1})
        assert told == [True, False]


@contextmanager
def logged() -> Iterator[list[str]]:
    """Give what the package writes to the log."""
    messages: list[str] = []
    handler = logging.Handler()
    handler.emit = lambda record: messages.append(record.getMessage())  # type: ignore[method-assign]
    logger = logging.getLogger("synovia_qt")
    logger.addHandler(handler)
    yield messages
    logger.removeHandler(handler)


def a_query_that_fails() -> None:
    """Tell why, and keep the rows; the log tells it where nobody listens."""

    async def script(connection: PeerConnection) -> None:
        query = await connection.expect_query("list")
        await connection.transition(5, QueryFailed(query.query_id, ErrorInfo("unauthenticated", "sign in")))

    for heard in (False, True):
        with connected() as (hub, client), logged() as messages:
            told: list[str] = []
            model = LiveTableModel(client, "list", {}, COLUMNS)
            if heard:
                model.failed.connect(lambda error, told=told: told.append(error.code))
            hub.play(script)
            until(lambda model=model: model.error is not None)  # type: ignore[misc]
            assert (told, len(messages)) == (["unauthenticated"] * heard, not heard)
            assert all("sign in (unauthenticated)" in message for message in messages)


def mistakes() -> None:
    """Refuse what cannot be a model, and tell of queries and keys that cannot make one."""
    wide: Any = "name"
    number: Any = 3
    with connected() as (hub, client):
        for columns, key, error in ((wide, "_id", TypeError), ([], "_id", ValueError), (["name"], number, TypeError)):
            with pytest.raises(error):
                LiveTableModel(client, "list", {}, columns, key=key)
        with pytest.raises(ValueError, match="milliseconds"):
            SynoviaClient(hub.url, frame=-1)
        paged, keyless = LiveTableModel(client, "page", {}, ["name"]), LiveTableModel(client, "list", {}, ["name"])
        told: list[Any] = []
        paged.failed.connect(told.append)
        paged._changed(Change(NOTHING, Outcome({"items": [row(1)]})))
        assert [error.code for error in told] == ["no_list"]
        assert "page_size=" in told[0].message
        with logged() as messages:
            for name in ("before", "after"):
                keyless._changed(Change(NOTHING, Outcome([{"name": name}, {"name": "other"}])))
                assert keyless.rowCount() == 2
        assert len(messages) == 1
        assert "list cannot be told apart" in messages[0]
        with logged() as messages:
            columns = ["sampel_count", "note", "name", Column("names", value=len)]
            misnamed = LiveTableModel(client, "list", {}, columns)
            for count in (3, 4):
                rows = [{"_id": "1", "name": "a", "sampleCount": count, "notes": "b"}, {"_id": "2", "name": "c"}]
                misnamed._changed(Change(NOTHING, Outcome(rows)))
        [first, second] = messages
        assert "no row of list has 'note', which a column shows: is notes meant?" in first
        assert "no row of list has 'sampel_count', which a column shows: is sampleCount meant?" in second
