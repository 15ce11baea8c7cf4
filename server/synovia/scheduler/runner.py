"""The part of a hub that runs what is due.

It holds live queries over the calls and crons (``due_calls``), which are found anew when one of them changes or the next
comes due; nothing is polled. What it takes up it moves on by ``transitions``. By another one over the actions that it runs
it learns with the commit that one of them is cancelled, or taken over.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import Any

from synovia.charges import Payer, at_cost, caused_by
from synovia.clock_jumps import JumpGuard
from synovia.engine.engine import Engine
from synovia.engine.live_query import LiveQuery
from synovia.engine.outcomes import Outcome
from synovia.errors import UnknownFunction
from synovia.functions.access import CallOrigin
from synovia.functions.registry import Registry
from synovia.functions.scheduling_cause import running_scheduled
from synovia.health import Level, PartHealth
from synovia.scheduler.calls import Calls
from synovia.scheduler.claims import Claimed, Finish, Place
from synovia.scheduler.clocks import DOUBT_SECONDS
from synovia.scheduler.due import Due, key_of
from synovia.scheduler.due_calls import DueCall, due_calls_query, due_in_pools_query, held_calls_query
from synovia.scheduler.failures import Failure, Failures
from synovia.scheduler.health import SchedulerHealth
from synovia.scheduler.jobs import JobTransitions
from synovia.scheduler.lanes import Lanes
from synovia.scheduler.moves import Moves, checked
from synovia.scheduler.reading import DueReading
from synovia.scheduler.settings import SchedulerSettings
from synovia.scheduler.transitions import CallTransitions, Claim, Ended
from synovia.scheduler.workflows import WorkflowTransitions
from synovia.store.base import StoreError, Ts
from synovia.tasks import begin, end, keep_running
from synovia_protocol import codec

logger = logging.getLogger("synovia")

PENALTY_SECONDS = 10.0
SHORTEST_PAUSE = 0.01
REST = 0.0125
"""While more is known to be due than can be done at once, that is read so many seconds apart, up to eight times as many
where it takes long: it costs as much as some calls do."""
MOST_ROUNDS = 10_000


def calls_of(registry: Registry, settings: SchedulerSettings) -> Calls:
    """Make what functions schedule with."""
    return Calls(registry, secrets.token_hex(6), int(settings.keep * 1000), settings.max_pending)


class Runner:
    """Runs what is due.

    Args:
        engine: Must be started before this is.
        calls: What the engine's functions schedule with.
        clock: Tells the time of day in seconds since 1970.
        steady: Tells seconds, and never jumps: what the clock is measured by.

    Attributes:
        failures: Of the calls and crons that it has run.
        payer_of: Finds whom these are charged to, by who has caused them: they take turns with the calls of clients.
    """

    def __init__(
        self,
        engine: Engine,
        calls: Calls,
        settings: SchedulerSettings | None = None,
        *,
        clock: Callable[[], float] = time.time,
        steady: Callable[[], float] = time.monotonic,
    ) -> None:
        self.settings = settings or SchedulerSettings()
        self._clock = clock
        self._engine = engine
        self._calls = calls
        self._transitions = CallTransitions(calls, int(self.settings.lease * 1000))
        self._workflows = WorkflowTransitions(calls, self._transitions, self.settings.max_kept_workflows)
        self._guard = JumpGuard(clock, steady, DOUBT_SECONDS, "what that makes due")
        self._due = [
            Due(make, calls, DueReading(lambda cause: self.payer_of(cause)), alone=not engine.store.shared)
            for make in (due_calls_query, due_in_pools_query)
        ]
        self._held_calls = held_calls_query(calls.hub)
        self._lanes = Lanes(calls.registry, self.settings)
        self._busy: dict[str, asyncio.Task[None]] = {}
        self._held: dict[str, int] = {}
        self._acting: dict[str, Ts] = {}  # what of these is still in the function, and since when it is ours
        self._wake = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self._stopping = False
        self._health = SchedulerHealth(clock)
        self.failures = Failures()
        self.payer_of: Callable[[str | None], Payer | None] = lambda _: None
        self._moves = Moves(
            engine,
            calls.registry,
            self._transitions,
            JobTransitions(calls, self._transitions),
            self._workflows,
            self._note_failures,
        )

    # --- life

    def start(self) -> None:
        """Begin to run what is due, if that is enabled."""
        if self.settings.enabled:
            self._tasks = [
                keep_running(self._follow, "scheduler", StoreError),
                keep_running(self._keep_leases, "scheduler leases", StoreError),
            ]

    async def stop(self) -> None:
        """Take up nothing more, wait a little for what runs, and give back the rest."""
        self._stopping = True
        with suppress(TimeoutError):
            async with asyncio.timeout(self.settings.stop_timeout):
                while self._busy:
                    await asyncio.wait(self._busy.values(), return_when=asyncio.FIRST_COMPLETED)
        held = list(self._held.items())
        await end([*self._busy.values(), *self._tasks])
        self._tasks = []
        self._workflows.stop()
        if held:
            work = partial(self._transitions.release, held=held)
            self._moves.note(await self._engine.transact(work, path="_scheduler:release"))

    @property
    def running(self) -> int:
        """How many scheduled calls run here."""
        return len(self._busy)

    @property
    def late(self) -> float:
        """For how many seconds something that is due has been waiting for a place."""
        return self._health.late

    async def health(self) -> PartHealth:
        """Tell how it is, what it does, and what has failed."""
        failed = self.failures.total
        figures = {
            "scheduledCalls": len(self._busy),
            "scheduledLate": round(self._health.late, 1),
            "failedCalls": failed.count,
            "lastFailedCall": failed.last,
        }
        if any(task.done() for task in self._tasks):
            return PartHealth("not running", Level.FAILING, figures=figures)
        part = self._health.part() if self.settings.enabled else PartHealth("off")
        return replace(part, figures=figures)

    async def adopt(self) -> None:
        """Make the crons of the database those of the application."""
        checked(await self._moves.commit(self._transitions.adopt, path="_scheduler:adopt"))

    # --- following the due_calls

    def notify(self) -> None:
        """Look again: the due_calls may have changed."""
        self._wake.set()

    def replaced(self, old: LiveQuery, new: LiveQuery) -> None:
        """Do nothing: an due_calls does not depend on who is calling."""

    async def _follow(self) -> None:
        try:
            await self.adopt()
            followed = [(due, self._engine.watch(self, due.query, due.reading)) for due in self._due]
            self._health.live = [live for _, live in followed]
            held = self._engine.watch(self, self._held_calls)
            try:
                while True:
                    await self._wake.wait()
                    self._wake.clear()
                    self._health.fault = None
                    for due, live in followed:
                        self._look(due, live)
                    self._end_what_is_lost(held)
            finally:
                self._health.live = []
                for live in (*(live for _, live in followed), held):
                    self._engine.unsubscribe(self, live)
        except Exception as error:
            self._health.fault = f"{type(error).__name__}: {error}"
            raise

    def _look(self, due: Due, live: LiveQuery) -> None:
        version = live.version_at(live.ran_at) if live.loaded else None
        if version is None:
            return
        if version.error is not None:
            self._health.fault = version.error.message
        if version.packed is None:
            return
        due.read(version.packed, live.ran_at)
        if (doubt := self._guard.doubt()) > 0:
            asyncio.get_running_loop().call_later(doubt, self._wake.set)
            return
        if not due.is_of_the_future(self._clock()) and (pause := self._begin(due)) is not None:
            asyncio.get_running_loop().call_later(max(pause, SHORTEST_PAUSE), self._wake.set)

    def _end_what_is_lost(self, live: LiveQuery) -> None:
        """End the actions that are no longer ours: cancelled, or taken over by another hub."""
        version = live.version_at(live.ran_at) if live.loaded else None
        if version is None or version.packed is None:
            return
        ours = set(codec.unpack(version.packed))
        for id_, since in list(self._acting.items()):
            if since <= live.ran_at and id_ not in ours:
                self._end_action(id_)

    def _end_action(self, id_: str) -> None:
        """Cancel an action, once: what it does to clean up is not interrupted."""
        if self._acting.pop(id_, None) is not None:
            self._busy[id_].cancel()

    def _begin(self, due: Due) -> float | None:
        """Take up what is due, as far as there is room; tell the seconds until some may begin for whom too much has been
        computed of late: these take no places meanwhile."""
        items = [item for item in due.to_move_on() if key_of(item) not in self._busy]
        waiting: list[int] = []
        pauses: list[float] = []
        for item, lane in self._lanes.in_turn([] if self._stopping else items):
            payer = self.payer_of(item.caused_by)
            if payer is not None and (pause := payer.wait()) > 0:
                pauses.append(pause)
                waiting.append(item.due_at)
            elif self._lanes.take(lane, item.caused_by, alone=payer is None or payer.alone):
                key = key_of(item)
                self._busy[key] = begin(self._take(item, due, lane), f"scheduled {item.path}")
            else:
                waiting.append(item.due_at)
        due.waits_since = min(waiting, default=None)
        self._health.waits_since = min((each.waits_since for each in self._due if each.waits_since), default=None)
        due.query.rest = REST if waiting else 0.0
        return min(pauses, default=None)

    async def _take(self, item: DueCall, due: Due, lane: str, claimed: Claimed | None = None) -> None:
        """Do what is due in a place of a lane.

        Args:
            claimed: An action that is ours already.
        """
        key, seen, place = key_of(item), self._engine.head, Place(due, lane)
        try:
            with caused_by(item.caused_by):
                outcome = await at_cost(self.payer_of(item.caused_by), self._move_on(item, place, claimed))
            due.note(item, seen, outcome.ts)
            if place.following is not None:
                self._go_on_with(*place.following, place)
        except Exception:
            logger.exception("the scheduler could not move %s on", key)
            await asyncio.sleep(PENALTY_SECONDS)
        finally:
            del self._busy[key]
            self._lanes.free(lane, item.caused_by)
            self._wake.set()

    def _go_on_with(self, item: DueCall, claimed: Claimed, place: Place) -> None:
        self._lanes.take_on(place.lane, item.caused_by)
        taking = self._take(item, place.due, place.lane, claimed)
        self._busy[item.id] = begin(taking, f"scheduled {item.path}")

    async def settle(self) -> int | None:
        """Run everything that is due and what that schedules in turn; tell when the next is due (ms since 1970).

        For tests, in place of ``start``.
        """
        for _ in range(MOST_ROUNDS):
            pause = await self.take_up()
            if self._busy:
                await asyncio.wait(self._busy.values(), return_when=asyncio.FIRST_COMPLETED)
            elif pause is not None:
                await asyncio.sleep(pause)
            elif not any(due.is_behind for due in self._due):
                return min((due.calls.next for due in self._due if due.calls.next is not None), default=None)
        raise RuntimeError("what is scheduled goes on scheduling more for the same moment")

    async def take_up(self) -> float | None:
        """Take up what is due now; tell the seconds for which some of it has to wait. For tests."""
        for due in self._due:
            outcome = checked(await self._engine.run_system_query(due.query, due.recall))
            due.read(outcome.packed or b"", outcome.ts or 0)
        pauses = [pause for due in self._due if (pause := self._begin(due)) is not None]
        return min(pauses, default=None)

    # --- moving on

    async def _move_on(self, item: DueCall, place: Place, claimed: Claimed | None) -> Outcome:
        if claimed is not None:
            return await self._act(item.id, claimed, place)
        if item.task in ("action", "running"):
            return await self._run_action(item, place)
        return await self._moves.move_on(item)

    async def _run_action(self, item: DueCall, place: Place) -> Outcome:
        if item.path not in self._calls.registry.functions:
            return await self._moves.fail(item, UnknownFunction(f"there is no action {item.path!r}").info)
        outcome = await self._moves.commit(lambda ctx: self._transitions.claim(ctx, item), path="_scheduler:claim")
        if outcome.error is not None:
            return await self._moves.fail(item, outcome.error)
        claim = outcome.value()
        if isinstance(claim, dict):
            return await self._act(item.id, Claimed(Claim.model_validate(claim), outcome.ts or 0), place)
        return self._moves.note(outcome)

    async def _act(self, id_: str, claimed: Claimed, place: Place) -> Outcome:
        claim = claimed.claim
        attempt = self._held[id_] = claim.attempt
        try:
            outcome = await self._run_function(id_, claimed)
            error, result = outcome.error, None
            if error is None and claim.result_is_wanted:
                result = outcome.value()
            ended, failures = await self._finish(Finish(id_, attempt, error, result), place)
        finally:
            del self._held[id_]
        if failures is None:
            logger.warning("%s took longer than its lease: another hub has taken it over", claim.path)
        else:
            self._note_failures(failures)
        return ended

    async def _finish(self, finish: Finish, place: Place) -> tuple[Outcome, list[Any] | None]:
        """Note how an action ended, and take what is to run in its place by the same commit, if that is known; give the
        commit, and what has failed."""
        if (following := self._following(place)) is not None:
            self._busy[following.id] = self._busy[finish.id_]
            try:
                if (ended := await self._finish_and_claim(finish, following, place)) is not None:
                    return ended
            finally:
                if place.following is None:
                    del self._busy[following.id]
        work = partial(self._transitions.finish, **finish._asdict())
        outcome = checked(await self._moves.commit(work, path="_scheduler:finish"))
        return outcome, outcome.value()

    async def _finish_and_claim(
        self, finish: Finish, following: DueCall, place: Place
    ) -> tuple[Outcome, list[Any] | None] | None:
        """Do both, or neither: then the one that was to follow cannot be taken so, and is left to be taken by itself."""
        seen = self._engine.head
        work = partial(self._transitions.finish_and_claim, **finish._asdict(), following=following)
        outcome = await self._moves.commit(work, path="_scheduler:finish")
        if outcome.error is not None:
            return None
        ended = Ended.model_validate(outcome.value())
        if isinstance(ended.following, Claim):
            claimed = Claimed(ended.following, outcome.ts or 0)
            self._held[following.id] = claimed.claim.attempt
            place.following = following, claimed
        else:
            place.due.note(following, seen, outcome.ts if ended.following else None)
            self._note_failures(ended.following)
        return outcome, ended.failures

    def _following(self, place: Place) -> DueCall | None:
        """Find the action whose turn it is in a place that is about to be free."""
        due, lane = place.due, place.lane
        if self._stopping or self._guard.doubt() > 0 or due.is_of_the_future(self._clock()):
            return None
        items = [each for each in due.to_move_on() if each.task == "action" and each.id not in self._busy]
        for item, _ in self._lanes.in_turn(each for each in items if self._lanes.of(each) == lane):
            payer = self.payer_of(item.caused_by)
            if payer is None or payer.wait() <= 0:
                return item
        return None

    async def _run_function(self, id_: str, claimed: Claimed) -> Outcome:
        claim, self._acting[id_] = claimed.claim, claimed.since
        try:
            with running_scheduled(id_):
                return await self._engine.run_action(claim.path, claim.args, None, origin=CallOrigin.APPLICATION)
        finally:
            self._acting.pop(id_, None)

    def _note_failures(self, failures: Iterable[Any]) -> None:
        self.failures.note(map(Failure.model_validate, failures), int(self._clock() * 1000))

    # --- leases

    async def _keep_leases(self) -> None:
        while True:
            await asyncio.sleep(self.settings.lease / 3)
            await self.renew()

    async def renew(self) -> None:
        """Keep the leases of the actions that run, and end those that another hub has taken over."""
        held = list(self._held.items())
        if not held:
            return
        outcome = await self._engine.transact(lambda ctx: self._transitions.renew(ctx, held), path="_scheduler:renew")
        for id_ in [] if outcome.error is not None else outcome.value():
            self._end_action(id_)
