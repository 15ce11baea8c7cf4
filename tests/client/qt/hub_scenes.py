"""Scenes of windows on a real hub in a process of its own; each in a process of its own under each binding."""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from client.qt.stage import QtWidgets, Told, application, strict, until
from helpers.http_server import APPS
from helpers.patience import PATIENCE
from synovia_client import BlockingClient
from synovia_qt import ROW_ROLE, Column, LiveTableModel, SynoviaClient
from synovia_qt.binding import QtCore
from torture.processes import HubProcess

COMMITS = 200
IN_A_ROW = 8
"""So many commits follow each other at once, as by several people: some are painted together, none by half."""
ROWS = 20
COLUMNS: list[Column | str] = ["name", Column("n", editable=True), "place"]


@contextmanager
def stirred(
    store: str = "sqlite://:memory:", rows: int = ROWS
) -> Iterator[tuple[HubProcess, BlockingClient, SynoviaClient, list[LiveTableModel]]]:
    """Show both lists of a hub, which another client changes, in two models; the store may lie in a folder ``{}``."""
    application()
    with tempfile.TemporaryDirectory(prefix="synovia-qt-") as folder:
        hub = HubProcess(store.format(folder), Path(folder) / "hub.log", application=APPS / "stirred.py")
        try:
            asyncio.run(hub.start())
            with BlockingClient(hub.url, proxy=None) as other:
                other.mutation("stirred:fill", {"count": rows})
                client = SynoviaClient(hub.url, proxy=None, frame=1)
                models = [
                    LiveTableModel(client, "stirred:on_list", {"name": name}, COLUMNS, edit=set_n)
                    for name in ("one", "two")
                ]
                try:
                    until(lambda: all(model.rowCount() == rows for model in models))
                    yield hub, other, client, models
                finally:
                    client.close()
        finally:
            hub.kill()


def set_n(row: Any, field: str, value: Any) -> tuple[str, dict[str, Any]]:
    return "stirred:set_n", {"rowId": row["_id"], field: value}


def stir(other: BlockingClient, version: int, spared: list[str]) -> Future[Any]:
    return other.submit_mutation("stirred:stir", {"version": version, "spared": spared})


def versions_of(models: list[LiveTableModel]) -> set[int]:
    return {model.rows[0]["n"] for model in models}


def view_of(model: LiveTableModel, paints: list[set[int]], models: list[LiveTableModel]) -> Any:
    """Show a model; each painting notes which versions are in the models meanwhile."""

    class View(QtWidgets.QTableView):
        def paintEvent(self, event: Any) -> None:
            paints.append(versions_of(models))
            super().paintEvent(event)

    view = View()
    view.setModel(model)
    view.resize(400, 300)
    view.show()
    return view


def two_lists_that_are_stirred() -> None:
    """Follow 200 commits: nothing torn is painted; selection, place and an open editor stay; no reset."""
    with stirred() as (_, other, _, models):
        watches = [(strict(model), Told(model)) for model in models]
        paints: list[set[int]] = []
        reading, selecting, editing = (view_of(model, paints, models) for model in (models[1], models[1], models[0]))
        until(editing.isActiveWindow)  # an editor goes when it loses the focus
        edited, chosen = models[0].rows[15]["_id"], models[1].rows[7]["_id"]
        cell = models[0].index(15, 1)
        editing.setCurrentIndex(cell)
        editing.edit(cell)
        (editor,) = editing.viewport().findChildren(QtWidgets.QAbstractSpinBox)
        (line,) = editor.findChildren(QtWidgets.QLineEdit)
        line.setText("77")
        selecting.selectRow(7)
        reading.verticalScrollBar().setValue(5)
        for newest in range(IN_A_ROW, COMMITS + 1, IN_A_ROW):
            calls = [stir(other, version, [edited, chosen]) for version in range(newest - IN_A_ROW + 1, newest + 1)]
            until(lambda newest=newest: versions_of(models) == {newest}, turn=1)  # type: ignore[misc]
            for call in calls:
                call.result(PATIENCE)
        for model in models:
            assert [*model.rows] == other.query("stirred:on_list", model.args)
        assert [told.resets for _, told in watches] == [0, 0]
        assert len(paints) > COMMITS / IN_A_ROW
        assert all(len(versions) == 1 for versions in paints), "half of a commit was painted"
        assert (editor.isVisible(), line.text()) == (True, "77")
        assert editing.currentIndex().data(ROW_ROLE)["_id"] == edited
        assert [index.data(ROW_ROLE)["_id"] for index in selecting.selectionModel().selectedRows()] == [chosen]
        assert reading.verticalScrollBar().value() == 5
        editing.commitData(editor)
        until(lambda: other.query("stirred:get", {"rowId": edited})["n"] == 77)
        refusals: list[Any] = []
        models[0].editFailed.connect(lambda key, field, error: refusals.append((key, field, error.code)))
        assert models[0].setData(editing.currentIndex(), -1)
        until(lambda: refusals)
        assert refusals == [(edited, "n", "below_nothing")]
        assert editing.currentIndex().data() == 77


def a_busy_interface_and_the_end() -> None:
    """However many commits come while Qt's events do not run, they are told once; nothing is told after the end."""
    with stirred() as (_, other, client, models):
        told: list[Any] = []
        counted = [Told(model) for model in models]
        client.transitioned.connect(told.append)
        for version in range(1, 40):
            other.mutation("stirred:stir", {"version": version})
        client.blocking.mutation("stirred:stir", {"version": 40})  # whose transition comes before its answer
        assert told == []
        until(lambda: told)
        assert (len(told), versions_of(models), [each.resets for each in counted]) == (1, {40}, [0, 0])
        calls = [other.submit_mutation("stirred:stir", {"version": version}) for version in range(41, 80)]
        until(lambda: len(told) > 1)
        client.close()
        before = len(told), versions_of(models)
        for call in calls:
            call.result(PATIENCE)
        application().processEvents()
        assert (len(told), versions_of(models)) == before


def a_hub_that_stops() -> None:
    """A hub stands still, dies and comes back; meanwhile Qt's thread works for the client for moments only."""
    with stirred("sqlite:///{}/hub.db") as (hub, _, client, models):
        worked: list[float] = []
        last = time.thread_time()

        def tick() -> None:
            nonlocal last
            now = time.thread_time()
            worked.append(now - last)
            last = now

        timer = QtCore.QTimer()
        timer.timeout.connect(tick)
        timer.start(5)
        call = client.mutation("stirred:stir", {"version": 1})
        hub.pause()
        for number in range(20):
            models[0].setData(models[0].index(number, 1), number)
            until(lambda number=number: models[0].index(number, 1).data() == number)  # type: ignore[misc]
        hub.kill()
        until(lambda: not client.online)
        asyncio.run(hub.start())
        last = time.thread_time()
        client.retry()
        until(lambda: client.online and client.waiting == 0)
        assert call.error is None
        timer.stop()
        assert max(worked) < 0.05, f"{max(worked)} s of Qt's thread between two ticks"
