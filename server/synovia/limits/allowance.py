"""What one connection may still send: its own share, and that of the address it comes from."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable

from synovia.limits.addresses import Address, sign_ins
from synovia.limits.bucket import BURST_SECONDS
from synovia.limits.meter import Meter
from synovia.limits.settings import HubLimits
from synovia_protocol.errors import ErrorCode, ErrorInfo

_RESERVE = 0.25
"""Of each bucket that is left to calls which cannot wait; what can wait does so before it is empty."""
_LONGEST_PAUSE = 1.0
_SHORTEST_PAUSE = 0.02
"""Who has to wait does so for as long as several messages take: else each would cost a timer and a round of the loop."""


def too_much(seconds: float) -> ErrorInfo:
    """Make the error of who has to wait so many seconds."""
    seconds = (math.floor(seconds * 1000) + 1) / 1000  # a moment later rather than too early
    return ErrorInfo(ErrorCode.RATE_LIMITED, "too much at once; try again later", {"retryAfter": seconds})


class Allowance:
    """Counts what a client sends, and makes it wait.

    Args:
        address: Whose share is used too.
        clock: Tells seconds, steadily.
    """

    def __init__(self, limits: HubLimits, address: Address, clock: Callable[[], float]) -> None:
        self._address = address
        self._clock = clock
        now = clock()
        self._own = Meter(limits.max_messages_per_second, limits.max_bytes_per_second, now)
        self._sign_ins = sign_ins(limits.max_authentications_per_minute, now)

    async def pace(self, messages: int, size: int) -> None:
        """Count messages that may wait; return when they may be handled."""
        if self._address.in_line or (self._may_have_to_wait and self._wait(_RESERVE) > 0):
            await self._wait_in_line(messages, size)
        else:
            self._take(messages, size)

    @property
    def _may_have_to_wait(self) -> bool:
        """Whether more was used up than leaves the reserve, when something was last taken."""
        return self._own.left < _RESERVE or self._address.meter.left < _RESERVE

    async def _wait_in_line(self, messages: int, size: int) -> None:
        """Wait for the own share, then for that of the address, behind those of its connections that wait already: one
        is woken at a time, not all of them for what only one can have."""
        if (wait := self._own.wait(self._clock(), _RESERVE)) > 0:
            await asyncio.sleep(max(wait, _SHORTEST_PAUSE))
        async with self._address.standing_in_line():
            while (wait := self._address.meter.wait(self._clock(), _RESERVE)) > 0:  # noqa: ASYNC110 (calls take from it too)
                await asyncio.sleep(max(wait, _SHORTEST_PAUSE))
            self._take(messages, size)

    def _wait(self, reserve: float = 0.0) -> float:
        now = self._clock()
        return max(self._own.wait(now, reserve), self._address.meter.wait(now, reserve))

    def take(self, size: int) -> float:
        """Count a message that cannot wait; give 0, or if it comes too early the seconds after which it will not."""
        self._take(1, size)
        if self._wait() <= 0:
            return 0.0
        now = self._clock()
        return max(self._own.wait_for(1, size, now), self._address.meter.wait_for(1, size, now))

    def _take(self, messages: int, size: int) -> None:
        now = self._clock()
        self._own.take(messages, size, now)
        self._address.take(messages, size, now)

    @property
    def abused(self) -> bool:
        """Whether this connection has sent twice as much as it may, all at once."""
        return self._own.wait(self._clock()) > BURST_SECONDS

    async def pause(self) -> None:
        """Wait a while if the whole address sends too much: others of its connections would go on where one is ended."""
        wait = self._address.meter.wait(self._clock())
        if wait > 0:
            await asyncio.sleep(min(wait, _LONGEST_PAUSE))

    def anonymous_samples(self, size: int) -> bool:
        """Count bytes of an array from a client that is not signed in; tell whether the address may send them."""
        return self._address.anonymous_samples.spend(size, self._clock()) <= 0

    def sign_in(self) -> float:
        """Count a token to verify; give 0, or the seconds after which it may be tried again."""
        now = self._clock()
        wait = max(bucket.wait_for(1, now) for bucket in (self._sign_ins, self._address.sign_ins))
        if wait <= 0:
            self._sign_ins.take(1, now)
            self._address.sign_ins.take(1, now)
        return wait
