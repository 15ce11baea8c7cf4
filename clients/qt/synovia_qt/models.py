"""Item models that follow a live query: rows come, go and move, and are never reset while the arguments stay the same."""

from __future__ import annotations

import logging
import weakref
from collections.abc import Callable, Collection, Sequence
from operator import itemgetter
from typing import Any

from synovia_client import Change, FunctionError, ItemEdits, MutationCall, SynoviaError
from synovia_client.edits import compare, match_by_keys
from synovia_protocol.errors import WireValueError
from synovia_protocol.values import pack_raw
from synovia_qt.binding import Property, QtCore, Signal, is_heard
from synovia_qt.client import SynoviaClient
from synovia_qt.columns import Column, columns_of, misspelled
from synovia_qt.editing import row_replaced
from synovia_qt.row_steps import Insert, Move, Remove, Step, Update, keys_of, structure, updates

Qt = QtCore.Qt
logger = logging.getLogger("synovia_qt")
MOST_MOVES = 200
"""Beyond this many rows that move at once, one change of the layout is cheaper than as many moves."""
ROW_ROLE = int(Qt.ItemDataRole.UserRole)
"""The role of a whole row."""
_FIRST_ROLE = ROW_ROLE + 1
_NO_KEYS = (
    "rows of %s cannot be told apart: one has no key, or two have the same, so selections and editors may "
    "get to other rows; give the model a key= that each row has for itself"
)

MakeEdit = Callable[[Any, str, Any], "MutationCall[Any] | tuple[str, dict[str, Any]]"]
"""Called with row, field and the new value; gives the mutation, or its path and arguments."""


class LiveTableModel(QtCore.QAbstractTableModel):
    """A table whose rows are the items of a live query.

    Args:
        client: Where the query is asked.
        path, args: The query, which gives a list; or, with ``page_size``, takes ``cursor`` and ``limit`` and gives pages.
        columns: What is shown: fields, or ``Column``.
        key: What makes two rows the same row: a field, or a function of the row.
        edit: Makes the mutation for a cell that was edited; what is expected of it is shown at once.
        page_size: Read page by page, so many rows each; views ask for more (``fetchMore``).
        parent: The owner in Qt.

    Attributes:
        failed: Emitted with the error when the query fails, or gives no list; the rows stay as they are.
        editFailed: Emitted with the key of the row, the field and the error when an edit was refused, and is taken back.
        countChanged: Emitted when the number of rows is another.
        loadedChanged: Emitted when ``loaded`` is another: the first rows are there, or there are none.
    """

    failed = Signal(object)
    editFailed = Signal(object, str, object)
    countChanged = Signal()
    loadedChanged = Signal()

    def __init__(
        self,
        client: SynoviaClient,
        path: str,
        args: dict[str, Any] | None = None,
        columns: Collection[Column | str] = (),
        key: str | Callable[[Any], Any] = "_id",
        *,
        edit: MakeEdit | None = None,
        page_size: int | None = None,
        parent: QtCore.QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._client = client
        self._path = path
        self._columns = columns_of(columns)
        self._key = _key_of(key)
        self._by_id = key == "_id"
        self._edit = edit
        self._page_size = page_size
        self._rows: list[Any] = []
        self._error: SynoviaError | None = None
        self._loaded = self._looked = False
        self._roles = {_FIRST_ROLE + place: column.field for place, column in enumerate(self._columns)}
        self._subscribe({} if args is None else args)

    def _subscribe(self, args: dict[str, Any]) -> None:
        heard = weakref.WeakMethod(self._changed)  # a model that nobody holds must be able to go

        def on_change(change: Change[Any]) -> None:
            changed = heard()
            if changed is not None:
                changed(change)

        if self._page_size is None:
            handle = self._client.subscribe(self._path, args, None, None, on_change=on_change)
        else:
            handle = self._client.subscribe_pages(self._path, args, page_size=self._page_size, on_change=on_change)
        self._handle = handle
        self._args = args
        self._finalizer = weakref.finalize(self, handle.close)
        self.destroyed.connect(handle.close)

    def close(self) -> None:
        """Follow the query no longer; the rows stay."""
        self._finalizer()

    @property
    def args(self) -> dict[str, Any]:
        """The arguments of the query."""
        return self._args

    def set_args(self, args: dict[str, Any]) -> None:
        """Show the query with other arguments: the one occasion for a reset."""
        if args == self._args:
            return
        self.close()
        self.beginResetModel()
        self._rows = []
        self._error = None
        self._subscribe(args)
        self.endResetModel()
        self.countChanged.emit()
        self._set_loaded(False)

    @property
    def rows(self) -> Sequence[Any]:
        """The rows; do not change them."""
        return self._rows

    @property
    def error(self) -> SynoviaError | None:
        """Why the query failed; None if it did not."""
        return self._error

    @property
    def key(self) -> Callable[[Any], Any]:
        """Gives the key of a row."""
        return self._key

    # --- what views ask

    def rowCount(self, parent: Any = QtCore.QModelIndex()) -> int:  # noqa: B008 - as in Qt
        """Give how many rows there are."""
        return 0 if parent.isValid() else len(self._rows)

    def columnCount(self, parent: Any = QtCore.QModelIndex()) -> int:  # noqa: B008
        """Give how many columns there are."""
        return 0 if parent.isValid() else len(self._columns)

    def data(self, index: Any, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Give what a cell shows, its value to edit, its row (``ROW_ROLE``), or a field by its role."""
        if not index.isValid() or index.row() >= len(self._rows):
            return None
        row, column = self._rows[index.row()], self._columns[index.column()]
        if role == Qt.ItemDataRole.DisplayRole:
            return column.shown(row)
        if role == Qt.ItemDataRole.EditRole:
            return column.value_of(row)
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return column.align
        if role == ROW_ROLE:
            return row
        place = int(role) - _FIRST_ROLE
        return self._columns[place].value_of(row) if 0 <= place < len(self._columns) else None

    def roleNames(self) -> dict[int, Any]:
        """Give the roles by which QML finds the fields: each column's field, and ``row``."""
        names: dict[int, Any] = dict(super().roleNames())
        names[ROW_ROLE] = QtCore.QByteArray(b"row")
        return names | {role: QtCore.QByteArray(name.replace(".", "_").encode()) for role, name in self._roles.items()}

    def headerData(self, section: int, orientation: Any, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Give what stands above a column."""
        across = orientation == Qt.Orientation.Horizontal
        if across and role == Qt.ItemDataRole.DisplayRole and 0 <= section < len(self._columns):
            return self._columns[section].heading
        return None

    def flags(self, index: Any) -> Any:
        """Tell what can be done with a cell."""
        flags = super().flags(index)
        if index.isValid() and self._edit is not None and self._columns[index.column()].editable:
            flags |= Qt.ItemFlag.ItemIsEditable
        return flags

    # --- pages

    def canFetchMore(self, parent: Any) -> bool:
        """Tell whether there is another page to read."""
        return not parent.isValid() and getattr(self._handle, "status", None) == "CanLoadMore"

    def fetchMore(self, parent: Any) -> None:
        """Read another page."""
        load_more = getattr(self._handle, "load_more", None)
        if load_more is not None and not parent.isValid():
            load_more()

    # --- editing

    def setData(self, index: Any, value: Any, role: int = Qt.ItemDataRole.EditRole) -> bool:
        """Run the mutation for an edited cell; the value is shown at once, and taken back if the mutation is refused."""
        if role != Qt.ItemDataRole.EditRole or self._edit is None or not index.isValid():
            return False
        row, column = self._rows[index.row()], self._columns[index.column()]
        if not column.editable:
            return False
        made = self._edit(row, column.field, value)
        path, args = (made.path, made.args) if isinstance(made, MutationCall) else made
        wanted = self._key(row)
        expected = row_replaced(self._path, self._key, wanted, lambda before: column.changed(before, value))
        # what is shown must not go because the connection is away for longer than a call may take
        call = self._client.mutation(path, args, optimistic_update=expected, timeout=None)
        call.failed.connect(lambda error: self.editFailed.emit(wanted, column.field, error))
        self._expect(index.row(), column, value)
        return True

    def _expect(self, place: int, column: Column, value: Any) -> None:
        """Show an edited cell's value before the client tells of it: a view would paint the old one for a frame."""
        try:
            pack_raw(value)
        except WireValueError:  # which is refused before it is sent
            return
        self._rows[place] = column.changed(self._rows[place], value)
        self._tell(Update(place, place, frozenset({column.field.split(".")[0]})))

    # --- following the query

    def _changed(self, change: Change[Any]) -> None:
        self._error = change.error or _no_list(self._path, change.value)
        if self._error is not None:
            if not is_heard(self, self.failed):  # an empty list would look as if there was nothing
                logger.warning("the query of a model failed, and nothing is connected to its failed: %s", self._error)
            self.failed.emit(self._error)
            return
        rows = change.value or []
        self._look_at_first(rows)
        edits = self._edits_to(rows, change)
        if edits is not None:
            self._follow(rows, edits)
        self._set_loaded(True)

    def _set_loaded(self, loaded: bool) -> None:
        if loaded != self._loaded:
            self._loaded = loaded
            self.loadedChanged.emit()

    def _edits_to(self, rows: list[Any], change: Change[Any]) -> ItemEdits | None:
        before = self._rows
        if self._by_id and isinstance(change.edits, ItemEdits) and change.before == before:
            return change.edits
        old, new = keys_of(before, self._key), keys_of(rows, self._key)
        edits = compare(before, rows) if old is None or new is None else match_by_keys(before, rows, old, new)
        return edits if isinstance(edits, ItemEdits) else None

    def _look_at_first(self, rows: list[Any]) -> None:
        """Say once if the first rows have no keys by which they could be followed, or columns misspell fields."""
        if rows and not self._looked:
            self._looked = True
            if keys_of(rows, self._key) is None:
                logger.warning(_NO_KEYS, self._path)
            for field, meant in misspelled(self._columns, rows):
                logger.warning("no row of %s has %r, which a column shows: is %s meant?", self._path, field, meant)

    def _follow(self, rows: list[Any], edits: ItemEdits) -> None:
        count = len(self._rows)
        if len(edits.moved) > MOST_MOVES:
            self._lay_out(edits)
        else:
            for step in structure(edits):
                self._take(step)
        self._rows = list(rows)
        for update in updates(edits):
            self._tell(update)
        if len(rows) != count:
            self.countChanged.emit()

    def _take(self, step: Step) -> None:
        nowhere = QtCore.QModelIndex()
        rows = self._rows
        if isinstance(step, Remove):
            self.beginRemoveRows(nowhere, step.first, step.last)
            del rows[step.first : step.last + 1]
            self.endRemoveRows()
        elif isinstance(step, Move):
            self.beginMoveRows(nowhere, step.source, step.source, nowhere, step.before)
            rows.insert(step.before - (step.before > step.source), rows.pop(step.source))
            self.endMoveRows()
        else:
            self.beginInsertRows(nowhere, step.first, step.first + len(step.rows) - 1)
            rows[step.first : step.first] = step.rows
            self.endInsertRows()

    def _lay_out(self, edits: ItemEdits) -> None:
        """Follow many moves at once: what went and came as ever, the rest as one change of the layout."""
        steps = list(structure(edits))
        for step in steps:
            if isinstance(step, Remove):
                self._take(step)
        gone = set(edits.went)
        old = [source for source in range(edits.length) if source not in gone]
        new = [source for source in edits.sources if source >= 0]
        rows = dict(zip(old, self._rows, strict=True))
        places = {source: place for place, source in enumerate(new)}
        self.layoutAboutToBeChanged.emit()
        before = self.persistentIndexList()
        self._rows = [rows[source] for source in new]
        after = [self.index(places[old[index.row()]], index.column()) for index in before]
        self.changePersistentIndexList(before, after)
        self.layoutChanged.emit()
        for step in steps:
            if isinstance(step, Insert):
                self._take(step)

    def _tell(self, update: Update) -> None:
        touched = [place for place, column in enumerate(self._columns) if column.is_touched(update.names)]
        for first, last in self._column_runs(touched):
            top_left, bottom_right = self.index(update.first, first), self.index(update.last, last)
            self.dataChanged.emit(top_left, bottom_right, self._roles_of(touched))

    def _column_runs(self, touched: list[int]) -> list[tuple[int, int]]:
        runs: list[tuple[int, int]] = []
        for place in touched:
            if runs and runs[-1][1] == place - 1:
                runs[-1] = (runs[-1][0], place)
            else:
                runs.append((place, place))
        return runs

    def _roles_of(self, touched: list[int]) -> list[int]:
        shown = [int(Qt.ItemDataRole.DisplayRole), int(Qt.ItemDataRole.EditRole), ROW_ROLE]
        return shown + [_FIRST_ROLE + place for place in touched]

    def _get_count(self) -> int:
        return len(self._rows)

    def _get_loaded(self) -> bool:
        return self._loaded

    count: int = Property(int, _get_count, notify=countChanged)  # type: ignore[assignment]
    loaded: bool = Property(bool, _get_loaded, notify=loadedChanged)  # type: ignore[assignment]
    """Whether the query has answered: without rows, an empty list is told from one that is on its way."""


def _key_of(key: Any) -> Callable[[Any], Any]:
    if isinstance(key, str):
        return itemgetter(key)
    if not callable(key):
        raise TypeError(f"a key is the name of a field or a function of the row, not {type(key).__name__}")
    found: Callable[[Any], Any] = key
    return found


def _no_list(path: str, value: Any) -> SynoviaError | None:
    """Tell why a value is none that a model can show; nothing at all is an empty list."""
    if value is None or isinstance(value, list):
        return None
    paged = isinstance(value, dict) and isinstance(value.get("items"), list)
    more = "; a query that gives pages needs page_size=" if paged else ""
    return FunctionError("no_list", f"{path} gives no list of rows, but {type(value).__name__}{more}")


class LiveListModel(LiveTableModel):
    """A list whose rows are the items of a live query: one column, which shows the first field; QML finds all by roles."""

    def columnCount(self, parent: Any = QtCore.QModelIndex()) -> int:  # noqa: B008
        """Give 1."""
        return 0 if parent.isValid() else 1

    def _column_runs(self, touched: list[int]) -> list[tuple[int, int]]:
        return [(0, 0)] if touched else []

    def _roles_of(self, touched: list[int]) -> list[int]:
        shown = [int(Qt.ItemDataRole.DisplayRole), int(Qt.ItemDataRole.EditRole)] if 0 in touched else []
        return [*shown, ROW_ROLE, *(_FIRST_ROLE + place for place in touched)]
