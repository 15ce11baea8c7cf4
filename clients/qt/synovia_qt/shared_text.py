"""A plain text field that several people write in at once: a text of a shared document, with one's own caret and undo."""

from __future__ import annotations

import importlib
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Final

from synovia_client import SynoviaError
from synovia_client.shared_docs import new_doc
from synovia_qt.binding import BINDING, QtCore, Signal
from synovia_qt.client import SynoviaClient

if TYPE_CHECKING:
    from PySide6 import QtGui, QtWidgets
else:
    QtGui: Any = importlib.import_module(f"{BINDING}.QtGui")
    QtWidgets: Any = importlib.import_module(f"{BINDING}.QtWidgets")

_OWN: Final = "typed here"
_OTHERS: Final = "by others"
_NOTHING: Final = b"\0\0"

_RETURN: Final = "\u240d"
"""What is shown in place of a carriage return, which Qt would make one line's end of with what follows it."""

Step = tuple[int, int, str]
"""Where, in UTF-16 units, so many of them become a text."""


class SharedText(QtCore.QObject):
    """Keeps a ``QPlainTextEdit`` and a text of a shared document the same, until ``close()`` or the end of the field.

    What is typed is sent, also after a time without connection; what others type appears while the caret stays where it is.
    Ctrl+Z takes back what was typed here, and nothing of others. Use it on Qt's thread.

    The field shows a copy of the document that only Qt's thread touches, so places in the field are always places in that
    copy; what it and the document of the client lack of each other, Yjs finds out.

    Args:
        client: Whose connection it is about.
        field: Shows the text; whatever is in it is replaced.
        query, mutation, args: As for ``synovia_client.Client.shared_doc``.
        root: The name of the text in the document.

    Attributes:
        changed: Emitted when ``synced``, ``saved`` or ``error`` may be another.
    """

    changed = Signal()

    def __init__(
        self,
        client: SynoviaClient,
        field: Any,
        query: str,
        mutation: str,
        args: dict[str, Any] | None = None,
        *,
        root: str = "text",
    ) -> None:
        super().__init__(field)
        self._doc = new_doc()
        from pycrdt import Text, UndoManager

        self._field = field
        self._text = self._doc.get(root, type=Text)
        self._content = ""  # the text as the field shows it
        self._is_showing = self._is_closed = False
        self._deltas: list[Any] = []
        self._updates: list[bytes] = []
        self._observed = (self._doc.observe(self._note), self._text.observe(self._took))
        self._undoing = UndoManager(scopes=[self._text])
        self._undoing.include_origin(_OWN)
        field.setUndoRedoEnabled(False)
        field.setPlainText("")
        field.installEventFilter(self)
        self._document = field.document()
        self._document.contentsChange.connect(self._typed)
        self._handle = client.blocking.shared_doc(query, mutation, args, lambda _: self._told())
        handle = self._handle
        self.destroyed.connect(lambda: handle.close())

    @property
    def synced(self) -> bool:
        """Whether the text was what the server has when that was last told, but for changes on their way."""
        return self._handle.synced

    @property
    def saved(self) -> bool:
        """Whether everything that was typed here is kept by the server."""
        return self._handle.saved

    @property
    def error(self) -> SynoviaError | None:
        """Why the text cannot be read or changed; None if it can."""
        return self._handle.error

    def close(self) -> None:
        """Leave the field as it is, and tell nobody any more what is typed in it; may be called twice."""
        if self._is_closed:
            return
        self._is_closed = True
        for observed, subscription in zip((self._doc, self._text), self._observed, strict=True):
            observed.unobserve(subscription)
        self._document.contentsChange.disconnect(self._typed)
        self._field.removeEventFilter(self)
        self._handle.close()

    # --- what is typed here

    def _typed(self, at: int, removed: int, added: int) -> None:
        """Take what has changed in the field; Qt says of it where, and now and then a little more than has changed."""
        if self._is_showing:
            return
        shown = str(self._document.toRawText()).replace("\u2029", "\n").replace("\u2028", "\n")
        before = self._content.replace("\r", _RETURN)
        start, end, new = _edit(before, shown, at, removed, added)
        first, last = (len(self._content[:place].encode()) for place in (start, end))
        self._content = self._content[:start] + new + self._content[end:]
        with self._doc.transaction(origin=_OWN):
            if last > first:
                del self._text[first:last]
            if new:
                self._text.insert(first, new)
        self._deltas.clear()
        self._send()

    def _note(self, event: Any) -> None:
        if event.update != _NOTHING:
            self._updates.append(bytes(event.update))

    def _send(self) -> None:
        """Let the client have what has been done to the copy."""
        updates, self._updates = self._updates, []
        with self._handle.edit() as doc:
            for update in updates:
                doc.apply_update(update)

    def eventFilter(self, watched: Any, event: Any) -> bool:
        """Undo and do again what was typed here, in place of the field; called by Qt."""
        kinds = QtCore.QEvent.Type
        if event.type() not in (kinds.KeyPress, kinds.ShortcutOverride):
            return False
        keys = QtGui.QKeySequence.StandardKey
        undoes, redoes = event.matches(keys.Undo), event.matches(keys.Redo)
        if (undoes or redoes) and event.type() == kinds.ShortcutOverride:
            event.accept()
        elif undoes or redoes:
            self._undoing.undo() if undoes else self._undoing.redo()
            self._show()
            self._send()
        return bool(undoes or redoes)

    # --- what others type

    def _told(self) -> None:
        with self._handle.edit() as doc:
            update = doc.get_update(self._doc.get_state())
        if update != _NOTHING:
            with self._doc.transaction(origin=_OTHERS):
                self._doc.apply_update(update)
            self._updates.clear()
            self._show()
        self.changed.emit()

    def _took(self, event: Any) -> None:
        self._deltas.append(event.delta)

    def _show(self) -> None:
        """Do in the field what has been done in the text, and leave the caret between the letters where it was."""
        deltas, self._deltas = self._deltas, []
        if not deltas:
            return
        caret, bar = self._field.textCursor(), self._field.verticalScrollBar()
        anchor, place, scrolled = caret.anchor(), caret.position(), bar.value()
        writer = QtGui.QTextCursor(self._document)
        self._is_showing = True
        writer.beginEditBlock()
        for delta in deltas:
            steps, self._content = _steps(self._content, delta)
            for at, removed, added in steps:
                writer.setPosition(at)
                writer.setPosition(at + removed, QtGui.QTextCursor.MoveMode.KeepAnchor)
                writer.insertText(added.replace("\r", _RETURN))
                anchor, place = (_moved(each, at, removed, _units(added)) for each in (anchor, place))
        writer.endEditBlock()
        self._is_showing = False
        caret.setPosition(anchor)
        caret.setPosition(place, QtGui.QTextCursor.MoveMode.KeepAnchor)
        self._field.setTextCursor(caret)
        bar.setValue(scrolled)


def _units(text: str) -> int:
    """Tell how long a text is as Qt counts."""
    return len(text) + sum(1 for letter in text if letter > "\uffff") if not text.isascii() else len(text)


def _place(text: str, units: int) -> int:
    """Tell how many letters of a text are before a place of Qt's."""
    return units if text.isascii() else len(text.encode("utf-16-le")[: 2 * units].decode("utf-16-le", "ignore"))


def _edit(before: str, after: str, at: int, removed: int, added: int) -> tuple[int, int, str]:
    """Give from where to where a text has been replaced, and by what, as Qt says if that is so, and else by comparing."""
    start = _place(before, at)
    end, stop = _place(before, at + removed), _place(after, at + added)
    if before[:start] != after[:start] or before[end:] != after[stop:]:
        most = min(len(before), len(after))
        start = next((place for place in range(most) if before[place] != after[place]), most)
        same = next((n for n in range(most - start) if before[-1 - n] != after[-1 - n]), most - start)
        end, stop = len(before) - same, len(after) - same
    return start, end, after[start:stop]


def _steps(content: str, delta: Iterable[dict[str, Any]]) -> tuple[list[Step], str]:
    """Give what a change of the text, which counts bytes, does in the field, step by step, and the text then."""
    data, at, steps = content.encode(), 0, list[Step]()
    for each in delta:
        if "retain" in each:
            at += each["retain"]
            continue
        length, added = each.get("delete", 0), each.get("insert", "")
        steps.append((_units(data[:at].decode()), _units(data[at : at + length].decode()), added))
        data = data[:at] + added.encode() + data[at + length :]
        at += len(added.encode())
    return steps, data.decode()


def _moved(place: int, at: int, removed: int, added: int) -> int:
    """Tell where a place of the field is once something before it, or around it, has changed."""
    return place if at >= place else max(at, place - removed) + added
