"""The recordings of a place: a live list, and what of it is shown in which order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import QModelIndex, QObject, QPersistentModelIndex, QSortFilterProxyModel, Signal

from motion.desktop.models.filter import ORDERS, Filter
from motion.desktop.models.people import People
from motion.desktop.words.naming import Row
from motion.desktop.words.times import day_heading, from_now, now_ms
from synovia_qt import ROW_ROLE, Column, LiveListModel, SynoviaClient

Index = QModelIndex | QPersistentModelIndex
PAGE_SIZE = 50
MOST = 200
NEAR_ENOUGH = 30


@dataclass(frozen=True)
class Place:
    """Where recordings are listed.

    Attributes:
        path: The query that lists them.
        is_paged: Whether that gives pages.
    """

    path: str
    is_paged: bool = False


PLACES = {
    "recordings": Place("recordings:page_mine", is_paged=True),
    "of-me": Place("recordings:list_of_me"),
    "shared": Place("recordings:list_shared"),
    "archive": Place("recordings:list_archived"),
}


def source_of(client: SynoviaClient, place: str, parent: QObject) -> LiveListModel:
    """Make the live list of a place; its notes can be edited, by which a recording goes in lists."""
    where = PLACES[place]
    columns = [Column("notes", "Recording", editable=True)]
    paged: dict[str, Any] = {"page_size": PAGE_SIZE} if where.is_paged else {}
    args = {} if where.is_paged else {"limit": MOST}
    return LiveListModel(client, where.path, args, columns, edit=_renamed, parent=parent, **paged)


def _renamed(row: Row, field: str, value: str) -> tuple[str, dict[str, Any]]:
    return "recordings:rename", {"recordingId": row["_id"], field: value}


class ShownRecordings(QSortFilterProxyModel):
    """What of a live list is shown: filtered, and in another order than the server's if one is chosen.

    Attributes:
        shownChanged: Emitted when other rows may be shown, or under other headings.
    """

    shownChanged = Signal()

    def __init__(self, source: LiveListModel, people: People, place: str, parent: QObject) -> None:
        super().__init__(parent)
        self.live = source
        self.people = people
        self.place = place
        self.filter = Filter()
        self.order = "newest"
        self.setSourceModel(source)
        people.changed.connect(self._people_changed)
        for signal in (self.rowsInserted, self.rowsRemoved, self.rowsMoved, self.dataChanged, self.layoutChanged):
            signal.connect(lambda *_: self.shownChanged.emit())
        self.modelReset.connect(self.shownChanged)
        source.countChanged.connect(self._read_on)

    def set_filter(self, wanted: Filter) -> None:
        """Show what is looked for."""
        if wanted != self.filter:
            self.beginFilterChange()
            self.filter = wanted
            self.endFilterChange()
            self._read_on()
            self.shownChanged.emit()

    def set_order(self, order: str) -> None:
        """Show the recordings in another order."""
        self.order = order
        self.invalidate()
        self.sort(-1 if ORDERS[order][1] is None else 0)
        self.shownChanged.emit()

    def row(self, index: Index) -> Row:
        """Give the recording at a place of the list."""
        row: Row = index.data(ROW_ROLE)
        return row

    def heading(self, index: Index) -> str | None:
        """Give what stands above a recording: its day, if the one before is of another."""
        if self.order not in ("newest", "oldest"):
            return None
        now, above = now_ms(), self.index(index.row() - 1, 0)
        here = self._day(self.row(index), now)
        return None if above.isValid() and self._day(self.row(above), now) == here else here

    def day_of(self, index: Index) -> str | None:
        """Give the heading under which a recording stands."""
        return self._day(self.row(index), now_ms()) if self.order in ("newest", "oldest") else None

    def find(self, recording_id: str | None) -> QModelIndex:
        """Find where a recording is shown; an invalid index if it is not."""
        for place in range(self.rowCount()):
            index = self.index(place, 0)
            if self.row(index)["_id"] == recording_id:
                return index
        return QModelIndex()

    def _day(self, recording: Row, now: int) -> str:
        if self.place == "archive":
            return f"Archived {from_now(recording.get('archivedAt') or now, now)}"
        return day_heading(recording["startTime"], now)

    def _people_changed(self) -> None:
        self.invalidate()
        self.shownChanged.emit()

    def _read_on(self) -> None:
        """Read another page while little of what is looked for has been found: it may be further down."""
        nowhere = QModelIndex()
        seeks = not self.filter.is_empty and self.rowCount() < NEAR_ENOUGH
        if (seeks or self.order != "newest") and self.live.canFetchMore(nowhere):
            self.live.fetchMore(nowhere)

    def filterAcceptsRow(self, row: int, parent: Index) -> bool:
        """Tell whether a row of the live list is shown."""
        return self.filter.keeps(self.live.rows[row], self.people)

    def lessThan(self, left: Index, right: Index) -> bool:
        """Compare two rows of the live list."""
        key = ORDERS[self.order][1]
        if key is None:
            return left.row() < right.row()
        rows = self.live.rows
        return bool(key(rows[left.row()], self.people) < key(rows[right.row()], self.people))
