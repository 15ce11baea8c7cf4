"""Scenes of the client; each is run in a process of its own under each binding."""

from __future__ import annotations

import asyncio
import importlib
import sys
import threading
from typing import Any

import numpy as np
import pytest

from client.peer import PeerConnection
from client.qt.stage import application, connected, give, until
from helpers.patience import PATIENCE
from synovia_client import ClientClosed, FunctionError
from synovia_protocol.errors import ErrorInfo
from synovia_protocol.messages import ModifyQuerySet, Mutation, MutationResponse
from synovia_qt import SynoviaClient
from synovia_qt.binding import QtCore, check


def signals_of_the_connection() -> None:
    """Tell states, trouble and whether it is online, on Qt's thread."""
    with connected() as (hub, client):
        told: list[Any] = []
        here = threading.current_thread()
        client.stateChanged.connect(lambda state: told.append((state, threading.current_thread() is here)))
        client.onlineChanged.connect(told.append)
        assert (client.state, client.online, client.signedIn, client.waiting) == ("connecting", False, False, 0)

        async def cut(connection: PeerConnection) -> None:
            await asyncio.to_thread(seen.wait, PATIENCE)
            connection.cut()

        seen = threading.Event()
        hub.play(cut)
        until(lambda: client.online)
        assert told == [("connected", True), True]
        seen.set()
        until(lambda: not client.online)
        until(lambda: client.trouble)
        assert told[2:] == [("reconnecting", True), False]


def calls() -> None:
    """Tell results, errors and progress by signals, in order, and count what waits."""

    async def script(connection: PeerConnection) -> None:
        await connection.expect_array()
        first = await connection.expect(Mutation)
        second = await connection.expect(Mutation)
        await connection.answer(first, "result", 1)
        no = ErrorInfo("forbidden", "no")
        await connection.send(connection.session.send(MutationResponse(second.request_id, None, error=no)))

    with connected() as (hub, client):
        hub.play(script)
        told: list[Any] = []
        good = client.mutation("good", {"samples": np.arange(8.0)})
        good.progress.connect(lambda moved, total: told.append((moved, total)))
        good.succeeded.connect(told.append)
        good.finished.connect(lambda: told.append("finished"))
        until(lambda: told)
        bad = client.mutation("bad")
        bad.failed.connect(lambda error: told.append(error.code))
        assert (client.waiting, good.done, good.result) == (2, False, None)
        until(lambda: client.waiting == 0)
        assert told == [(64, 64), "result", "finished", "forbidden"]
        assert (good.result, good.error, type(bad.error)) == ("result", None, FunctionError)
        given_up = client.mutation("slow")
        given_up.finished.connect(lambda: told.append("given up"))
        given_up.cancel()
        good.cancel()
        assert (given_up.done, given_up.cancelled, given_up.error, good.cancelled) == (True, True, None, False)
        until(lambda: client.waiting == 0)
        assert told[4:] == []


async def awaiting() -> None:
    """Await calls of a client that is made inside a running loop."""

    async def script(connection: PeerConnection) -> None:
        await give(connection, 5, list=[1, 2])
        await connection.expect(ModifyQuerySet)
        await connection.answer(await connection.expect(Mutation), "done", 6)

    with connected() as (hub, client):
        hub.play(script)
        assert await client.query("list") == [1, 2]
        assert await client.mutation("m") == "done"
        given_up = client.mutation("slow")
        given_up.cancel()
        with pytest.raises(asyncio.CancelledError):
            await given_up


def made_inside_an_event_loop_of_qt() -> None:
    """Work, and be awaited, where qasync runs asyncio on Qt's loop."""
    import qasync

    loop = qasync.QEventLoop(application())
    if sys.version_info < (3, 12):  # since then qasync hands its loop to whoever runs it, and knows no policy
        asyncio.set_event_loop_policy(qasync.DefaultQEventLoopPolicy())
    with loop:
        loop.run_until_complete(awaiting())


def made_inside_qtasyncio() -> None:
    """The same where PySide6's own QtAsyncio does."""
    application()
    qt_asyncio: Any = importlib.import_module("PySide6.QtAsyncio")
    qt_asyncio.run(awaiting(), keep_running=False, handle_sigint=False)


def nothing_after_the_end() -> None:
    """Emit nothing once the client is closed or destroyed, whatever is on its way."""

    async def script(connection: PeerConnection) -> None:
        await give(connection, 5, list=[1])
        await connection.answer(await connection.expect(Mutation), None, 6)

    with connected() as (hub, client):
        played = hub.play(script)
        told: list[Any] = []
        client.subscribe("list", {}, told.append)
        client.transitioned.connect(told.append)
        call = client.mutation("m")
        call.succeeded.connect(told.append)
        call.failed.connect(told.append)
        played.result(PATIENCE)
        client.close()
        client.close()
        application().processEvents()
        assert told == []
        try:
            client.mutation("m")
        except ClientClosed:
            pass
        else:
            raise AssertionError("a closed client took a call")
        owner = QtCore.QObject()
        SynoviaClient(hub.url, parent=owner, proxy=None)
        owner.deleteLater()
        until(lambda: not any(thread.name == "synovia-client" for thread in threading.enumerate()))


def a_receiver_that_is_gone() -> None:
    """Tell nobody who was destroyed."""

    class Receiver(QtCore.QObject):
        def take(self, result: Any) -> None:
            told.append(result)

    async def script(connection: PeerConnection) -> None:
        await connection.answer(await connection.expect(Mutation), "result", 1)

    told: list[Any] = []
    with connected() as (hub, client):
        receiver: Receiver | None = Receiver()
        call = client.mutation("m")
        assert receiver is not None
        call.succeeded.connect(receiver.take)
        gone: list[bool] = []
        receiver.destroyed.connect(lambda: gone.append(True))
        receiver.deleteLater()
        until(lambda: gone)
        hub.play(script)
        until(lambda: call.done)
        assert told == []


def a_version_that_is_known_to_break_is_refused_with_the_reason() -> None:
    with pytest.raises(ImportError, match=r"6\.12\.0 loses references"):
        check("PySide6", "6.12.0", (3, 11))
    check("PySide6", "6.12.0", (3, 12))
    check("PySide6", "6.11.3", (3, 11))


def without_pyqtgraph() -> None:
    """What draws no curves works without pyqtgraph; curves say what to install."""
    for name in [name for name in sys.modules if name.partition(".")[0] in ("pyqtgraph", "synovia_qt")]:
        del sys.modules[name]  # whoever plays the scenes has imported them already
    sys.modules["pyqtgraph"] = None  # type: ignore[assignment]
    import synovia_qt

    with pytest.raises(ImportError, match=r"pip install 'synovia-qt\[plot\]'"):
        _ = synovia_qt.ArrayCurve
    with pytest.raises(AttributeError, match="no attribute 'NoCurve'"):
        _ = synovia_qt.NoCurve
