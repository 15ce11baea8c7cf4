"""What a program holds of a live query: its newest value, and an iterator over the new ones."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from typing import Any, Generic, Self, TypeVar, cast

from synovia_client.clock import Deadline
from synovia_client.errors import FunctionError, RequestTimeout, SynoviaError
from synovia_client.queries import MISSING, LiveQuery
from synovia_client.sync_state import SyncState

R = TypeVar("R")


class Subscription(Generic[R]):
    """A query that is kept up to date while somebody is inside ``async with`` or iterates.

    ``async for value in subscription`` gives the present value, then each new one; who is slow gets the newest and misses
    those in between. It raises FunctionError when the query fails; iterate again to wait for it to recover.
    ``async with`` waits for the first value or error and keeps the query alive between iterations.

    Args:
        work: Where queries are held.
        ended: Tells why the client does nothing any more; None while it does.
        path: ``module:function``.
        args: The arguments, as wire values.
        deadline: Makes the time limit for the first value in ``async with``.
    """

    def __init__(
        self,
        sync: SyncState,
        ended: Callable[[], SynoviaError | None],
        path: str,
        args: dict[str, Any],
        deadline: Callable[[], Deadline],
    ) -> None:
        self._sync = sync
        self._ended = ended
        self._path = path
        self._args = args
        self._deadline = deadline
        self._query: LiveQuery | None = None
        self._holds = 0
        self._given = 0

    @property
    def value(self) -> R:
        """The newest value; None (whatever its type) before the first, and when nothing is subscribed to."""
        return cast(R, None if self._query is None or self._query.shown.value is MISSING else self._query.shown.value)

    @property
    def current(self) -> bool:
        """Whether the value is of the present instant; not so while the connection is gone, and just after it is back."""
        return self._query is not None and self._query.current

    @property
    def error(self) -> FunctionError | None:
        """Why the newest run of the query failed; None when it did not."""
        return None if self._query is None else self._query.shown.error

    async def __aenter__(self) -> Self:
        query = self._hold()
        try:
            async with self._deadline():
                await self._answered(query)
        except TimeoutError:
            self._release()
            raise RequestTimeout(f"the query {self._path} gave no first value in time") from None
        except BaseException:
            self._release()
            raise
        return self

    async def _answered(self, query: LiveQuery) -> None:
        while not query.shown.answered:
            await self._next_change(query, query.changed.count)

    async def __aexit__(self, *exception: object) -> None:
        self._release()

    async def __aiter__(self) -> AsyncGenerator[R, None]:
        async with aclosing(self.outcomes()) as outcomes:
            async for outcome in outcomes:
                if isinstance(outcome, FunctionError):
                    raise outcome
                yield outcome

    async def outcomes(self) -> AsyncGenerator[R | FunctionError, None]:
        """Yield the present value and each new one, and a FunctionError, not raised, each time the query fails."""
        query = self._hold()
        given = self._given
        try:
            while True:
                newest, shown = query.changed.count, query.shown
                if shown.answered and newest > given:
                    self._given = given = newest
                    yield shown.value if shown.error is None else shown.error.again()
                else:
                    await self._next_change(query, newest)
        finally:
            self._release()

    async def _next_change(self, query: LiveQuery, seen: int) -> None:
        self._check_ended()
        await query.changed.after(seen)
        self._check_ended()

    def _check_ended(self) -> None:
        error = self._ended()
        if error is not None:
            raise error

    def _hold(self) -> LiveQuery:
        self._check_ended()
        if self._query is None:
            self._query, self._given = self._sync.hold(self._path, self._args), 0
        self._holds += 1
        return self._query

    def _release(self) -> None:
        self._holds -= 1
        if self._holds == 0 and self._query is not None:
            self._sync.release(self._query)
            self._query = None
