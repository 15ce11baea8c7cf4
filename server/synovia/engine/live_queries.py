"""All live queries of a hub: who shares which, what a commit makes dirty, and when each is run again.

Dirty queries are run together at one timestamp, a *tick*: the head of the log when the loop comes round, so that under
load several commits share one. A query that takes longer than a tick holds nobody else back. When it is done and dirty
again, it is run at the newest tick that is still running rather than at a new one: so queries of different speed keep
meeting at common timestamps, and whoever holds several of them always gets to see all of them as of one instant.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
import math
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from synovia.charges import Payer, at_cost
from synovia.engine.executor import Executor
from synovia.engine.expiries import Expiries
from synovia.engine.held_results import HeldResults
from synovia.engine.lingering import Lingering
from synovia.engine.live_query import LiveKey, LiveQuery, Subscriber
from synovia.engine.log import Log
from synovia.engine.observing import Observer, Unobserved, word_of
from synovia.engine.pasts import Pasts
from synovia.engine.places import Places
from synovia.engine.remembered import Remembered
from synovia.engine.runs import Arguments, IdentityNeeded, Run
from synovia.engine.settings import EngineLimits
from synovia.engine.store_errors import told_of
from synovia.engine.subscriptions import SubscriptionIndex
from synovia.engine.tracing import UNTRACED, Tracer
from synovia.functions.function import Function, Kind
from synovia.identity import SERVER, Account, Identity
from synovia.keys import IndexSpec
from synovia.store.base import Gap, StoreError, StoreUnusable, Ts
from synovia.tasks import begin, end
from synovia.transaction.keyed import KeyedCommit
from synovia.turns import Turns, short
from synovia_protocol import codec
from synovia_protocol.errors import ErrorCode, ErrorInfo

logger = logging.getLogger("synovia")

RETRY_SECONDS = 0.25
MOST_RETRY_SECONDS = 4.0
MOST_REST_SECONDS = 300.0
REST_AFTER_SECONDS = 0.25


def end_of_rest(time: float, pause: float, rest: float) -> float:
    """Tell until when a query rests.

    Functions that always rest do so until moments of a grid, so that those that follow a busy table meet: else they would
    hardly ever be known at one instant, and who holds two of them would see neither. The grid of a longer pause is twice as
    wide, or four times, so its moments are moments of all finer ones; and whatever is quick is run at each of its own.

    Args:
        time: The present time, in seconds.
        pause: For how long; one that takes longer than its grid is wide still rests for half of that.
        rest: The function's shortest; 0: it does not always rest.
    """
    if not rest:
        return time + pause
    width: float = rest * 2 ** math.ceil(math.log2(pause / rest))
    return math.ceil((time + pause / 2) / width) * width


class LiveQueries:
    """The live queries of one hub.

    Args:
        places: Where they run.
        linger: Seconds for which a query without subscribers is kept, so that a client that reconnects gets patches.
        limits: How much such queries may take, how many are run at the same time, and how long.
        observer: Is told of each run.
        tracer: Makes spans of them.

    Attributes:
        index: What each has read.
        dirty: Those that somebody holds and that are dirty.
        expiries: Until when their results hold.
        lingering: Those without subscribers.
        remembered: What the others keep of their last runs.
        results: The results of these.
        pasts: Looks up results as of earlier instants.
    """

    def __init__(
        self,
        executor: Executor,
        log: Log,
        places: Places,
        *,
        linger: float = 30.0,
        limits: EngineLimits | None = None,
        observer: Observer | None = None,
        tracer: Tracer = UNTRACED,
    ) -> None:
        self._executor = executor
        self._observer = observer or Unobserved()
        self._tracer = tracer
        self._log = log
        limits = limits or EngineLimits()
        self._timeout = limits.query_timeout
        self._places = places
        self._queries: dict[LiveKey, LiveQuery] = {}
        self.dirty: set[LiveQuery] = set()
        self._watched: set[LiveKey] = set()
        self.index: SubscriptionIndex[LiveQuery] = SubscriptionIndex()
        self._personal: set[str] = set()  # paths of functions that have been seen looking at the identity
        self._due: set[LiveQuery] = set()
        self._running: set[LiveQuery] = set()
        self._tasks: set[asyncio.Task[Any]] = set()
        self._timers: dict[LiveQuery, asyncio.TimerHandle] = {}
        self._tick: asyncio.Handle | None = None
        self.expiries = Expiries(executor.now, self.outdate)
        self._order = itertools.count(1)
        self._rounds: dict[LiveKey, LiveKey] = {}  # the newest key of those whose pages have begun anew
        self._stopped = False
        self.lingering = Lingering(self._forget, linger, limits)
        self.remembered = Remembered(limits)
        self.results = HeldResults(limits)
        self.pasts = Pasts(executor, places, linger, self._notify)

    def __len__(self) -> int:
        """Tell how many there are, those of the server itself left aside."""
        return len(self._queries) - len(self._watched)

    def __iter__(self) -> Any:
        return iter(self._queries.values())

    @property
    def running(self) -> int:
        """How many run, or wait for a place to run in."""
        return len(self._running)

    @property
    def waiting(self) -> int:
        """How many of those wait for a place."""
        return self._places.waiting

    # --- subscribing ----------------------------------------------------------------------------------------------

    def subscribe(
        self,
        subscriber: Subscriber,
        path: str,
        args: Mapping[str, Any],
        identity: Identity | None,
        journal: bytes | None = None,
        account: Account = SERVER,
        anew: bool = False,
    ) -> LiveQuery:
        """Join the live query of these arguments, or begin it; its first result may come later.

        Args:
            account: Whom it is charged to.
            anew: Whether pages that were first read for others before are not good enough: theirs end where they ended then.

        Raises:
            FunctionError: There is no such query, or the arguments do not fit.
        """
        function, values = self._executor.prepare(path, Kind.QUERY, args, identity)
        packed = codec.pack(dict(sorted(args.items())))
        return self._join(subscriber, identity, function, values, packed, journal, account, anew=anew)

    def watch(self, subscriber: Subscriber, function: Function, payer: Payer | None = None) -> LiveQuery:
        """Join the live query of a function of the server's own, which takes no arguments.

        Args:
            payer: Whom its runs are charged to, if anybody.
        """
        live = self._join(subscriber, None, function, {}, b"", None)
        self._watched.add(live.key)
        live.payer = payer
        return live

    def _join(
        self,
        subscriber: Subscriber,
        identity: Identity | None,
        function: Function,
        values: Arguments,
        packed: bytes,
        journal: bytes | None,
        account: Account = SERVER,
        *,
        anew: bool = False,
    ) -> LiveQuery:
        shared = function.access.one_answer(identity) and function.path not in self._personal
        caller = () if shared else (identity,)
        key = LiveKey(function.path, packed, caller, journal)
        if anew:
            key = self._without_pages(key)
        live = self._queries.get(key)
        if live is None:
            live = self._queries[key] = LiveQuery(key, function, values, identity, self.dirty)
            live.asked = self._tracer.current()
        live.subscribers.setdefault(subscriber, []).append(identity)
        live.accounts[subscriber] = account
        live.note_dirty()
        self._cancel_timer(live)
        if self.lingering.remove(live):
            self.results.hold(live)
            self.remembered.keep(live)
        if live.is_refused:  # there may be room by now
            live.touched(self._log.head + 1)
        if not live.loaded or live.dirty_at is not None:
            self._schedule(live)
        return live

    def _without_pages(self, key: LiveKey) -> LiveKey:
        """Give the key of a live query of the same whose pages, if it has any, have not been read yet."""
        newest = self._rounds.get(key, key)
        live = self._queries.get(newest)
        if live is not None and live.journal != key.journal:
            newest = self._rounds[key] = replace(key, round=next(self._order))
        return newest

    async def wait_until_known(self, live: LiveQuery, ts: Ts) -> None:
        """Wait until the result of a live query is known at ``ts`` or later, and no longer only of a time that has passed,
        or the query has been split or given up."""
        while self._queries.get(live.key) is live and not self._is_known(live, ts):
            await live.published()

    def _is_known(self, live: LiveQuery, ts: Ts) -> bool:
        head = self._log.head
        return live.loaded and live.known_through(head) >= ts and (live.dirty_at is None or live.dirty_at <= head)

    def unsubscribe(self, subscriber: Subscriber, live: LiveQuery) -> None:
        """Leave a live query once; the last one out ends its run and starts its time to linger."""
        identities = live.subscribers.get(subscriber)
        if identities is None:
            return
        identities.pop()
        if identities:
            return
        del live.subscribers[subscriber]
        account = live.accounts.pop(subscriber)
        if not live.subscribers:
            self._leave_behind(live, account)
        elif live.account.address != account.address:
            self.results.hold(live)

    def _leave_behind(self, live: LiveQuery, account: Account) -> None:
        """Keep what there is of a query that nobody holds; what is not there yet is not found any more."""
        live.note_dirty()
        self._due.discard(live)
        self._cancel_timer(live)
        self.remembered.release(live)
        self.results.release(live)
        if live.task is not None:
            live.task.cancel()
        if live.loaded and not live.is_refused:
            self.lingering.add(live, account.address)
        else:
            self._forget(live)

    def _forget(self, live: LiveQuery) -> None:
        self.lingering.remove(live)
        self.remembered.release(live)
        self.results.release(live)
        if self._queries.get(live.key) is live:
            del self._queries[live.key]
            self._watched.discard(live.key)
            if live.key.round and self._rounds.get(first := replace(live.key, round=0)) == live.key:
                del self._rounds[first]
            live.announce()
        self.expiries.forget(live)
        self.index.remove(live)

    def _set_timer(self, live: LiveQuery, seconds: float, call: Callable[[LiveQuery], None]) -> None:
        self._cancel_timer(live)
        self._timers[live] = asyncio.get_running_loop().call_later(seconds, self._timer_fired, live, call)

    def _timer_fired(self, live: LiveQuery, call: Callable[[LiveQuery], None]) -> None:
        del self._timers[live]
        call(live)

    def _cancel_timer(self, live: LiveQuery) -> None:
        timer = self._timers.pop(live, None)
        if timer is not None:
            timer.cancel()

    # --- commits --------------------------------------------------------------------------------------------------

    def on_change(self, change: KeyedCommit | Gap) -> None:
        """Mark what a commit may have changed; after a gap, that is everything."""
        if isinstance(change, Gap):
            affected, ts = set(self._queries.values()), self._log.head + 1
        else:
            affected, ts = self.index.affected(change), change.ts
        for live in affected:
            if live.touched(ts) and live.subscribers:
                live.statistics.woken_at = ts
                self._schedule(live)

    def indexes(self, table: str) -> Iterable[IndexSpec]:
        """Give the indexes of a table by which commits to it are looked at."""
        return self.index.indexes(table)

    def outdate(self, live: LiveQuery) -> None:
        """Have the result found anew, though no commit has changed what it was found from."""
        if live.touched(self._log.head + 1) and live.subscribers:
            self._schedule(live)

    def _schedule(self, live: LiveQuery) -> None:
        rest = live.rests_until - asyncio.get_running_loop().time()
        if live.target is not None:
            return
        if rest > 0:
            self._set_timer(live, rest, self._rested)
        else:
            self._make_due(live)

    def _rested(self, live: LiveQuery) -> None:
        """Have a query run again, and with it, at the same instant, all that rest until the same moment."""
        for other in [live, *(each for each in self._timers if each.rests_until == live.rests_until)]:
            self._cancel_timer(other)
            self._make_due(other)

    def _make_due(self, live: LiveQuery) -> None:
        if self._stopped:
            return
        self._due.add(live)
        if self._tick is None:
            self._tick = asyncio.get_running_loop().call_soon(self._start_due)

    def _start_due(self) -> None:
        self._tick = None
        due, self._due = self._due, set()
        newest = max([other.target for other in self._running if other.target is not None], default=0)
        for live in due:
            live.target = self._target(live, newest)
        for live in due:
            self._running.add(live)
            task = begin(self._run(live), f"live {live.key.path}")
            self._tasks.add(task)
            task.add_done_callback(partial(self._ended, live))
            live.task = task

    def _ended(self, live: LiveQuery, task: asyncio.Task[bool]) -> None:
        """Run a query again if that is due; it may have been left, and joined again, while its run was ended."""
        self._tasks.discard(task)
        self._running.discard(live)
        live.target = live.task = None
        if not live.subscribers:
            return
        if not task.cancelled() and task.result():
            live.failures += 1
            self._set_timer(live, min(MOST_RETRY_SECONDS, RETRY_SECONDS * 2 ** (live.failures - 1)), self._schedule)
        elif live.dirty_at is not None or not live.loaded:
            self._schedule(live)

    def _target(self, live: LiveQuery, newest: Ts) -> Ts:
        """Tell as of when to run a query; ``newest``: the newest instant as of which others are running."""
        helps = live.loaded and newest > live.ran_at and newest >= (live.dirty_at or 0)
        return newest if helps else self._log.head

    # --- running --------------------------------------------------------------------------------------------------

    async def _run(self, live: LiveQuery) -> bool:
        """Run a query and publish its result; tell whether to try again later, because the store could not answer."""
        try:
            return not await at_cost(live.payer or live.account.address, self._run_in_place(live))
        except IdentityNeeded:
            self._split(live)
        except Exception:
            logger.exception("the live query %s could not be run", live.key.path)
            error = ErrorInfo(ErrorCode.SERVER_ERROR, f"{live.key.path} could not be run")
            live.publish(live.target or self._log.head, None, error=error)
            self._notify(live)
        return False

    async def _run_in_place(self, live: LiveQuery) -> bool:
        async with self._places.taken(live.account):
            if live.has_large_arguments:
                await Turns().begin()
            if live.target is None or not self._log.reaches_back_to(live.target):
                live.target = self._log.head  # it has waited for too long
            with short():
                return await self._run_at(live, live.target)

    async def _run_at(self, live: LiveQuery, ts: Ts) -> bool:
        """Run a query as of ``ts`` and publish the result; tell whether the store could answer."""
        began = time.perf_counter()
        with self._log.pinned(ts):
            try:
                with self._tracer.rerun(live.key.path, ts, live.take_asked()):
                    run = await self._executor.query(
                        live.function,
                        live.arguments(),
                        live.identity,
                        ts,
                        journal=live.journal,
                        shared=live.shared,
                        recall=self._log.brought_up_to(ts, live.recall),
                        timeout=None if live.key in self._watched else self._timeout,
                    )
            except StoreError as error:
                logger.warning("the live query %s waits for the store: %s", live.key.path, error)
                if isinstance(error, StoreUnusable) and live.subscribers:
                    live.publish(ts, ts + 1, error=told_of(error))  # dirty at once: it is tried again, in vain or not
                    self._notify(live)
                return False
            if live.subscribers and run.error is None and not self.results.take(live, run):
                live.recall.drop()
            packed = None if run.error else run.packed
            change = await live.change_to(run.value, packed)
            commits = self._log.since(ts)
        seconds = time.perf_counter() - began
        live.statistics.ran(seconds, run.documents_read, anew=live.recall.asked > 0)
        self._observer.run_ended(live.key.path, word_of(run.error), seconds)
        if not live.subscribers:
            return True  # it has been left, but its run did not hear of that: nobody wants the result
        is_remembered = self.remembered.keep(live)
        self._rest(live, run, 0.0 if is_remembered else seconds)
        if (due := run.reads.due) is not None or live.holds_until is not None:
            self.expiries.note(live, due if self._queries.get(live.key) is live else None)
        # Registered first, then checked against what came in the meantime: no commit falls in between.
        self.index.replace(live, run.reads)
        if commits is None:
            dirty_at: Ts | None = ts + 1
        else:
            dirty_at = None
            for commit in commits:
                if run.reads.overlaps(commit):
                    dirty_at = commit.ts
                    break
        live.publish(
            ts, dirty_at, value=run.value, packed=packed, arrays=run.arrays, error=run.error, journal=run.journal,
            change=change, log_lines=tuple(run.log_lines),
        )  # fmt: skip
        self._notify(live)
        return True

    def _rest(self, live: LiveQuery, run: Run, seconds: float) -> None:
        """Let a query that takes too long wait before it is run again: as long as it took, then twice as long each time.

        Args:
            seconds: How long one took that will take as long the next time; it waits as long if that is long.
        """
        live.failures = live.failures + 1 if run.timed_out else 0
        pause = seconds if seconds > REST_AFTER_SECONDS else 0.0
        if run.timed_out:
            pause = min(MOST_REST_SECONDS, self._timeout * 2 ** (live.failures - 1))
        pause = max(pause, live.function.pause_after(live.statistics.last_seconds))
        now = asyncio.get_running_loop().time()
        live.rests_until = end_of_rest(now, pause, live.function.rest) if pause else 0.0

    @staticmethod
    def _notify(live: LiveQuery) -> None:
        for subscriber in list(live.subscribers):
            subscriber.notify()

    def _split(self, live: LiveQuery) -> None:
        """Give each caller of a shared query one of its own, now that it has looked at who is calling."""
        self._personal.add(live.function.path)
        self._forget(live)
        subscribers = list(live.subscribers.items())
        live.subscribers.clear()
        live.note_dirty()
        accounts, live.accounts = live.accounts, {}
        for subscriber, identities in subscribers:
            for identity in identities:
                packed, journal = live.key.packed_args, live.key.journal
                account = accounts[subscriber]
                new = self._join(
                    subscriber,
                    identity,
                    live.function,
                    live.arguments(),
                    packed,
                    journal,
                    account,
                    anew=live.key.round > 0,
                )
                subscriber.replaced(live, new)
            subscriber.notify()

    async def stop(self) -> None:
        """Cancel what is running, and wait for it."""
        self._stopped = True
        self.lingering.stop()
        for timer in self._timers.values():
            timer.cancel()
        await self.pasts.stop()
        self.expiries.stop()
        if self._tick is not None:
            self._tick.cancel()
        await end(self._tasks)
