"""One live query: its result at the timestamps at which it is known, and the patches that lead from one to the next."""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass
from typing import Any, Protocol

from synovia.charges import Payer
from synovia.engine.run_statistics import RunStatistics
from synovia.engine.runs import Arguments, arguments_of
from synovia.engine.tracing import CallTrace
from synovia.functions.function import Function
from synovia.functions.log_lines import LogLine
from synovia.identity import SERVER, Account, Identity
from synovia.store.base import Ts
from synovia.transaction.footprint import LARGE_PACKED, footprint
from synovia.transaction.recall import Recall
from synovia_protocol import codec, patch
from synovia_protocol.digest import digest
from synovia_protocol.errors import ErrorInfo

KEPT_VERSIONS = 64
PAST = -1
"""The number of versions that were looked up afterwards and so belong to no sequence."""
KEPT_BYTES = 4 * 1024 * 1024
_LARGE = 256 * 1024
_SMALL = 512
"""A result of no more bytes is not measured, but taken for as large as this says:"""
_BASE, _DECODED = 256, 8


def weight_of(size: int) -> int:
    """Tell as how many subscriptions one counts whose arguments take so many bytes."""
    return 1 + size // LARGE_PACKED


class Subscriber(Protocol):
    """Somebody who holds live queries: a connection."""

    def notify(self) -> None:
        """Look again soon: something you hold may have moved. Called very often, so it must be cheap."""
        ...

    def replaced(self, old: LiveQuery, new: LiveQuery) -> None:
        """Hold ``new`` instead of ``old``: a query shared by all turned out to depend on who is calling."""
        ...


@dataclass(frozen=True, slots=True)
class LiveKey:
    """What makes two subscriptions one live query.

    ``caller`` is empty for a query shared by all who may call it; else it holds the identity, None for somebody who is not
    signed in. ``round`` tells apart those whose pages have begun anew.
    """

    path: str
    packed_args: bytes
    caller: tuple[Identity | None, ...]
    journal: bytes | None
    round: int = 0


class Version:
    """One result of a live query: a value or an error.

    Attributes:
        number: Versions of a query count from 1; ``PAST`` for one that was looked up afterwards.
        bridge: Of such a one: the number of a later version, and the patch that leads there.
        packed: The encoded value; None for an error.
        patch: The encoded patch from the version before; None if there is none (first version, or an error on either side).
        log_lines: What the run has logged and printed that has found it.
    """

    __slots__ = ("_digest", "arrays", "bridge", "error", "journal", "log_lines", "number", "packed", "patch")

    def __init__(
        self,
        number: int,
        packed: bytes | None,
        patch: bytes | None,
        error: ErrorInfo | None,
        journal: bytes | None,
        arrays: frozenset[bytes],
        log_lines: tuple[LogLine, ...] = (),
    ) -> None:
        self.number = number
        self.packed = packed
        self.patch = patch
        self.error = error
        self.journal = journal
        self.arrays = arrays
        self.log_lines = log_lines
        self.bridge: tuple[int, bytes] | None = None
        self._digest: bytes | None = None

    def digest(self) -> bytes:
        """Tell the digest of the value (see docs/protocol.md); computed when somebody first asks. Empty for an error."""
        if self._digest is None:
            self._digest = b"" if self.packed is None else digest(codec.unpack(self.packed))
        return self._digest

    @property
    def size(self) -> int:
        size = len(self.packed or b"") + len(self.patch or b"")
        return size + sum([len(line.text) for line in self.log_lines]) if self.log_lines else size


@dataclass(slots=True)
class _Span:
    """The timestamps ``[since, until]`` at which the result is known to be ``version``; until None: up to the head."""

    since: Ts
    until: Ts | None
    version: Version


class LiveQuery:
    """A query with its current result, shared by all who subscribe to it.

    It is *clean* while its newest result holds up to the head of the log, and *dirty* from the commit that may have
    changed it until it has been run again.

    Args:
        dirty: Of all live queries of a hub, those that somebody holds and that are dirty; it puts itself there.

    Attributes:
        subscribers: Who holds it, with the identity of each time it is held.
        accounts: Whom each of them is charged to.
        task: The run that is under way.
        failures: How many runs one after the other have failed, because of the store or of the time they took.
        rests_until: When it may be run again, by the time of the event loop.
        target: The timestamp at which it is being run now; None if it is not.
        ran_at: The timestamp at which it was last run.
        dirty_at: The first commit that may have changed the newest result; None while clean.
        recall: What the last run has left for the next.
        pasts: Results as of earlier instants that were looked up; None: there is none to be had.
        looking: Instants that are being looked up.
        statistics: What its runs have cost.
        is_refused: There was no room for the newest result, so an error is in its place.
        holds_until: When the newest result has to be found anew even if nothing is written, in ms since 1970.
        asked: What its first run is part of.
        payer: Whom its runs are charged to, if not to who holds it.
    """

    def __init__(
        self, key: LiveKey, function: Function, args: Arguments, identity: Identity | None, dirty: set[LiveQuery]
    ) -> None:
        self.key = key
        self.function = function
        self._args = None if len(key.packed_args) > LARGE_PACKED else args
        self.identity = identity
        self.journal = key.journal
        self.subscribers: dict[Subscriber, list[Identity | None]] = {}
        self.accounts: dict[Subscriber, Account] = {}
        self.task: asyncio.Task[bool] | None = None
        self.failures = 0
        self.rests_until = 0.0
        self.target: Ts | None = None
        self.ran_at: Ts = 0
        self.dirty_at: Ts | None = None
        self._dirty = dirty
        self.is_refused = False
        self.holds_until: int | None = None
        self.asked: CallTrace | None = None
        self.payer: Payer | None = None
        self.recall = Recall()
        self.pasts: dict[Ts, Version | None] = {}
        self.looking: set[Ts] = set()
        self._spans: deque[_Span] = deque()
        self._publication: asyncio.Future[None] | None = None
        self.statistics = RunStatistics()
        self._value: Any = None
        self._kept = 0
        self._measured = 0, 0  # the bytes of an encoded result, and those that it took decoded

    def __repr__(self) -> str:
        state = "loading" if not self.loaded else "clean" if self.dirty_at is None else f"dirty at {self.dirty_at}"
        return f"<LiveQuery {self.key.path} {state}, {len(self.subscribers)} subscribers>"

    def wire_arguments(self) -> dict[str, Any]:
        """Give the arguments as they were asked with, made anew."""
        args: dict[str, Any] = codec.unpack_own(self.key.packed_args)
        return args

    def arguments(self) -> Arguments:
        """Give what the function is called with: large ones are kept packed, and made anew for each run."""
        return arguments_of(self.function, self.wire_arguments()) if self._args is None else self._args

    @property
    def has_large_arguments(self) -> bool:
        """Whether it takes long to make them."""
        return self._args is None

    @property
    def shared(self) -> bool:
        """Whether it is run for everybody, without an identity."""
        return not self.key.caller

    @property
    def account(self) -> Account:
        """Whom its runs are charged to: whoever holds it for longest."""
        for account in self.accounts.values():
            return account
        return SERVER

    def take_asked(self) -> CallTrace | None:
        """Give what the first run is part of, to that run alone."""
        asked, self.asked = self.asked, None
        return asked

    @property
    def has_room(self) -> bool:
        """Whether clients may be present in it, and see each other."""
        return self.function.has_room

    @property
    def loaded(self) -> bool:
        """Whether there is a first result."""
        return bool(self._spans)

    def known_through(self, head: Ts) -> Ts:
        """Tell the newest timestamp at which the result is known."""
        return head if self.dirty_at is None else self.dirty_at - 1

    def newest(self, head: Ts) -> tuple[Ts, Version | None]:
        """Give the newest timestamp up to ``head`` at which the result is known, and the result there."""
        if self.dirty_at is None and self._spans and (last := self._spans[-1]).since <= head:
            return head, last.version
        ts = min(head, self.known_through(head))
        return ts, self.version_at(ts)

    @property
    def newest_since(self) -> Ts:
        """Since when the newest result is known without a break."""
        return self._spans[-1].since if self._spans else 0

    def version_at(self, ts: Ts) -> Version | None:
        """Give the result as of ``ts``; None if it is not known there, or no longer kept."""
        for span in reversed(self._spans):
            if span.since <= ts:
                until = span.until if span is not self._spans[-1] else self.dirty_at and self.dirty_at - 1
                return span.version if until is None or ts <= until else None
        return None

    def patches(self, old: Version, new: Version) -> list[bytes] | None:
        """Give the encoded patches that lead from one version to a later one; None: send the whole value instead."""
        if old.number == PAST:
            found: list[bytes | None] = [self._bridge(old, new)]
        elif new.number == old.number + 1:
            found = [new.patch]
        else:
            chain = {span.version.number: span.version.patch for span in self._spans}
            found = [chain.get(number) for number in range(old.number + 1, new.number + 1)]
        patches = [patch for patch in found if patch is not None]
        complete = len(patches) == len(found)
        return patches if complete and sum(map(len, patches)) < len(new.packed or b"") else None

    def past(self, ts: Ts) -> Version | None:
        """Give the result as of ``ts``: one that is kept, or one that has been looked up for somebody who came back."""
        return self.version_at(ts) or self.pasts.get(ts)

    def shows(self, array_digest: bytes) -> bool:
        """Tell whether the newest result refers to an array with this digest."""
        return bool(self._spans) and array_digest in self._spans[-1].version.arrays

    def touched(self, ts: Ts) -> bool:
        """Note that a commit may have changed the result; tell whether it was clean before."""
        if self.dirty_at is None and self._spans:
            self.dirty_at = ts
            if self.subscribers:
                self._dirty.add(self)
            return True
        return False

    def publish(
        self,
        ts: Ts,
        dirty_at: Ts | None,
        *,
        value: Any = None,
        packed: bytes | None = None,
        arrays: frozenset[bytes] = frozenset(),
        error: ErrorInfo | None = None,
        journal: bytes | None = None,
        change: bytes | None = None,
        log_lines: tuple[LogLine, ...] = (),
    ) -> bool:
        """Take the result of a run as of ``ts``; ``dirty_at`` is the first commit after that which may have changed it.

        Args:
            change: What ``change_to`` gave for it.

        Returns:
            Whether the result differs from the one before.
        """
        latest = self._spans[-1].version if self._spans else None
        if self.journal is None:
            self.journal = journal
        same = latest is not None and (packed, error) == (latest.packed, latest.error)
        if same and latest is not None:
            version = latest
        else:
            number = 1 if latest is None else latest.number + 1
            version = Version(number, packed, change, error, self.journal, arrays, log_lines)
            self._value = value
            self._kept += version.size
            self.statistics.pushed += len(change or packed or b"") * len(self.subscribers)
        self._close_span(ts)
        self._spans.append(_Span(ts, None, version))
        self.dirty_at = dirty_at
        self.note_dirty()
        self.ran_at = ts
        self._trim()
        self.announce()
        return not same

    def note_dirty(self) -> None:
        """Be among those that are dirty, or not: it has another result, or other subscribers."""
        if self.dirty_at is not None and self.subscribers:
            self._dirty.add(self)
        else:
            self._dirty.discard(self)

    @property
    def weight(self) -> int:
        """As how many subscriptions one to it counts: its arguments are kept as long as somebody holds it."""
        return weight_of(self._asked_size())

    def _asked_size(self) -> int:
        return len(self.key.packed_args) + len(self.key.journal or b"")

    def footprint(self) -> int:
        """Tell about how many bytes it takes with its arguments and all that it keeps of earlier results and runs."""
        return 2 * self._asked_size() + self.held_size() + self.recall.size

    def held_size(self) -> int:
        """Estimate the bytes of its results."""
        packed = self._spans[-1].version.packed if self._spans else None
        return self._kept + self._pasts_size() + self._decoded_size(self._value, packed or b"")

    def size_with(self, value: Any, packed: bytes) -> int:
        """Estimate the bytes of its results once there is one more."""
        latest = self._spans[-1].version if self._spans else None
        more = 0 if latest is not None and latest.packed == packed else len(packed)
        kept = max(len(packed), min(KEPT_BYTES, self._kept + more))
        return kept + (self._pasts_size() if self.pasts else 0) + self._decoded_size(value, packed)

    def _pasts_size(self) -> int:
        return sum(version.size for version in self.pasts.values() if version is not None)

    def _decoded_size(self, value: Any, packed: bytes) -> int:
        """Measure a result if it is not about as large as the one that was measured last: that costs time."""
        if len(packed) <= _SMALL:
            return _BASE + _DECODED * len(packed)
        before, size = self._measured
        if abs(len(packed) - before) * 8 > before:
            size = footprint(value)
            self._measured = len(packed), size
        return size

    async def published(self) -> None:
        """Wait until there is another result, or the query is given up."""
        if self._publication is None:
            self._publication = asyncio.get_running_loop().create_future()
        await asyncio.shield(self._publication)

    def announce(self) -> None:
        """Wake who waits for ``published``."""
        publication, self._publication = self._publication, None
        if publication is not None:
            publication.set_result(None)

    @staticmethod
    def _bridge(old: Version, new: Version) -> bytes | None:
        """Give the patch from a result that was looked up; all who came back from that instant share it."""
        if old.packed is None or new.packed is None:
            return None
        if old.bridge is None or old.bridge[0] != new.number:
            change = patch.diff(
                codec.unpack(old.packed, codec.FROM_SERVER), codec.unpack(new.packed, codec.FROM_SERVER)
            )
            old.bridge = new.number, codec.pack(change)
        return old.bridge[1]

    async def change_to(self, value: Any, packed: bytes | None) -> bytes | None:
        """Give the encoded patch from the newest result to the next, a large one from a thread; None if there is none."""
        latest = self._spans[-1].version if self._spans else None
        if latest is None or latest.packed is None or packed is None or packed == latest.packed:
            return None
        if len(packed) + len(latest.packed) <= _LARGE:
            return codec.pack(patch.diff(self._value, value))
        return await asyncio.to_thread(lambda: codec.pack(patch.diff(self._value, value)))

    def _close_span(self, ts: Ts) -> None:
        if self._spans:
            self._spans[-1].until = (ts if self.dirty_at is None else self.dirty_at) - 1

    def _trim(self) -> None:
        full = self.is_refused or self._kept > KEPT_BYTES
        while len(self._spans) > 1 and (full or len(self._spans) > KEPT_VERSIONS):
            dropped = self._spans.popleft().version
            if dropped is not self._spans[0].version:
                self._kept -= dropped.size
            full = self.is_refused or self._kept > KEPT_BYTES
