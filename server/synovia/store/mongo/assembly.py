"""Putting the events of a change stream together to whole commits, without I/O.

All events of one transaction carry the same cluster time and follow one another; nothing in them says which is the last.
A group of events is known to be whole

- when its fence event has told how many events there are, and they are here (Synovia's own commits: at once),
- when its event belongs to no transaction (before MongoDB 8.0, which may log an insertMany as one entry),
- when an event with a later cluster time follows,
- or when the stream reports that it has nothing more (an empty batch): the server unpacks an entry of its log in one go and
  reports an end only between two entries. This closes another program's transaction within about a millisecond, which a
  write of our own, made to push the stream on, could not beat.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from synovia.keys import encode_value
from synovia.schema.specs import Document
from synovia.store.base import Commit, Ts, Write
from synovia.store.mongo.catalog import FENCE, FENCE_ID, Catalog
from synovia.store.mongo.times import ts_of

_WRITES: Final = frozenset({"insert", "update", "replace", "delete"})
_AROUND: Final = 400
"""About so many bytes of an event stand around its documents."""
_LOSSES: Final = frozenset({"drop", "rename", "dropDatabase", "invalidate"})


class PositionLost(Exception):
    """What was read so far does not lead on: a collection has gone, or the stream contradicts itself."""


class Unknown:
    """A document image that the database did not keep."""

    def __repr__(self) -> str:
        return "UNKNOWN"


UNKNOWN: Final = Unknown()
Image = Document | None | Unknown


@dataclass(slots=True)
class Change:
    """What a group of events did to one document, as far as they tell."""

    table: str
    id: Any
    before: Image
    after: Image


@dataclass(slots=True)
class Group:
    """The events with one cluster time."""

    ts: Ts
    changes: dict[tuple[str, bytes], Change] = field(default_factory=dict)
    fence: int | None = None
    clock: int = 0
    token: bytes = b""
    expected: int | None = None
    events: int = 0
    size: int = 0

    @property
    def unknown(self) -> list[Change]:
        return [each for each in self.changes.values() if each.before is UNKNOWN or each.after is UNKNOWN]

    @property
    def is_whole(self) -> bool:
        """Tell whether every image is there."""
        return all(each.before is not UNKNOWN and each.after is not UNKNOWN for each in self.changes.values())

    @property
    def is_empty(self) -> bool:
        """Tell whether nothing in it concerns the store's tables."""
        return not self.changes and self.fence is None

    def commit(self) -> Commit:
        """Give the commit; none of its images may be unknown any more."""
        return Commit(self.ts, tuple(_writes(self.changes.values())), self.fence, self.clock, self.token, self.size)


def _writes(changes: Iterable[Change]) -> Iterable[Write]:
    for each in changes:
        if isinstance(each.before, Unknown) or isinstance(each.after, Unknown):
            raise ValueError("an image is still unknown")
        if each.before is not None or each.after is not None:  # else inserted and deleted in one transaction
            yield Write(each.table, each.id, each.before, each.after)


class Assembler:
    """Collects events into groups.

    Args:
        position: Everything up to this ts has been given already.
        single_events: An event outside a transaction is whole by itself.
    """

    def __init__(self, catalog: Catalog, position: Ts, *, single_events: bool = True) -> None:
        self._catalog = catalog
        self._single_events = single_events
        self._open: Group | None = None
        self.position = position
        """Everything up to this ts has been given."""

    @property
    def is_open(self) -> bool:
        """Tell whether a group waits for more events, or for the word that there are none."""
        return self._open is not None

    def add(self, event: Mapping[str, Any], size: int = 0) -> list[Group]:
        """Take one event of so many bytes; give the groups that are whole now.

        Raises:
            PositionLost: A table has been dropped or renamed, or the event is older than what was given.
        """
        ts = ts_of(event["clusterTime"])
        closed = self.close() if self._open is not None and self._open.ts != ts else []
        if ts <= self.position:
            raise PositionLost("the change stream went back in time")
        group = self._open = self._open or Group(ts)
        group.events += 1
        group.size += max(0, size - _AROUND)
        self._take(group, event)
        alone = "txnNumber" not in event and self._single_events
        return closed + self.close() if alone or group.events == group.expected else closed

    def close(self) -> list[Group]:
        """Close the open group, because nothing more of it can come."""
        if self._open is None:
            return []
        group, self._open = self._open, None
        self.position = group.ts
        return [group]

    def reach(self, ts: Ts) -> list[Group]:
        """Take notice that everything up to ``ts`` has been seen; give the group that is whole thereby."""
        closed = self.close() if self._open is not None and self._open.ts <= ts else []
        if self._open is None:
            self.position = max(self.position, ts)
        return closed

    def _take(self, group: Group, event: Mapping[str, Any]) -> None:
        kind, table = event["operationType"], event.get("ns", {}).get("coll")
        if kind in _LOSSES:
            self._check_loss(kind, [table, event.get("to", {}).get("coll")])
        elif kind not in _WRITES:
            return
        elif table == FENCE:
            _take_fence(group, event)
        elif self._catalog.has(table):
            _merge(group, _change(table, kind, event))

    def _check_loss(self, kind: str, names: Iterable[str | None]) -> None:
        hit = [name for name in names if name is not None and (name == FENCE or self._catalog.has(name))]
        if kind in ("invalidate", "dropDatabase"):
            raise PositionLost("the database was dropped")
        if hit:
            raise PositionLost(f"the collection {hit[0]!r} was dropped or renamed")


def _take_fence(group: Group, event: Mapping[str, Any]) -> None:
    if event["documentKey"]["_id"] != FENCE_ID:
        return
    if event["operationType"] == "delete":
        raise PositionLost("the fence was deleted")
    state = event.get("updateDescription", {}).get("updatedFields") or event.get("fullDocument") or {}
    if "n" in state:
        group.fence = int(state["n"])
    if isinstance(state.get("clock"), int):
        group.clock = state["clock"]
    if isinstance(state.get("token"), bytes):
        group.token = state["token"]
    if isinstance(state.get("events"), int) and "txnNumber" in event:
        group.expected = state["events"]


def _change(table: str, kind: str, event: Mapping[str, Any]) -> Change:
    before: Image = None if kind == "insert" else event.get("fullDocumentBeforeChange") or UNKNOWN
    after: Image = None if kind == "delete" else event.get("fullDocument") or UNKNOWN
    return Change(table, event["documentKey"]["_id"], before, after)


def _merge(group: Group, change: Change) -> None:
    """Add a change; of several to one document only the first's before and the last's after count."""
    key = change.table, encode_value(change.id)
    if (first := group.changes.get(key)) is not None:
        first.after = change.after
    else:
        group.changes[key] = change
