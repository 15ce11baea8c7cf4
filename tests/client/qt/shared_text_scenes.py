"""Scenes of a text field in which two people write, on a real hub that goes and comes back."""

from __future__ import annotations

import asyncio
import importlib
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pycrdt import Text

from client.qt.stage import QtWidgets, application, until
from helpers.http_server import APPS
from synovia_client import Backoff, BlockingClient
from synovia_qt import SharedText, SynoviaClient
from synovia_qt.binding import BINDING, QtCore
from torture.processes import HubProcess

if TYPE_CHECKING:
    from PySide6 import QtGui, QtTest
else:
    QtGui: Any = importlib.import_module(f"{BINDING}.QtGui")
    QtTest: Any = importlib.import_module(f"{BINDING}.QtTest")

PATHS = "together:text", "together:write_text"


class Development(HubProcess):
    """A hub that takes the tokens of development."""

    def _command(self) -> tuple[str, list[str]]:
        module, (_, *arguments) = super()._command()
        return module, ["dev", *arguments, "--no-reload"]


class Writer:
    """Somebody with a window in which there is the text of a plan."""

    def __init__(self, url: str, name: str, plan: str) -> None:
        self.client = SynoviaClient(
            url, token=f"dev:{name}@example.org", proxy=None, frame=1, backoff=Backoff(0.05, 0.2)
        )
        self.field = QtWidgets.QPlainTextEdit()
        self.field.show()
        self.shared = SharedText(self.client, self.field, *PATHS, {"id": plan})
        until(lambda: self.shared.synced)

    def type(self, letters: str) -> None:
        QtTest.QTest.keyClicks(self.field, letters)

    def press(self, key: Any) -> None:
        QtTest.QTest.keySequence(self.field, QtGui.QKeySequence(key))

    def go(self, place: int, anchor: int | None = None) -> None:
        caret = self.field.textCursor()
        caret.setPosition(place if anchor is None else anchor)
        caret.setPosition(place, QtGui.QTextCursor.MoveMode.KeepAnchor)
        self.field.setTextCursor(caret)

    def at(self) -> tuple[int, int]:
        caret = self.field.textCursor()
        return caret.anchor(), caret.position()

    def reads(self) -> str:
        return str(self.field.toPlainText())


def two_who_write() -> None:
    """Carets stay, each undoes what is their own, and what both type while the hub is away is merged."""
    application()
    with tempfile.TemporaryDirectory(prefix="synovia-qt-") as folder:
        hub = Development(f"sqlite:///{folder}/data.db", Path(folder) / "hub.log", application=APPS / "together.py")
        try:
            asyncio.run(hub.start())
            with BlockingClient(hub.url, token="dev:ann@example.org", proxy=None) as ann:
                plan = ann.mutation("together:add", {"title": "a", "writers": ["bob"]})
            one, other = (Writer(hub.url, name, plan) for name in ("ann", "bob"))
            _write(one, other)
            _undo(one, other)
            _write_alone(hub, one, other)
            _write_by_program(one, other, plan)
            for each in (one, other):
                each.shared.close()
                each.shared.close()
                each.field.deleteLater()
                application().processEvents()
                each.client.close()
        finally:
            hub.kill()


def _both_read(one: Writer, other: Writer, text: str) -> None:
    until(lambda: one.reads() == other.reads() == text)
    until(lambda: one.shared.saved and other.shared.saved)
    assert (one.shared.error, other.shared.error) == (None, None)


def _write(one: Writer, other: Writer) -> None:
    one.type("first line")
    one.press(QtCore.Qt.Key.Key_Return)
    one.field.insertPlainText("\U0001f600 second")
    _both_read(one, other, "first line\n\U0001f600 second")
    other.go(16, 14)  # Qt counts the smile twice
    one.go(0)
    one.type("the ")
    _both_read(one, other, "the first line\n\U0001f600 second")
    assert other.at() == (18, 20)
    one.go(4, 10)
    one.press(QtCore.Qt.Key.Key_Delete)
    _both_read(one, other, "the line\n\U0001f600 second")
    assert (other.at(), other.field.textCursor().selectedText()) == ((12, 14), "se")


def _undo(one: Writer, other: Writer) -> None:
    one.field.selectAll()
    one.field.insertPlainText("mine")
    _both_read(one, other, "mine")
    other.go(4)
    other.type(" theirs")
    _both_read(one, other, "mine theirs")
    one.press(QtGui.QKeySequence.StandardKey.Undo)
    until(lambda: one.reads() == other.reads() and one.reads().endswith(" theirs"))
    assert "mine" not in one.reads()
    one.press(QtGui.QKeySequence.StandardKey.Redo)
    _both_read(one, other, "mine theirs")


def _write_alone(hub: HubProcess, one: Writer, other: Writer) -> None:
    hub.kill()
    until(lambda: not one.client.online and not other.client.online)
    one.go(0)
    one.type("ann: ")
    other.go(11)
    other.type(", bob")
    assert (one.reads(), other.reads()) == ("ann: mine theirs", "mine theirs, bob")
    assert not one.shared.saved
    asyncio.run(hub.start())
    _both_read(one, other, "ann: mine theirs, bob")


def _write_by_program(one: Writer, other: Writer, plan: str) -> None:
    """Ends of lines of another system are shown, and what is typed behind them is where it shall be."""
    handle = one.client.blocking.shared_doc(*PATHS, {"id": plan})
    until(lambda: handle.synced)
    with handle.edit() as doc:
        text = doc.get("text", type=Text)
        text.insert(0, "\r\n\U0001f600")
    _both_read(one, other, "\u240d\n\U0001f600ann: mine theirs, bob")
    other.go(4)
    other.type("x")

    def programs() -> str:
        with handle.edit():
            return str(text)

    until(lambda: programs() == "\r\n\U0001f600xann: mine theirs, bob")
    handle.close()
