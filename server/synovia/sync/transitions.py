"""Transitions, encoded once for all the connections that are told the same."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from synovia.sync.ports import Ts, Version
from synovia.sync.subscription import Subscription
from synovia_protocol.codec import encode_transition

_Told = tuple[tuple[int, int, int], ...]
_Key = tuple[Ts, Ts, int, _Told]


_ENTRY_BYTES = 500  # what an entry costs beside its frame, roughly


class Untellable(Exception):
    """What leads a client from the version it holds to the one it should get is not kept any more."""


class Change(NamedTuple):
    """One query of a transition, and the version the client will hold after it."""

    query: Subscription
    version: Version


class Step(NamedTuple):
    """What a client of a single query was told last: hundreds who stand where it stood are told the very same.

    Attributes:
        old: The version that it held,
        new: and the one that it holds now: the result at ``to_ts``, which was the head.
        query_id, from_ts, to_ts, number: Of the transition.
        frame: The transition, encoded.
    """

    old: Version
    new: Version
    query_id: int
    from_ts: Ts
    to_ts: Ts
    number: int
    frame: bytes


class TransitionCache:
    """The last few encoded transitions, by what they lead from and to.

    Keys hold the addresses of versions; entries keep the versions, so that no other object can have them meanwhile. What
    these keep counts too: nobody else may keep them any more.

    Args:
        max_bytes: What is kept, and the newest entry; beyond it everything else is dropped, as what is encoded again costs
            little.

    Attributes:
        size: What is kept, roughly, in bytes.
        hits: How often updates were found that had been packed before.
        misses: How often they had to be packed.
        told: How many transitions clients were told.
        last: The last of a client of a single query.
    """

    def __init__(self, max_bytes: int = 16 * 1024 * 1024) -> None:
        self.hits = 0
        self.misses = 0
        self.told = 0
        self._max_bytes = max_bytes
        self.size = 0
        self.last: Step | None = None
        self._frames: dict[_Key, bytes] = {}
        self._updates: dict[tuple[_Told, bool], tuple[list[bytes], list[Version | None]]] = {}

    def encode(self, from_ts: Ts, to_ts: Ts, changes: Sequence[Change], number: int) -> bytes:
        """Encode the transition ``number`` of a connection.

        Raises:
            Untellable: One of the changes cannot be told.
        """
        told, whole = _told(changes), from_ts == to_ts and any(each.query.version is not None for each in changes)
        if told is None:
            return encode_transition(from_ts, to_ts, _packed(changes, whole=whole), number)
        key = (from_ts, to_ts, number, told)
        frame = self._frames.get(key)
        if frame is None:
            self._trim()
            frame = encode_transition(from_ts, to_ts, self._shared(told, changes, whole=whole), number)
            self._frames[key] = frame
            self.size += len(frame) + _ENTRY_BYTES
        return frame

    def remember(self, step: Step) -> None:
        """Keep what a client of a single query has been told, for those who stand where it stood."""
        self.last = step

    def _shared(self, told: _Told, changes: Sequence[Change], *, whole: bool) -> list[bytes]:
        known = self._updates.get((told, whole))
        if known is not None:
            self.hits += 1
            return known[0]
        updates = _packed(changes, whole=whole)
        self.misses += 1
        versions = [version for c in changes for version in (c.query.version, c.version)]
        self._updates[told, whole] = updates, versions
        self.size += sum(map(len, updates)) + sum(each.size for each in versions if each is not None) + _ENTRY_BYTES
        return updates

    def _trim(self) -> None:
        # Both at once: a frame without the entry that keeps its versions would be given to whoever is told of another
        # version that comes to lie at the same address.
        if self.size > self._max_bytes:
            self._frames.clear()
            self._updates.clear()
            self.size = 0


def _told(changes: Sequence[Change]) -> _Told | None:
    """Name what is told by ids and versions; None if more than that decides what is sent."""
    parts = []
    for change in changes:
        query = change.query
        if not query.shareable:
            return None
        parts.append((query.query_id, id(query.version), id(change.version)))
    return tuple(parts)


def _packed(changes: Sequence[Change], *, whole: bool) -> list[bytes]:
    updates = [update for each in changes if (update := each.query.update(each.version, whole=whole)) is not None]
    if len(updates) < len(changes):
        raise Untellable
    return updates
