"""The staged head: mutations that are validated and wait to be durable, and what others see of them meanwhile.

A mutation reads the newest committed state with everything laid over it that is staged (a *view*). When it has run, it is
validated against all that has happened since its view was taken, and staged itself, in order. What leans on an entry that
cannot be committed after all is dropped with it, in order, and run again; nobody outside has heard of either.

Optimistic validation: Kung and Robinson, "On optimistic methods for concurrency control", ACM TODS 6 (1981).
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final

from synovia.engine.entries import Attempt, Entry, Outdated, State, Submission
from synovia.store.base import Gap, Snapshot, StoreError, Ts
from synovia.transaction.keyed import KeyedCommit
from synovia.transaction.overlay import OverlaidSnapshot, Overlay
from synovia.transaction.readset import ReadSet

_MOST_HISTORY: Final = 8192
"""A mutation that runs while so many others commit is run again, alone."""
_LATELY: Final = 60.0
TOKEN_BYTES: Final = 16
"""What comes behind these in a token tells other hubs of this one."""


@dataclass(slots=True, eq=False)
class View:
    """The newest state that a hub knows, as one run sees it.

    Attributes:
        snapshot: What is committed at ``ts``, with the first ``height`` of ``entries`` laid over it.
        number: How many changes there had been when it was taken, and ``drops``: how many dropped entries.
        epoch: As of ``Stage.epoch``.
    """

    ts: Ts
    snapshot: OverlaidSnapshot
    entries: Sequence[Entry]
    height: int
    number: int
    drops: int
    epoch: int
    _close: Callable[[View], None]

    def close(self) -> None:
        """Need nothing any more of what happens from now on."""
        self._close(self)

    def leaned_on(self, reads: ReadSet) -> list[Entry]:
        """Give the entries whose writes were read and are not known to be durable."""
        seen = islice(self.entries, self.height)
        return [entry for entry in seen if entry.state is not State.DURABLE and reads.overlaps(entry.commit)]


@dataclass(slots=True, eq=False)
class _Change:
    """Something that views taken before it have not seen; ``entry`` is None if it comes from elsewhere."""

    number: int
    commit: KeyedCommit
    entry: Entry | None = None


class Stage:
    """The entries of one hub that the log has not brought yet, in their order.

    Args:
        snapshots: Gives the committed state as of a timestamp.

    Attributes:
        head: The timestamp up to which the log has brought everything.
        fence: How many Synovia transactions are known to be committed.
        epoch: How often it was not known any more what is committed.
        number: How many changes there have been: entries, and commits from elsewhere.
        outdated: How many mutations had to be run again.
        on_large: Is told of every large entry when it is staged.
        settled_at: When anything was last known to be durable, by the monotonic clock.
    """

    def __init__(self, snapshots: Callable[[Ts], Snapshot]) -> None:
        self._snapshots = snapshots
        self._committed: tuple[Ts, Snapshot] | None = None  # what is committed at the head, for all views of it
        self._entries: list[Entry] = []
        self._overlay = Overlay()
        self._history: deque[_Change] = deque()
        self._history_start = 0
        self._dropped: deque[tuple[int, Entry]] = deque()
        self._drops = 0
        self._views: dict[View, None] = {}  # the oldest first
        self._attempts: dict[bytes, Attempt] = {}
        self._small_are_next = False
        self._resting: asyncio.TimerHandle | None = None
        self._work = asyncio.Event()
        self._moves: list[asyncio.Future[None]] = []
        self._heard_at = -_LATELY
        self.head: Ts = 0
        self.fence = 0
        self.epoch = 0
        self.number = 0
        self.outdated = 0
        self.on_large: Callable[[Entry], None] = lambda entry: None
        self.settled_at = float("-inf")

    def __len__(self) -> int:
        """Tell how many entries are not durable yet."""
        return sum(entry.state is not State.DURABLE for entry in self._entries)

    def start(self, head: Ts, fence: int) -> None:
        """Begin where the log begins."""
        self.head, self.fence = head, fence

    @property
    def hears_of_others(self) -> bool:
        """Whether other hubs make ids lately: then it pays to know how far the database had come when a mutation began."""
        return time.monotonic() - self._heard_at < _LATELY

    # --- views and entries --------------------------------------------------------------------------------------------

    async def ready(self) -> None:
        """Wait until it is known what is committed, after a gap in the log."""
        while self._entries and self._entries[0].epoch != self.epoch:  # the oldest comes first
            await self._moved()

    def view(self) -> View:
        """Look at the newest state there is; all that happens until it is closed can be checked against it."""
        if self._committed is None or self._committed[0] != self.head:
            self._committed = self.head, self._snapshots(self.head)
        snapshot = OverlaidSnapshot(self._committed[1], self._overlay)
        view = View(
            self.head, snapshot, self._entries, len(self._entries), self.number, self._drops, self.epoch, self._close
        )
        self._views[view] = None
        return view

    def _close(self, view: View) -> None:
        """Forget what every view that is left has seen."""
        del self._views[view]
        if not self._views:
            if self._history or self._dropped:
                self._history.clear()
                self._dropped.clear()
            return
        oldest = next(iter(self._views))
        while self._history and self._history[0].number <= oldest.number:
            self._history.popleft()
        while self._dropped and self._dropped[0][0] <= oldest.drops:
            self._dropped.popleft()

    def add(self, view: View, submission: Submission) -> Entry:
        """Stage a mutation on top of all others.

        Raises:
            Outdated: What it has read in its view has changed since.
        """
        if not self._holds(view, submission):
            self.outdated += 1
            raise Outdated(elsewhere=self._is_overtaken_elsewhere(view, submission))
        self.number += 1
        entry = Entry(submission, self.number, self.epoch, submission.is_large)
        self._entries.append(entry)
        self._overlay.add(submission.keyed)
        self._remember(_Change(self.number, submission.keyed, entry))
        if entry.is_large:
            self.on_large(entry)
        self._work.set()
        return entry

    def still_holds(self, view: View, reads: ReadSet, leaned_on: Collection[Entry]) -> bool:
        """Tell whether what was read was true at some instant: nothing of it has changed by commits from elsewhere since, or
        was never committed, nor has an entry changed it that was staged later and committed before one it leans on."""
        until = max((entry.ts for entry in leaned_on if entry.ts is not None), default=0)
        return not (
            self._is_lost(view)
            or any(_was_before(change, until) and reads.overlaps(change.commit) for change in self._since(view))
            or self._was_dropped(view, reads)
        )

    async def until_durable(self, entries: Iterable[Entry]) -> bool:
        """Wait until entries are durable; tell whether all are, or one was dropped."""
        for entry in entries:
            while entry.state not in (State.DURABLE, State.DROPPED):
                await self._moved()
            if entry.state is State.DROPPED:
                return False
        return True

    def _holds(self, view: View, submission: Submission) -> bool:
        if view.number == self.number and view.drops == self._drops and view.epoch == self.epoch:
            return True  # nothing has happened since
        if self._is_lost(view):
            return False
        for change in self._since(view):
            if change.entry is None:
                if self._overtakes(change.commit, submission):
                    return False
            elif change.entry.state is not State.DROPPED and submission.decisive.overlaps(change.commit):
                return False
        return not self._was_dropped(view, submission.reads)

    def _is_overtaken_elsewhere(self, view: View, submission: Submission) -> bool:
        """Tell whether another hub has changed what was read."""
        since = (change.commit for change in self._since(view) if change.commit.fence is not None)
        return any(submission.decisive.overlaps(commit) for commit in since)

    def _is_lost(self, view: View) -> bool:
        return view.epoch != self.epoch or view.number < self._history_start

    def _since(self, view: View) -> Iterator[_Change]:
        """Give the changes after a view was taken, the newest first."""
        for change in reversed(self._history):
            if change.number <= view.number:
                return
            yield change

    def _was_dropped(self, view: View, reads: ReadSet) -> bool:
        """Tell whether a view has shown something that will never be committed, and that was read."""
        for number, entry in reversed(self._dropped):
            if number <= view.drops:
                return False
            if entry.number <= view.number and reads.overlaps(entry.commit):
                return True
        return False

    def _overtakes(self, commit: KeyedCommit, submission: Submission) -> bool:
        """Tell whether a mutation has to run again because of another's commit: it changes what was read, or is another
        hub's, which may have been acknowledged before the mutation began, and has made greater ids."""
        if submission.decisive.overlaps(commit):
            return True
        first = None if submission.ids is None else submission.ids.first
        if first is None or commit.clock <= first:
            return False
        self._heard_at = time.monotonic()
        floor = None if submission.floor is None else submission.floor.ts
        return floor is None or commit.ts <= floor

    def _remember(self, change: _Change) -> None:
        if self._views:
            self._history.append(change)
            if len(self._history) > _MOST_HISTORY:
                self._history_start = self._history.popleft().number

    # --- committing ---------------------------------------------------------------------------------------------------

    async def work(self) -> None:
        """Wait until there may be something to commit."""
        while not any(entry.state is State.STAGED for entry in self._entries):
            self._work.clear()
            await self._work.wait()
        await self._work.wait()

    def look_again(self) -> None:
        """Let ``work`` end: there may be something to commit, also if there was nothing the last time."""
        self._work.set()

    def begin(self, most: int, mark: bytes = b"") -> Attempt | None:
        """Take the first entries that are not durable, to commit them; None if there are none.

        They are many small ones together, or one large one alone; in turns, if it comes to the same. Large ones that are
        not ready, or have to rest, let small ones go first.

        Args:
            mark: What this hub tells the others with its commit, at the end of the token.
        """
        staged = [entry for entry in self._entries if entry.state is State.STAGED]
        entries = self._small(staged, most) if self._small_are_next else []
        entries = entries or self._first(staged, most)
        if not entries:
            self._work.clear()
            return None
        self._small_are_next = entries[0].is_large
        for entry in entries:
            entry.state = State.COMMITTING
        attempt = Attempt(secrets.token_bytes(TOKEN_BYTES) + mark, self.fence, entries)
        self._attempts[attempt.token] = attempt
        return attempt

    def let_large_rest(self, seconds: float) -> None:
        """Begin no large entry for a while: small ones have waited for one."""
        if self._resting is not None:
            self._resting.cancel()
        self._resting = asyncio.get_running_loop().call_later(seconds, self._rested)

    def _rested(self) -> None:
        self._resting = None
        self.look_again()

    def _first(self, staged: Sequence[Entry], most: int) -> list[Entry]:
        if staged and staged[0].is_large:
            waits = staged[0].is_preparing or self._resting is not None
            return self._small(staged, most) if waits else [staged[0]]
        first = list(staged[:most])
        large = [entry.is_large for entry in first]
        return first[: large.index(True)] if True in large else first

    @staticmethod
    def _small(staged: Sequence[Entry], most: int) -> list[Entry]:
        """Give small entries that may be committed before everything that was staged before them and is left."""
        passed, small = list[Entry](), list[Entry]()
        for entry in staged:
            if len(small) == most:
                break
            (passed if entry.is_large or not entry.may_go_before(passed) else small).append(entry)
        return small

    def acknowledge(self, attempt: Attempt, ts: Ts) -> None:
        """Take notice that the store has committed an attempt; the log may have brought it already."""
        self.fence = max(self.fence, attempt.fence + 1)
        attempt.ts = ts
        self._settle(attempt, ts)
        self._pass_by(self.head)
        self._move()

    def put_back(self, attempt: Attempt, *, uncertain: bool = False) -> list[Entry]:
        """Stage entries again whose attempt has failed, or may have; give those that are still to be committed."""
        if not uncertain:
            self._attempts.pop(attempt.token, None)
        waiting = [entry for entry in attempt.entries if entry.state is State.COMMITTING]
        for entry in waiting:
            entry.state = State.STAGED
            entry.uncertain = entry.uncertain or uncertain
        lost = [entry for entry in waiting if entry.overtaken or entry.epoch != self.epoch]
        self.outdated += len(lost)
        self.drop(lost, _outdated)
        return [entry for entry in waiting if entry.state is State.STAGED]

    def drop(self, culprits: Collection[Entry], error: Callable[[Entry], Exception]) -> None:
        """Give entries up, and have all that lean on them run again, in order."""
        if not culprits:
            return
        dropped: list[Entry] = []
        given_up = set(culprits)
        self.look_again()
        for entry in self._entries:
            if entry in given_up:
                entry.fail(error(entry))
            elif entry.state is not State.DURABLE and entry.leans_on(dropped):
                entry.fail(_outdated(entry))
                self.outdated += 1
            else:
                continue
            dropped.append(entry)
            self._drops += 1
            if self._views:
                self._dropped.append((self._drops, entry))
        self._keep(entry for entry in self._entries if entry.state is not State.DROPPED)

    # --- following the log --------------------------------------------------------------------------------------------

    def on_change(self, change: KeyedCommit | Gap) -> None:
        """Take in what the log brings, at the moment at which it becomes the head."""
        self.head = max(self.head, change.ts)
        if isinstance(change, Gap):
            self._lose(change)
            return
        attempt = self._attempts.pop(change.token, None) or self._acknowledged_at(change.ts)
        if change.fence is not None:
            self.fence = max(self.fence, change.fence)
            self._forget_attempts_before(change.fence)
        if attempt is not None:
            self._deliver(attempt, change)
        elif change.points or change.fence is not None:
            self._give_way(change)
        self._pass_by(change.ts)
        self._move()

    def _acknowledged_at(self, ts: Ts) -> Attempt | None:
        """Find an attempt by its timestamp, for stores that do not give tokens back."""
        attempt = next((each for each in self._attempts.values() if each.ts == ts), None)
        return None if attempt is None else self._attempts.pop(attempt.token)

    def _forget_attempts_before(self, fence: int) -> None:
        """Forget attempts whose number another transaction has: they can never take place."""
        for token in [each.token for each in self._attempts.values() if each.fence < fence and each.ts is None]:
            del self._attempts[token]

    def _deliver(self, attempt: Attempt, commit: KeyedCommit) -> None:
        """What was committed is below the stage from now on, also if the store has not acknowledged it yet."""
        if State.DROPPED in [entry.state for entry in attempt.entries]:
            self._give_way(commit, attempt.entries)  # given up too early: to all others it is news
        self._settle(attempt, commit.ts)
        attempt.hear()
        delivered = set(attempt.entries)
        self._keep([entry for entry in self._entries if entry not in delivered])

    def _settle(self, attempt: Attempt, ts: Ts) -> None:
        self.settled_at = time.monotonic()
        for entry in attempt.entries:
            entry.settle(ts)

    def _give_way(self, commit: KeyedCommit, but: Collection[Entry] = ()) -> None:
        """Drop what a commit from elsewhere has overtaken, at once: no view may show both."""
        self.number += 1
        self._remember(_Change(self.number, commit))
        overtaken = [entry for entry in self._entries if entry not in but and self._overtakes(commit, entry.submission)]
        self._give_way_at_once([entry for entry in overtaken if self._is_open(entry, commit)], commit)
        for entry in overtaken:
            entry.overtaken = True

    def _give_way_at_once(self, overtaken: Collection[Entry], commit: KeyedCommit) -> None:
        self.outdated += len(overtaken)
        elsewhere = commit.fence is not None
        self.drop(overtaken, lambda entry: Outdated(uncertain=entry.uncertain, elsewhere=elsewhere))

    @staticmethod
    def _is_open(entry: Entry, commit: KeyedCommit) -> bool:
        """Tell whether an entry will not be committed. One that is being committed will not, if another hub's transaction
        has taken its number; another program's commit has none: then the store decides, and if it refuses, this is why."""
        return entry.state is State.STAGED or (entry.state is State.COMMITTING and commit.fence is not None)

    def _pass_by(self, ts: Ts) -> None:
        """Take entries off the stage that are below the head although the log has not brought them, as in a gap."""
        passed = {entry for entry in self._entries if entry.ts is not None and entry.ts <= ts}
        if passed:
            self._keep(entry for entry in self._entries if entry not in passed)
            self._attempts = {token: each for token, each in self._attempts.items() if each.ts is None or each.ts > ts}
            self._begin_epoch()

    def _lose(self, gap: Gap) -> None:
        """Begin anew after a gap in the log: what it hides may have overtaken everybody."""
        self.fence = max(self.fence, gap.fence)
        self._begin_epoch()
        staged = [entry for entry in self._entries if entry.state is State.STAGED]
        self.outdated += len(staged)
        self.drop(staged, _outdated)
        self._pass_by(gap.ts)
        self._move()

    def _begin_epoch(self) -> None:
        self.epoch += 1
        self._history.clear()
        self._dropped.clear()

    # --- both ---------------------------------------------------------------------------------------------------------

    def _keep(self, entries: Iterable[Entry]) -> None:
        """Have only these entries left; views go on with what they have seen."""
        self._entries = list(entries)
        self._overlay = Overlay()
        for entry in self._entries:
            self._overlay.add(entry.submission.keyed)
        self._move()

    def fail_all(self, error: StoreError) -> None:
        """Give everything up that is not durable."""
        waiting = [entry for entry in self._entries if entry.state is not State.DURABLE]
        self.drop(waiting, lambda _: error)

    async def _moved(self) -> None:
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._moves.append(future)
        await future

    def _move(self) -> None:
        moves, self._moves = self._moves, []
        for future in moves:
            if not future.done():
                future.set_result(None)


def _was_before(change: _Change, until: Ts) -> bool:
    """Tell whether a change comes from elsewhere, or was committed before ``until``."""
    return change.entry is None or (change.entry.ts is not None and change.entry.ts < until)


def _outdated(entry: Entry) -> Outdated:
    return Outdated(uncertain=entry.uncertain)
