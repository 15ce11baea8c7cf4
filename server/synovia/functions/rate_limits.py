"""``RateLimit``: how much of something may be done in a time, for each user, tenant, address or whatever else is a key.

What is spent is written by the mutation that spends it, in its transaction: a mutation that fails has spent nothing, and
several hubs count together. One document is kept for each key that has spent something of late.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from synovia.errors import InvalidArguments, RateLimited, SchemaError
from synovia.functions.awaiting import awaited
from synovia.functions.conditions import le
from synovia.functions.context import MutationContext, QueryContext
from synovia.functions.database import SystemWriter
from synovia.schema import Id, Index, Table

FORGET_LIMITS: Final = "_limits:forget"
"""The path of the cron that deletes what no limit counts any more; only applications that declare limits have it."""
_MS: Final = timedelta(milliseconds=1)
_LONGEST_NAME: Final = 64
_LONGEST_KEY: Final = 180
_ROUNDING: Final = 0.01
"""Milliseconds; a float holds times of this century to a fraction of a thousandth of one, and sums of many less well."""
_AT_ONCE: Final = 500


class RateLimitState(Table, name="_rateLimits", system=True, text_ids=True, indexes=[Index("by_over_at", "over_at")]):
    """What of a limit is spent; its id is the limit's name and the key. A document that is over counts as none.

    Attributes:
        spent: Of a fixed window: so much in this one. Of a bucket: nothing, ``over_at`` says all.
        over_at: When all that may be spent is there again, in milliseconds since 1970; a fraction of one counts.
    """

    spent: float = 0
    over_at: float


@dataclass(frozen=True, slots=True)
class RateLimit:
    """Lets so much be done in a time; declared in a module of the application, spent by its mutations.

    ``await posts.spend(ctx, user.id)`` takes one of what the key may spend, or refuses.

    Args:
        name: By which the database keeps what is spent; no other limit has it.
        rate: How much may be done in ``per``.
        per: The time; at least a millisecond, at most 366 days.
        burst: How much may be done at once when nothing was done for long: what a token bucket holds; by default ``rate``.
            It fills at a steady rate: the generic cell rate algorithm of ITU-T I.371, which is that of a leaky bucket.
        window: Whether the count begins anew at each multiple of ``per`` since 1970 (UTC), in place of a bucket that fills.

    Raises:
        SchemaError: It cannot be so.
    """

    name: str
    rate: float
    per: timedelta
    burst: float | None = None
    window: bool = False

    def __post_init__(self) -> None:
        if not 0 < len(self.name) <= _LONGEST_NAME or ":" in self.name:
            text = f"a limit's name is a text of up to {_LONGEST_NAME} characters without a colon"
            raise SchemaError(f"{text}, not {self.name!r}")
        if not 0 < self.rate < 1e12:
            raise SchemaError(f"limit {self.name!r}: the rate is a number above 0")
        if not _MS <= self.per <= timedelta(days=366):
            raise SchemaError(f"limit {self.name!r}: per is a timedelta of a millisecond to 366 days")
        if self.burst is not None and (self.window or not 1 <= self.burst < 1e12):
            raise SchemaError(f"limit {self.name!r}: burst is at least 1, and a window has none")

    @property
    def most(self) -> float:
        """What can be spent at once."""
        return self.rate if self.burst is None else self.burst

    @awaited("spend of a RateLimit", is_write=True)
    async def spend(self, ctx: MutationContext, key: str = "", amount: float = 1) -> None:
        """Spend some of what a key may, or nothing if there is not enough.

        Args:
            ctx: Of the mutation.
            key: Whose it is: a user's id, a tenant's, an address; up to 180 characters. By default one for all.
            amount: How much.

        Raises:
            RateLimited: There is not enough; the data is ``{"retryAfter": seconds, "limit": name}``.
            InvalidArguments: There never is so much, or this is no key.
        """
        if not 0 < amount <= self.most:
            raise InvalidArguments(
                f"limit {self.name!r}: between 0 and {self.most:g} can be spent at once, not {amount:g}"
            )
        writer = SystemWriter(ctx.db)
        before = await writer.get(self._id(key))
        spent, over_at = self._after(before, amount, ctx.now)
        if before is None:
            await writer.insert(RateLimitState(id=self._id(key), spent=spent, over_at=over_at))
        else:
            await writer.patch(before, spent=spent, over_at=over_at)

    @awaited("left of a RateLimit")
    async def left(self, ctx: QueryContext, key: str = "") -> float:
        """Tell how much a key may spend now. A query that asks is run again when some is spent, and after a second."""
        state = await ctx.db.for_application().get(self._id(key))
        if state is None or state.over_at <= ctx.now:
            return self.most
        if self.window:
            return max(0.0, self.rate - state.spent)
        return max(0.0, self.most - (state.over_at - ctx.now) / self._interval)

    @property
    def _interval(self) -> float:
        """The milliseconds in which one comes back."""
        return self.per / _MS / self.rate

    def _id(self, key: str) -> Id[RateLimitState]:
        if not isinstance(key, str) or len(key) > _LONGEST_KEY or not _is_unicode(key):
            raise InvalidArguments(f"limit {self.name!r}: a key is a text of up to {_LONGEST_KEY} characters")
        return Id[RateLimitState](f"{self.name}:{key}")

    def _after(self, state: RateLimitState | None, amount: float, now: int) -> tuple[float, float]:
        """Give what is spent, and until when that counts, once ``amount`` more is.

        Raises:
            RateLimited: There is not so much.
        """
        past = state if state is not None and state.over_at > now else None
        if self.window:
            every = self.per // _MS
            end = (now // every + 1) * every
            spent = amount + (past.spent if past else 0)
            self._check(end - now if spent > self.rate else 0)
            return spent, end
        over_at = (past.over_at if past else now) + amount * self._interval
        self._check(over_at - now - self.most * self._interval)
        return 0, over_at

    def _check(self, wait: float) -> None:
        if wait > _ROUNDING:
            seconds = math.ceil(wait) / 1000
            told = {"retryAfter": seconds, "limit": self.name}
            raise RateLimited(f"too often; try again in {seconds:g} seconds", told)


def _is_unicode(text: str) -> bool:
    """Tell whether a text holds no half of a surrogate pair, which cannot be stored."""
    return text.isascii() or not any("\ud800" <= each <= "\udfff" for each in text)


async def forget_limits(ctx: MutationContext) -> None:
    """Delete what counts no more of what was spent, some hundreds at a time."""
    writer = SystemWriter(ctx.db)
    over = await writer.query(RateLimitState).using("by_over_at", over_at=le(ctx.now)).take(_AT_ONCE)
    for state in over:
        await writer.delete(state)
    if len(over) == _AT_ONCE:
        await ctx.scheduler.run_after(timedelta(), FORGET_LIMITS)
