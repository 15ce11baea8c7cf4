"""Workflows that wait in memory between their turns, so that a turn costs what is new (*sticky execution*).

What is kept is only speed: a hub that has not got a workflow, or one that another has moved on meanwhile, runs it from its
beginning against its journal. The row of a workflow names the turn that has left it so, by a number that this hub gives to
each turn it tries, and by the hub. What was kept by a turn that was not committed is of a turn that no row ever names.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import Final

from synovia.functions.scheduled_calls import ScheduledCall, WorkflowStep
from synovia.functions.workflow import WorkflowFunction
from synovia.scheduler.replay import Arrival, Execution
from synovia.transaction.footprint import footprint

MOST_BYTES: Final = 32 * 1024 * 1024
"""So much all that wait in memory may take, as estimated."""
_BYTES, _BYTES_OF_STEP = 8 * 1024, 2 * 1024
"""What a workflow takes by itself, and with each step beside its result."""


@dataclass(slots=True)
class Kept:
    """A workflow that waits, and what is to be known of it to go on.

    Attributes:
        seen: So many of what has come of its steps it has seen.
        sleeps: When those are over that it waits for, in milliseconds since 1970, by their numbers.
        bytes: That it takes, as estimated.
        turn: That has left it so.
    """

    function: WorkflowFunction
    execution: Execution
    seen: int = 0
    sleeps: dict[int, int] = field(default_factory=dict)
    bytes: int = _BYTES
    turn: int = 0

    def sleep(self, rows: Iterable[WorkflowStep], given_up: Iterable[int]) -> None:
        """Take notice of the sleeps among some steps, and of what it does not wait for any more."""
        for each in rows:
            self.sleeps.pop(each.number, None)
            if each.kind == "sleep" and each.status == "pending" and each.due_at is not None:
                self.sleeps[each.number] = each.due_at
        for number in given_up:
            self.sleeps.pop(number, None)

    def grow(self, steps: int, arrived: Sequence[Arrival]) -> None:
        """Count what it holds more."""
        self.seen += len(arrived)
        self.bytes += steps * _BYTES_OF_STEP + sum(footprint(each.result) for each in arrived)


class KeptWorkflows:
    """The workflows that wait in the memory of a hub; of too many those that have waited longest are dropped.

    Args:
        hub: Its name.
        most: How many; 0: none.
        most_bytes: How much they take together at most.
    """

    def __init__(self, hub: str, most: int, most_bytes: int = MOST_BYTES) -> None:
        self._hub = hub
        self._most = most
        self._most_bytes = most_bytes
        self._turns = count(1)
        self._kept: OrderedDict[str, Kept] = OrderedDict()  # the oldest first
        self._bytes = 0

    def __len__(self) -> int:
        return len(self._kept)

    def take(self, call: ScheduledCall, function: WorkflowFunction) -> Kept | None:
        """Take a workflow out, if what is kept of it is as its row says: whoever has it moves it on, or loses it."""
        kept = self._take_out(call.id)
        if kept is None:
            return None
        if call.turn == kept.turn and call.hub == self._hub and kept.function is function:
            return kept
        _drop([kept])
        return None

    def keep(self, id_: str, kept: Kept) -> int:
        """Keep a workflow after a turn; give the number by which its row has to name that turn."""
        kept.turn, dropped = next(self._turns), list[Kept]()
        if kept.bytes > self._most_bytes or not self._most:  # which is no reason to drop others
            _drop([kept])
            return kept.turn
        self._kept[id_] = kept
        self._bytes += kept.bytes
        while len(self._kept) > self._most or self._bytes > self._most_bytes:
            if (oldest := self._take_out(next(iter(self._kept)))) is not None:
                dropped.append(oldest)
        _drop(dropped)
        return kept.turn

    @contextmanager
    def dropped_on_error(self, kept: Kept) -> Iterator[None]:
        """Drop a workflow that was taken if its turn cannot be brought to an end."""
        try:
            yield
        except BaseException:
            _drop([kept])
            raise

    def clear(self) -> None:
        """Drop them all."""
        kept = [*self._kept.values()]
        self._kept.clear()
        self._bytes = 0
        _drop(kept)

    def _take_out(self, id_: str) -> Kept | None:
        kept = self._kept.pop(id_, None)
        self._bytes -= 0 if kept is None else kept.bytes
        return kept


def _drop(kept: Sequence[Kept]) -> None:
    if kept:  # in a thread, as whatever workflows do when they are closed
        asyncio.get_running_loop().run_in_executor(None, _close, kept)


def _close(kept: Sequence[Kept]) -> None:
    for each in kept:
        each.execution.close()
