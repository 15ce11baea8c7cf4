"""Who holds up the event loop: a query that computes without an await cannot be ended, but it can be named.

A thread looks whether the loop still comes round. Where it does not, it looks at what the loop's thread is doing.
"""

from __future__ import annotations

import asyncio
import logging
import math
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from inspect import CO_COROUTINE
from types import CodeType, FrameType
from typing import Final

from synovia.functions.function import Function
from synovia.health import PartHealth

logger = logging.getLogger("synovia")

HELD_SECONDS: Final = 1.0
"""A loop that has not come round for so long is held up."""


@dataclass(frozen=True, slots=True)
class Holder:
    """What held up the loop: the path of a function, or None, and the line that was at work."""

    path: str | None
    line: str

    def __str__(self) -> str:
        return self.line if self.path is None else f"{self.path} ({self.line})"


class LoopWatch:
    """Watches the event loop that it is started in.

    Args:
        runs: The code that calls functions; each of its frames has the function in ``function``.
        seconds: For how long the loop may not come round.

    Attributes:
        count: How often it was held up.
        longest: For how many seconds at most, and ``by`` whom.
    """

    def __init__(self, runs: CodeType, seconds: float = HELD_SECONDS) -> None:
        self._runs = runs
        self._seconds = seconds
        self._thread = 0
        self._stopping = threading.Event()
        self._beat: asyncio.TimerHandle | None = None
        self._beaten = 0.0
        self._cpu = 0.0
        self._holder: Holder | None = None
        self.count = 0
        self.longest = 0.0
        self.by: Holder | None = None

    def start(self) -> None:
        """Begin to watch the loop that is running."""
        self._thread = threading.get_ident()
        self._stopping = threading.Event()
        self._beaten = math.inf  # to start a thread is to wait for it, and this wait is nobody's
        threading.Thread(target=self._watch, args=(self._stopping,), name="synovia-loop-watch", daemon=True).start()
        self._beaten, self._cpu = time.monotonic(), time.process_time()
        self._come_round()

    def stop(self) -> None:
        """End it."""
        self._stopping.set()
        if self._beat is not None:
            self._beat.cancel()

    async def __call__(self) -> PartHealth:
        """Tell how often the loop was held up since the start, for how long at most, and by what."""
        by = None if self.by is None else str(self.by)
        return PartHealth(figures={"loopHeld": self.count, "loopHeldLongest": round(self.longest, 1), "loopHeldBy": by})

    def _come_round(self) -> None:
        now = time.monotonic()
        held, self._beaten, self._cpu = now - self._beaten, now, time.process_time()
        if (holder := self._holder) is not None:
            self._holder = None
            self.count += 1
            if held > self.longest:
                self.longest, self.by = held, holder
            logger.warning(
                "the event loop was held up for %.1f s by %s: nobody else was served meanwhile", held, holder
            )
        self._beat = asyncio.get_running_loop().call_later(self._seconds / 4, self._come_round)

    def _watch(self, stopping: threading.Event) -> None:
        looked = time.monotonic()
        while not stopping.wait(self._seconds / 4):
            beaten, before, looked = self._beaten, looked, time.monotonic()
            is_late = looked - before > self._seconds / 2
            if is_late and time.process_time() - self._cpu < (looked - beaten) / 2:
                continue  # others have the processor: neither this thread nor the loop's can do anything about it
            if self._holder is None and looked - beaten > self._seconds:
                holder = _holder_of(sys._current_frames().get(self._thread), self._runs)
                if holder is not None and self._beaten == beaten:
                    logger.warning("the event loop is held up by %s, which computes without an await", holder)
                    self._holder = holder


def _holder_of(frame: FrameType | None, runs: CodeType) -> Holder | None:
    """Tell who is at work in a thread; None if no coroutine is: the loop waits, and others have the processor."""
    stack = list(_outward(frame))
    if not any(each.f_code.co_flags & CO_COROUTINE for each in stack):
        return None
    functions = (each.f_locals.get("function") for each in stack if each.f_code is runs)
    path = next((function.path for function in functions if isinstance(function, Function)), None)
    return Holder(path, f"{stack[0].f_code.co_filename}:{stack[0].f_lineno}")


def _outward(frame: FrameType | None) -> Iterator[FrameType]:
    while frame is not None:
        yield frame
        frame = frame.f_back
