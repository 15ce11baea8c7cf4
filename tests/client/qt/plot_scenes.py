"""Scenes of curves; each is run in a process of its own under each binding."""

from __future__ import annotations

import asyncio
import gc
import threading
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest

from client.peer import PeerConnection
from client.peer_thread import PeerThread
from client.qt.stage import application, connected, until
from helpers.patience import PATIENCE
from synovia_client import ArrayRef
from synovia_protocol.arrays import ref_of
from synovia_protocol.errors import ErrorInfo
from synovia_protocol.messages import ArrayResponse, CancelFetch, FetchArray, ModifyQuerySet
from synovia_qt import ArrayCurve, FollowMode, LiveCurve, LiveSamples, SynoviaClient
from synovia_qt.binding import BINDING, QtCore
from synovia_qt.pyqtgraph_binding import check, pyqtgraph

COUNT = 200_000
WAVE: Any = np.sin(np.arange(COUNT) / 50.0) * 30 + np.arange(COUNT) / COUNT


def part_of(array: Any, fetch: FetchArray) -> Any:
    """Give what a hub would send."""
    part = array[fetch.start : fetch.stop]
    if fetch.points is None:
        return part
    buckets = min(fetch.points // 2, len(part))
    cuts = np.arange(buckets) * len(part) // buckets
    return np.column_stack((np.fmin.reduceat(part, cuts), np.fmax.reduceat(part, cuts)))


async def next_fetch(connection: PeerConnection) -> FetchArray:
    while True:
        event = await connection.next()
        if isinstance(event, FetchArray):
            return event
        assert isinstance(event, (ModifyQuerySet, CancelFetch)), event


async def serve(connection: PeerConnection, *arrays: Any) -> FetchArray:
    """Answer one fetch."""
    fetch = await next_fetch(connection)
    (array,) = [each for each in arrays if ref_of(each).digest == fetch.digest]
    await connection.send_array(fetch, part_of(array, fetch))
    return fetch


@contextmanager
def shown(array: Any) -> Iterator[tuple[PeerThread, SynoviaClient, Any, PeerConnection, ArrayRef]]:
    """Show a query with an array, and give a plot for its curve."""
    with connected() as (hub, client):

        async def script(connection: PeerConnection) -> PeerConnection:
            await connection.give("recording", {"knee": ref_of(array)}, 5)
            return connection

        values: list[Any] = []
        client.subscribe("recording", {}, values.append)
        connection = hub.play(script).result(PATIENCE)
        until(lambda: values)
        plot = pyqtgraph.PlotWidget()
        plot.resize(800, 300)
        plot.show()
        try:
            yield hub, client, plot, connection, values[0]["knee"]
        finally:
            plot.close()


def play(hub: PeerThread, coroutine: Any) -> Any:
    return asyncio.run_coroutine_threadsafe(coroutine, hub._loop)


def did(hub: PeerThread, coroutine: Any) -> Any:
    """Wait, while Qt's events run, until the hub has done something."""
    doing = play(hub, coroutine)
    until(doing.done)
    return doing.result()


def outline_and_ranges() -> None:
    """Show the outline at once, fetch what the view needs once it rests, and keep what is drawn until then."""
    with shown(WAVE) as (hub, client, plot, connection, ref):
        curve = ArrayCurve(client, ref, rate=100.0, rest=60_000)
        plot.addItem(curve)
        told: list[Any] = []
        curve.loaded.connect(lambda: told.append("loaded"))
        curve.refiningChanged.connect(told.append)
        first = play(hub, serve(connection, WAVE))
        until(lambda: curve.is_loaded)
        assert (first.result().points, len(curve.yData), told) == (4096, 4096, ["loaded"])
        assert curve.dataBounds(0) == (0.0, (COUNT - 1) / 100)
        assert curve.dataBounds(1) == (WAVE.min(), WAVE.max())
        box = plot.getViewBox()
        for left in range(20):  # a drag: nothing is fetched on the way
            plot.setXRange(100 + left, 110 + left, padding=0)
            application().processEvents()
        before = curve.yData
        assert not curve.is_refining
        curve._timer.start(0)  # the view has rested; how long the drag took on a busy machine is all the same
        until(lambda: curve.is_refining)
        fetch = did(hub, next_fetch(connection))
        assert fetch.start <= 119 * 100
        assert 129 * 100 <= fetch.stop <= 19_000
        assert fetch.points is None
        assert curve.yData is before
        did(hub, connection.send_array(fetch, part_of(WAVE, fetch)))
        until(lambda: not curve.is_refining)
        assert np.array_equal(curve.yData, WAVE[fetch.start : fetch.stop])
        assert np.allclose(curve.xData, np.arange(fetch.start, fetch.stop) / 100)
        assert told == ["loaded", True, False]
        plot.setXRange(120, 130, padding=0)  # what is here reaches over that
        assert len(curve.yData) == fetch.stop - fetch.start
        box.autoRange(padding=0)
        assert len(curve.yData) == 4096
        assert box.viewRange()[0] == pytest.approx([0, 2000], abs=20)


def outdated_ranges() -> None:
    """Give up a range that nobody looks at any more, and take only the one that is wanted."""
    with shown(WAVE) as (hub, client, plot, connection, ref):
        curve = ArrayCurve(client, ref, rest=5)
        plot.addItem(curve)
        did(hub, serve(connection, WAVE))
        until(lambda: curve.is_loaded)
        plot.setXRange(1_000, 2_000, padding=0)
        old = did(hub, next_fetch(connection))
        plot.setXRange(150_000, 151_000, padding=0)
        new = did(hub, next_fetch(connection))
        assert old.stop is not None
        assert old.stop < new.start <= 150_000
        did(hub, connection.send_array(new, part_of(WAVE, new)))
        until(lambda: not curve.is_refining)
        assert np.array_equal(curve.yData, WAVE[new.start : new.stop])
        plot.setXRange(1_000, 2_000, padding=0)
        until(lambda: curve.is_refining)
        assert len(curve.yData) == 4096  # the outline, until it is there
        did(hub, serve(connection, WAVE))
        until(lambda: not curve.is_refining)
        assert curve.yData[0] == WAVE[old.start]


def gaps() -> None:
    """Draw nothing where samples are no numbers, in the outline too."""
    holes = WAVE.copy()
    holes[50_000:90_000] = np.nan
    with shown(holes) as (hub, client, plot, connection, ref):
        curve = ArrayCurve(client, ref, pen=pyqtgraph.mkPen("#ff0000", width=1))
        plot.addItem(curve)
        did(hub, serve(connection, holes))
        until(lambda: curve.is_loaded)
        inside = (curve.xData > 50_200) & (curve.xData < 89_800)
        assert np.isnan(curve.yData[inside]).all()
        assert np.isfinite(curve.yData[~inside]).mean() > 0.99
        plot.setXRange(0, COUNT, padding=0)
        image = plot.grab().toImage()
        box = plot.getViewBox()

        def is_drawn(sample: int) -> bool:
            place = box.mapViewToScene(QtCore.QPointF(sample, 0.0))
            column = plot.mapFromScene(place).x()
            colours = [image.pixelColor(column, row) for row in range(image.height())]
            return any(colour.red() > 200 and colour.green() < 90 for colour in colours)

        assert [is_drawn(each) for each in (25_000, 70_000, 150_000)] == [True, False, True]


def errors_and_other_arrays() -> None:
    """Tell errors by signal; show another array when its outline is there; refuse what is no curve."""
    short = np.arange(10.0)
    with shown(WAVE) as (hub, client, plot, connection, ref):
        values: list[Any] = []
        client.subscribe("recording", {}, values.append)
        curve = ArrayCurve(client, ref)
        plot.addItem(curve)
        told: list[Any] = []
        curve.failed.connect(lambda error: told.append(error.code))

        async def refuse() -> None:
            fetch = await next_fetch(connection)
            no = ErrorInfo("array_not_found", "gone")
            await connection.send(connection.session.send(ArrayResponse(fetch.request_id, error=no)))

        did(hub, refuse())
        until(lambda: told)
        assert (told, curve.is_loaded, curve.error is not None) == (["array_not_found"], False, True)
        curve.set_ref(ref)
        did(hub, serve(connection, WAVE))
        until(lambda: curve.is_loaded)
        curve.set_factor(-1.0)
        assert curve.dataBounds(1) == (-WAVE.max(), -WAVE.min())
        did(hub, connection.patch("recording", {"knee": ref_of(WAVE)}, {"knee": ref_of(short)}, 6))
        until(lambda: values[-1]["knee"] == ref_of(short))  # before, nobody would be given it
        curve.set_ref(ref_of(short), rate=2.0, begin=3.0)
        assert len(curve.yData) == 4096
        did(hub, serve(connection, short))
        until(lambda: curve.is_loaded)
        assert [*curve.yData] == [*-short]
        assert [*curve.xData] == [*(3 + short / 2)]
        curve.set_ref(None)
        assert len(curve.yData) == 0
        for wrong in ({"ref": ArrayRef(ref.digest, "float64", (2, 3))}, {"ref": ref, "rate": 0.0}, {"ref": short}):
            with pytest.raises((ValueError, TypeError), match=r"one dimension|positive|not of ndarray"):
                curve.set_ref(**wrong)


def a_curve_that_goes() -> None:
    """A curve that is destroyed while samples are on their way gives them up, and nothing happens afterwards."""
    with shown(WAVE) as (hub, client, plot, connection, ref):
        told: list[Any] = []
        curve: ArrayCurve | None = ArrayCurve(client, ref)
        assert curve is not None
        curve.failed.connect(told.append)
        curve.loaded.connect(lambda: told.append("loaded"))
        plot.addItem(curve)
        fetch = did(hub, next_fetch(connection))
        gone = weakref.ref(curve)
        plot.removeItem(curve)
        curve = None
        gc.collect()
        until(lambda: gone() is None and client.waiting == 0)
        did(hub, connection.send_array(fetch, part_of(WAVE, fetch)))
        kept = ArrayCurve(client, ref, rest=1)
        plot.addItem(kept)
        did(hub, serve(connection, WAVE))
        until(lambda: kept.is_loaded)
        plot.setXRange(1_000, 2_000, padding=0)
        plot.clear()  # the scene forgets it
        client.close()
        for _ in range(10):
            application().processEvents()
        assert told == []


def growth(rng: np.random.Generator, batches: int, size: int) -> list[dict[str, Any]]:
    """Make a session's segments."""
    arrays = [rng.normal(size=(2, size)) for _ in range(batches)]
    return [{"start": place * size, "left": left, "right": right} for place, (left, right) in enumerate(arrays)]


def told_of(segments: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "sampleRate": 100.0,
        "segments": [{**each, "left": ref_of(each["left"]), "right": ref_of(each["right"])} for each in segments],
    }


def a_growing_session() -> None:
    """Fetch each sample once, of all series together, through segments that are joined; draw what is seen, and follow."""
    segments = growth(np.random.default_rng(3), 40, 100)
    left = np.concatenate([each["left"] for each in segments])
    right = np.concatenate([each["right"] for each in segments])
    merged = {"start": 0, "left": left[:2_000], "right": right[:2_000]}
    fetched = {"left": 0, "right": 0}
    stages = [segments[:count] for count in range(1, 21)] + [[merged, *segments[20:count]] for count in range(21, 41)]

    async def script(connection: PeerConnection) -> None:
        value, ts = told_of(stages[0]), 5
        await connection.give("follow", value, ts)
        arrays = {
            ref_of(each[name]).digest: (name, each[name]) for stage in stages for each in stage for name in fetched
        }
        stage = 0
        while fetched["left"] + fetched["right"] < len(left) + len(right):
            fetch = await next_fetch(connection)
            if stage + 1 < len(stages):
                stage += 1
                ts += 1
                new = told_of(stages[stage])
                await connection.patch("follow", value, new, ts)
                value = new
            name, array = arrays[fetch.digest]
            part = part_of(array, fetch)
            fetched[name] += len(part)
            await connection.send_array(fetch, part)

    with connected(frame=1) as (hub, client):
        played = hub.play(script)
        samples = LiveSamples(client, "follow", {}, ["left", "right"])
        plot = pyqtgraph.PlotWidget()
        plot.resize(800, 300)
        plot.show()
        curves = [LiveCurve(samples, name) for name in samples.names]
        for curve in curves:
            plot.addItem(curve)
        follow = FollowMode(plot.getViewBox(), samples, window=5.0)
        ends: list[int] = []
        samples.grown.connect(lambda: ends.append(samples.end))
        draws = []
        curves[0].sigPlotChanged.connect(lambda *_: draws.append(len(curves[0].yData)))
        until(lambda: samples.end == 4_000)
        played.result(PATIENCE)
        assert fetched == {"left": 4_000, "right": 4_000}
        assert ends == sorted(ends)
        assert np.array_equal(samples.values("left", 0, 4_000), left)
        assert np.array_equal(samples.values("right", 1_990, 2_010), right[1_990:2_010])
        until(lambda: plot.getViewBox().viewRange()[0] == [35.0, 40.0])
        until(lambda: curves[1].xData[-1] == 39.99 and 500 < len(curves[1].yData) < 505)
        assert np.array_equal(curves[1].yData, right[-len(curves[1].yData) :])
        assert max(draws) < 700
        assert (follow.active, samples.seconds) == (True, 40.0)
        assert curves[0].dataBounds(0) == (0.0, 39.99)
        assert curves[0].dataBounds(1) == (left.min(), left.max())
        told: list[bool] = []
        follow.activeChanged.connect(told.append)
        plot.getViewBox().sigRangeChangedManually.emit([True, True])
        assert (follow.active, told) == (False, [False])
        plot.setXRange(1, 2, padding=0)
        until(lambda: curves[0].xData[0] < 2)
        follow.active = True
        assert plot.getViewBox().viewRange()[0] == [35.0, 40.0]


def samples_that_come_with_the_news() -> None:
    """Take samples that are in the query's value as they are, behind those that are fetched."""
    stored = growth(np.random.default_rng(6), 1, 50)
    newest = growth(np.random.default_rng(7), 4, 10)

    def told(count: int) -> dict[str, Any]:
        recent = [[each["left"].tolist(), each["right"].tolist()] for each in newest[:count]]
        return {**told_of(stored), "recent": recent}

    def stretches(value: Any) -> list[dict[str, Any]]:
        found = list(value["segments"])
        for number, (left, right) in enumerate(value["recent"]):
            found.append({"start": 50 + 10 * number, "left": np.array(left), "right": np.array(right)})
        return found

    async def script(connection: PeerConnection) -> None:
        await connection.give("follow", told(2), 5)
        for _ in range(2):
            await serve(connection, stored[0]["left"], stored[0]["right"])
        await asyncio.to_thread(seen.wait, PATIENCE)
        for count in (3, 4):
            await connection.patch("follow", told(count - 1), told(count), 3 + count)

    seen = threading.Event()
    with connected(frame=1) as (hub, client):
        played = hub.play(script)
        samples = LiveSamples(client, "follow", {}, ["left", "right"], segments=stretches)
        grown: list[int] = []
        samples.grown.connect(lambda: grown.append(samples.end))
        until(lambda: samples.end == 70)
        seen.set()
        until(lambda: samples.end == 90)
        played.result(PATIENCE)
        assert grown == sorted(grown)
        assert grown[-1] == 90
        whole = np.concatenate([each["right"] for each in (*stored, *newest)])
        assert np.array_equal(samples.values("right", 0, 90), whole)
        samples.close()


def a_session_that_is_none() -> None:
    """A query of something else, a failing one, and another session in its place are told or followed."""
    short = growth(np.random.default_rng(4), 1, 50)
    long = growth(np.random.default_rng(5), 3, 50)

    async def script(connection: PeerConnection) -> None:
        await connection.give("follow", {"segments": [{"start": 0, "left": 7}], "sampleRate": 10}, 5)
        await asyncio.to_thread(refused.wait, PATIENCE)
        await connection.give("follow", told_of(long), 6)
        for _ in range(6):
            await serve(connection, *[each[name] for each in long for name in ("left", "right")])
        await asyncio.to_thread(seen.wait, PATIENCE)
        await connection.patch("follow", told_of(long), told_of(short), 7)
        for _ in range(2):
            await serve(connection, *[each[name] for each in short for name in ("left", "right")])

    refused, seen = threading.Event(), threading.Event()
    with connected(frame=1) as (hub, client):
        played = hub.play(script)
        with pytest.raises(ValueError, match="series"):
            LiveSamples(client, "follow", {}, "left")
        samples = LiveSamples(client, "follow", {}, ["left", "right"])
        told: list[Any] = []
        samples.failed.connect(lambda error: told.append(str(error)))
        until(lambda: told)
        refused.set()
        until(lambda: samples.end == 150)
        assert len(told) == 1
        assert "does not tell of a growing session" in told[0]
        assert "(no_session)" in told[0]
        with pytest.raises(ValueError, match="no series 'middle'"):
            LiveCurve(samples, "middle")
        seen.set()
        until(lambda: samples.end == 50)
        played.result(PATIENCE)
        assert np.array_equal(samples.values("left", 0, 50), short[0]["left"])
        samples.close()


def pyqtgraph_of_another_binding() -> None:
    """Say what to do when pyqtgraph is missing, or draws with another binding."""
    other = "PyQt6" if BINDING == "PySide6" else "PySide6"
    check(BINDING)
    with pytest.raises(ImportError, match=f"PYQTGRAPH_QT_LIB={BINDING}"):
        check(other)
    assert pyqtgraph.Qt.QT_LIB == BINDING
