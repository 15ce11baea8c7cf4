"""What a program holds of a live query: its newest value, and an iterator over the new ones."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from typing import Any, ClassVar, Generic, Protocol, Self, TypeVar, cast

from synovia_client.callbacks import Listeners, Unsubscribe, call_safely
from synovia_client.change_counter import ChangeCounter
from synovia_client.changes import MISSING, NOTHING, Change, Outcome
from synovia_client.clock import Deadline
from synovia_client.errors import FunctionError, RequestTimeout, SynoviaError
from synovia_client.misuse import UsedOtherwise
from synovia_client.tabular import Tabular

R = TypeVar("R")


class Source(Protocol):
    """What is subscribed to: one query, or the pages of a list."""

    @property
    def shown(self) -> Outcome: ...

    @property
    def current(self) -> bool: ...

    @property
    def changed(self) -> ChangeCounter: ...

    @property
    def watchers(self) -> Listeners[Change[Any]]: ...


class Subscription(UsedOtherwise, Tabular, Generic[R]):
    """A query that is kept up to date while somebody is inside ``async with``, iterates or listens.

    ``async for value in subscription`` gives the present value, then each new one; who is slow gets the newest and misses
    those in between. It raises FunctionError when the query fails; iterate again to wait for it to recover.
    ``async with`` waits for the first value or error and keeps the query alive between iterations.

    Args:
        hold: Begins to keep the query up to date.
        release: Ends that; as often as it was held.
        ended: Tells why the client does nothing any more; None while it does.
        path: ``module:function``.
        deadline: Makes the time limit for the first value in ``async with``.
    """

    _used: ClassVar[str] = (
        "a subscription is followed by async for value in client.subscribe(...), or kept by async with, which has its value;"
        " await client.query(...) asks once"
    )

    def __init__(
        self,
        hold: Callable[[], Source],
        release: Callable[[Any], None],
        ended: Callable[[], SynoviaError | None],
        path: str,
        deadline: Callable[[], Deadline],
    ) -> None:
        self._hold_source = hold
        self._release_source = release
        self._ended = ended
        self._path = path
        self._deadline = deadline
        self._source: Source | None = None
        self._holds = 0
        self._given = 0

    @property
    def value(self) -> R:
        """The newest value; None (whatever its type) before the first, and when nothing is subscribed to."""
        return cast(R, None if self._outcome.value is MISSING else self._outcome.value)

    @property
    def current(self) -> bool:
        """Whether the value is of the present instant; not so while the connection is gone, and just after it is back."""
        return self._source is not None and self._source.current

    @property
    def error(self) -> FunctionError | None:
        """Why the newest run of the query failed; None when it did not."""
        return self._outcome.error

    @property
    def _outcome(self) -> Outcome:
        return NOTHING if self._source is None else self._source.shown

    async def __aenter__(self) -> Self:
        source = self._hold()
        try:
            async with self._deadline():
                await self._answered(source)
        except TimeoutError:
            self._release()
            raise RequestTimeout(f"the query {self._path} gave no first value in time") from None
        except BaseException:
            self._release()
            raise
        return self

    async def _answered(self, source: Source) -> None:
        while not source.shown.answered:
            await self._next_change(source, source.changed.count)

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
        source = self._hold()
        given = self._given
        try:
            while True:
                newest, shown = source.changed.count, source.shown
                if shown.answered and newest > given:
                    self._given = given = newest
                    yield shown.value if shown.error is None else shown.error.again()
                else:
                    await self._next_change(source, newest)
        finally:
            self._release()

    async def changes(self) -> AsyncGenerator[Change[R], None]:
        """Yield the present value and each new one with the exact edits that lead to it from the one yielded before.

        Who is slow gets one change that leads over what it has missed. A failed query is a change with an ``error``.
        """
        source = self._hold()
        missed: list[Change[R]] = [Change(NOTHING, source.shown)] if source.shown.answered else []
        stop = source.watchers.add(lambda change: _join(missed, change))
        try:
            while True:
                if missed:
                    yield missed.pop()
                else:
                    await self._next_change(source, source.changed.count)
        finally:
            stop()
            self._release()

    def listen(self, callback: Callable[[Change[R]], object]) -> Unsubscribe:
        """Call back at once with the present value, if there is one, and with each change from now on.

        All queries that change together have changed before anybody is called. What the callback raises goes to the event
        loop's exception handler. Nothing is called any more once the client is closed.

        Returns:
            What ends it; may be called twice.
        """
        source = self._hold()
        stop = source.watchers.add(callback)
        if source.shown.answered:
            call_safely(callback, Change(NOTHING, source.shown))
        over = False

        def end() -> None:
            nonlocal over
            if not over:
                over = True
                stop()
                self._release()

        return end

    async def _next_change(self, source: Source, seen: int) -> None:
        self._check_ended()
        await source.changed.after(seen)
        self._check_ended()

    def _check_ended(self) -> None:
        error = self._ended()
        if error is not None:
            raise error

    def _hold(self) -> Source:
        self._check_ended()
        if self._source is None:
            self._source, self._given = self._hold_source(), 0
        self._holds += 1
        return self._source

    def _release(self) -> None:
        self._holds -= 1
        if self._holds == 0 and self._source is not None:
            source, self._source = self._source, None
            self._release_source(source)


def _join(missed: list[Change[R]], change: Change[R]) -> None:
    missed[:] = [missed[0].then(change)] if missed else [change]
