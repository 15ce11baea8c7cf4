"""``_system/live``: the live queries of this hub, what each has read and what it costs."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable, Iterator
from typing import Final, Literal
from weakref import WeakKeyDictionary

from synovia.dashboard.call_log import CallLog
from synovia.dashboard.declaring import PREFIX, look_again, query
from synovia.dashboard.lines import LogLineShown, lines_shown
from synovia.dashboard.running import Running
from synovia.dashboard.values import SEALED, as_json
from synovia.dashboard.words import words_of
from synovia.engine.engine import Engine
from synovia.engine.live_query import LiveQuery
from synovia.errors import NotFound
from synovia.functions.context import QueryContext
from synovia.functions.function import Function
from synovia.keys.encoding import decode_value
from synovia.schema import Model
from synovia.schema.misfits import id_text
from synovia.store.base import Write
from synovia.transaction.keyed import KeyedCommit
from synovia.transaction.readset import RangeRead
from synovia_protocol import codec

MOST_SHOWN: Final = 500
MOST_WORDS: Final = 40
MOST_ARGUMENTS: Final = 300
MOST_CALLS: Final = 10
"""Mutations that have shared a commit."""


class LiveQueryShown(Model):
    """A live query; its times are in milliseconds.

    Attributes:
        number: Names it as long as it is kept.
        caller: Of whom its answer is; None: it is shared by everybody who may ask.
        anew, rolled_forward: How many of its runs asked the database, and how many went on from what was read before.
        pushed: Bytes sent to its subscribers, as estimated.
        woken_at: The timestamp of the commit that last made it run again, as text.
    """

    number: int
    path: str
    arguments: str
    caller: str | None = None
    subscribers: int
    state: str
    runs: int
    anew: int
    rolled_forward: int
    average: float
    last: float
    total: float
    read: int
    size: int
    pushed: int
    woken_at: str | None = None
    error: str | None = None


class LiveQueryList(Model):
    """Some live queries; ``count`` says how many there are like that."""

    count: int
    queries: list[LiveQueryShown]


class CommittedCall(Model):
    """A mutation that has committed.

    Attributes:
        number: As the log of calls has it.
        caller: Who was signed in; None: nobody, or the application itself.
    """

    number: int
    path: str
    caller: str | None = None
    written: int


class LiveQueryDetails(Model):
    """A live query with what it has read.

    Attributes:
        subscribers: Who holds it: the connection, and who is signed in there.
        reads: What it has read, in words; a commit that touches any of it makes it run again.
        lines: What its newest result's run has logged and printed.
        woken_by: What that commit wrote that it had read; empty if that is not known any more.
        calls: The mutations whose commit that was, which may have shared it; none where another hub or program has
            committed it, or the log does not keep them any more.
    """

    query: LiveQueryShown
    subscribers: list[str]
    reads: list[str]
    documents: int
    woken_by: list[str]
    calls: list[CommittedCall] = []
    lines: list[LogLineShown] = []
    is_commit_known: bool = False


class LiveQueryFunctions:
    """Reads the live queries.

    Args:
        log: Knows the calls that commits are of.
    """

    def __init__(self, running: Running, log: CallLog) -> None:
        self._running = running
        self._log = log
        self._numbers: WeakKeyDictionary[LiveQuery, int] = WeakKeyDictionary()
        self._arguments: WeakKeyDictionary[LiveQuery, str] = WeakKeyDictionary()
        self._next = itertools.count(1)

    def functions(self) -> Iterator[Function]:
        """List them."""
        yield query("live:list", self.listed)
        yield query("live:get", self.get)

    async def listed(
        self, ctx: QueryContext, limit: int = 100, path: str | None = None, order: LiveOrder = "total"
    ) -> LiveQueryList:
        """List them, those first that have the most of what they are ordered by.

        Args:
            path: A part of the function's path.
            order: As an attribute of ``LiveQueryShown`` is called.
        """
        look_again(ctx)
        found = [live for live in self._all() if path is None or path in live.key.path]
        first = heapq.nlargest(max(0, min(limit, MOST_SHOWN)), found, key=_ORDERS[order])
        return LiveQueryList(count=len(found), queries=[self._shown(live) for live in first])

    async def get(self, ctx: QueryContext, number: int) -> LiveQueryDetails:
        """Show one with what it has read, and why it was run again."""
        look_again(ctx)
        live = next((each for each in self._all() if self._number(each) == number), None)
        if live is None:
            raise NotFound("this live query is gone: nobody has held it for a while")
        reads = self._engine.live.index.read_by(live)
        points = sorted(f"{table}: the document {_id_of(key)}" for table, key in reads.points)
        ranges = sorted(map(words_of, reads.ranges))
        commit = self._commit(live)
        _, version = live.newest(self._engine.head)
        holders = [
            f"{live.accounts[each].connection or 'the server'}, {who.key if who is not None else 'not signed in'}"
            for each, identities in live.subscribers.items()
            for who in identities
        ]
        return LiveQueryDetails(
            query=self._shown(live),
            subscribers=holders[:MOST_SHOWN],
            reads=[*ranges, *points][:MOST_WORDS],
            documents=len(points),
            woken_by=[] if commit is None else list(_touching(live, commit, self._engine)),
            calls=self._calls(live),
            is_commit_known=commit is not None,
            lines=[] if version is None else lines_shown(version.log_lines),
        )

    @property
    def _engine(self) -> Engine:
        return self._running().engine

    def _all(self) -> Iterator[LiveQuery]:
        return (live for live in self._engine.live if not live.key.path.startswith((PREFIX, "_scheduler:")))

    def _number(self, live: LiveQuery) -> int:
        if live not in self._numbers:
            self._numbers[live] = next(self._next)
        return self._numbers[live]

    def _arguments_of(self, live: LiveQuery) -> str:
        if live not in self._arguments:
            self._arguments[live] = _arguments(live, self._engine)
        return self._arguments[live]

    def held_by(self, connection: str) -> list[LiveQueryShown]:
        """List those that a connection holds, by path."""
        accounts = ((live, (live.accounts[each] for each in live.subscribers)) for live in self._all())
        found = [live for live, theirs in accounts if any(each.connection == connection for each in theirs)]
        return [self._shown(live) for live in sorted(found, key=lambda live: live.key.path)[:MOST_SHOWN]]

    def _calls(self, live: LiveQuery) -> list[CommittedCall]:
        ts = live.statistics.woken_at
        found = [] if ts is None else self._log.committed_at(ts)[:MOST_CALLS]
        return [
            CommittedCall(
                number=each.number,
                path=each.path,
                caller=None if each.caller is None else each.caller.email or each.caller.key,
                written=each.written,
            )
            for each in found
        ]

    def _commit(self, live: LiveQuery) -> KeyedCommit | None:
        ts = live.statistics.woken_at
        commits = None if ts is None else self._engine.recent_commits(ts - 1)
        return next((commit for commit in commits or () if commit.ts == ts), None)

    def _shown(self, live: LiveQuery) -> LiveQueryShown:
        statistics, head = live.statistics, self._engine.head
        _, version = live.newest(head)
        [identity] = live.key.caller or (None,)
        return LiveQueryShown(
            number=self._number(live),
            path=live.key.path,
            arguments=self._arguments_of(live),
            caller=None if live.shared else identity.key if identity is not None else "not signed in",
            subscribers=sum(map(len, live.subscribers.values())),
            state=_state(live),
            runs=statistics.runs,
            anew=statistics.anew,
            rolled_forward=statistics.rolled_forward,
            average=round(statistics.seconds * 1000 / max(1, statistics.runs), 3),
            last=round(statistics.last_seconds * 1000, 3),
            total=round(statistics.seconds * 1000, 1),
            read=statistics.documents_read,
            size=0 if version is None else len(version.packed or b""),
            pushed=statistics.pushed,
            woken_at=None if statistics.woken_at is None else str(statistics.woken_at),
            error=None if version is None or version.error is None else str(version.error.code),
        )


LiveOrder = Literal["total", "average", "subscribers", "runs", "anew", "read", "pushed"]
_ORDERS: Final[dict[LiveOrder, Callable[[LiveQuery], float]]] = {
    "total": lambda live: live.statistics.seconds,
    "average": lambda live: live.statistics.seconds / max(1, live.statistics.runs),
    "subscribers": lambda live: sum(map(len, live.subscribers.values())),
    "runs": lambda live: live.statistics.runs,
    "anew": lambda live: live.statistics.anew,
    "read": lambda live: live.statistics.documents_read,
    "pushed": lambda live: live.statistics.pushed,
}


def _state(live: LiveQuery) -> str:
    if not live.subscribers:
        return "kept"
    if live.target is not None:
        return "running"
    return "loading" if not live.loaded else "current" if live.dirty_at is None else "waiting"


def _arguments(live: LiveQuery, engine: Engine) -> str:
    if engine.keyring is not None and live.key.packed_args:
        return SEALED
    text = " ".join(as_json(codec.unpack(live.key.packed_args)).split()) if live.key.packed_args else "{}"
    return text if len(text) <= MOST_ARGUMENTS else f"{text[:MOST_ARGUMENTS]}…"


def _id_of(key: bytes) -> str:
    return id_text(decode_value(key, 0)[0])


def _touching(live: LiveQuery, commit: KeyedCommit, engine: Engine) -> Iterator[str]:
    """Say what a commit wrote that a query had read."""
    reads = engine.live.index.read_by(live)
    for table, writes in commit.by_table.items():
        for each in writes[:MOST_WORDS]:
            write = each.write
            did = "added" if write.before is None else "deleted" if write.after is None else "changed"
            because = next(
                (words_of(read) for read in reads.ranges if read.table == table and _is_in(read, write)), None
            )
            if because is not None or (table, each.id_key) in reads.points:
                yield f"{did} {table} {id_text(write.id)}" + (f", which is in {because}" if because else "")


def _is_in(read: RangeRead, write: Write) -> bool:
    return read.holds(write.before) or read.holds(write.after)
