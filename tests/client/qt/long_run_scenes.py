"""Scenes of programs that run for long: editors, places, memory, a hub that goes; each in a process of its own."""

from __future__ import annotations

import gc
import sys
import time
import tracemalloc
from collections.abc import Callable
from itertools import pairwise
from typing import Any

from client.peer import PeerConnection
from client.qt.model_scenes import COLUMNS, row
from client.qt.stage import QtWidgets, connected, give, lead, until
from synovia_client import Backoff, Change
from synovia_client.changes import Outcome
from synovia_protocol.messages import Mutation, QueryUnchanged
from synovia_qt import ROW_ROLE, LiveTableModel
from synovia_qt.binding import QtCore, Signal


def an_open_editor_and_the_place() -> None:
    """An open editor keeps its text and its row, and the view its place, while rows come, go, move and change."""

    async def script(connection: PeerConnection) -> None:
        old = [row(each) for each in range(100)]
        await give(connection, 5, list=old)
        taken = await connection.expect(Mutation)
        for number in range(1, 51):
            new = [
                {**each, "n": number} if place % 7 == 0 and each["code"] != 40 else each
                for place, each in enumerate(old)
            ]
            new.insert(0, new.pop(90)) if number % 2 else new.append(row(1000 + number))
            await lead(connection, 5 + number, list=(old, new))
            old = new
        await connection.answer(taken, None, 55)

    edits: list[Any] = []

    def edit(each: Any, field: str, value: Any) -> tuple[str, dict[str, Any]]:
        edits.append((each["code"], field, value))
        return "set", {}

    with connected(frame=1) as (hub, client):
        hub.play(script)
        model = LiveTableModel(client, "list", {}, COLUMNS, edit=edit)
        view, beside = QtWidgets.QTableView(), QtWidgets.QTableView()
        for each in (view, beside):
            each.setModel(model)
            each.resize(400, 300)
            each.show()
        until(lambda: model.rowCount() == 100)
        beside.verticalScrollBar().setValue(30)
        cell = model.index(40, 1)
        view.setCurrentIndex(cell)
        view.edit(cell)
        (editor,) = view.viewport().findChildren(QtWidgets.QAbstractSpinBox)
        (line,) = editor.findChildren(QtWidgets.QLineEdit)
        line.setText("77")
        call = client.mutation("go on")
        until(lambda: call.done)
        assert editor.isVisible()
        assert line.text() == "77"
        assert beside.verticalScrollBar().value() == 30  # the other one keeps its editor in sight
        assert view.currentIndex().data(ROW_ROLE)["code"] == 40
        view.commitData(editor)
        assert edits == [(40, "n", 77)]
        assert view.currentIndex().row() != 40, "it has moved"


def growth_of(run: Callable[[], None]) -> int:
    """Give how many bytes more are held after a run, at the least of three: what is lost is lost in each of them."""
    run()
    gc.collect()
    tracemalloc.start()
    held = []
    for _ in range(4):
        run()
        gc.collect()
        held.append(tracemalloc.get_traced_memory()[0])
    tracemalloc.stop()
    return min(after - before for before, after in pairwise(held))


def memory_of_many_changes() -> None:
    """Hold no more after many changes, calls and events than before."""
    rows = [row(each) for each in range(50)]

    async def script(connection: PeerConnection) -> None:
        await give(connection, 5, list=[])
        for _ in range(51 * 5):
            await connection.answer(await connection.expect(Mutation), None, 5)

    with connected(frame=1) as (hub, client):
        played = hub.play(script)
        model = LiveTableModel(client, "list", {}, COLUMNS)
        view = QtWidgets.QTableView()
        view.setModel(model)
        view.show()
        model._changed(Change(Outcome([]), Outcome(rows)))

        def run() -> None:
            old, calls = rows, [client.mutation("m")]
            for number in range(200):
                new = [*old[1:], {**old[0], "n": number}]
                model._changed(Change(Outcome(old), Outcome(new)))
                old = new
                if number % 4 == 0:
                    calls.append(client.mutation("m"))
            model._changed(Change(Outcome(old), Outcome(rows)))
            until(lambda: all(call.done for call in calls))

        held = growth_of(run)
        played.result(5)
        assert held < 10_000, f"{held} bytes more after each 200 changes and 51 calls"


def references_on_every_emit() -> None:
    """Emit ten thousand times without losing a reference to what is told: the fault for which a version is refused."""

    class Teller(QtCore.QObject):
        told = Signal(object)

    teller, seen = Teller(), [0]

    def count(value: object) -> None:
        seen[0] += 1

    teller.told.connect(count)
    before = sys.getrefcount(None)
    for _ in range(10_000):
        teller.told.emit(None)
    assert seen == [10_000]
    assert sys.getrefcount(None) > before - 1_000


def a_hub_that_stops() -> None:
    """While a hub is gone for seconds, Qt's loop is never held up by the client: it does next to nothing on that thread."""

    async def cut(connection: PeerConnection) -> None:
        await give(connection, 5, list=[row(0)])
        await connection.expect(Mutation)
        connection.cut()

    async def back(connection: PeerConnection) -> None:
        query = await connection.expect_query("list")
        await connection.transition(5, QueryUnchanged(query.query_id))

    used: list[float] = []
    with connected(backoff=Backoff(0.01, 0.05)) as (hub, client):
        played = hub.play(cut)
        model = LiveTableModel(client, "list", {}, COLUMNS)
        until(lambda: model.rowCount() == 1)
        original = client._events._run

        def run() -> None:
            start = time.thread_time()
            original()
            used.append(time.thread_time() - start)

        client._events._run = run  # type: ignore[method-assign]
        client._events._timer.timeout.disconnect()
        client._events._timer.timeout.connect(run)
        client.mutation("m")
        until(lambda: not client.online)
        played.result(5)
        hub.play(back)
        until(lambda: client.online)
        assert model.rowCount() == 1
        assert used
        assert max(used) < 0.05, f"{max(used)} s of Qt's thread in one event"
