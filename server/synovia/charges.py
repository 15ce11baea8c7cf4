"""What the hub computes is charged to whom it is computed for: a call is measured while it runs, in the event loop step by
step, in the threads of a store job by job, and the next call of the same payer waits for what the last ones have cost.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine, Generator, Hashable, Sequence
from contextlib import AbstractContextManager
from contextvars import ContextVar
from typing import Any, Generic, Protocol, TypeVar

T = TypeVar("T")

clock: Callable[[], float] = time.perf_counter
"""What is measured is how long others have had to wait, also where another program had the processor meanwhile."""


class Charge(Protocol):
    """What seconds of computing are added to."""

    def add(self, seconds: float) -> None:
        """Add some."""
        ...


class Payer:
    """Whom work is charged to.

    Attributes:
        name: By which it is found again, also by other hubs; None: it has none.
    """

    __slots__ = ()
    name: str | None = None

    def wait(self) -> float:
        """Tell the seconds for which a call would have to wait now."""
        return 0.0

    @property
    def alone(self) -> bool:
        """Whether nobody else has had anything computed of late."""
        return True

    async def admit(self) -> float:
        """Wait until a call may begin; give the seconds that have been charged for it beforehand."""
        raise NotImplementedError

    def spend(self, seconds: float) -> None:
        """Charge some."""
        raise NotImplementedError

    def settle(self, left: float, cost: float) -> None:
        """Hear that a call is over, what it has cost, and how much of what was charged beforehand was not needed."""
        raise NotImplementedError


class Bill:
    """What one call has cost so far.

    Args:
        prepaid: Seconds that the payer was charged when it began.
        task: In which it is done; by default the one that is running.
    """

    __slots__ = ("_cost", "_left", "_payer", "task")

    def __init__(self, payer: Payer, prepaid: float, task: asyncio.Task[Any] | None = None) -> None:
        self._payer = payer
        self._left = prepaid
        self._cost = 0.0
        self.task = task or asyncio.current_task()

    def add(self, seconds: float) -> None:
        """Charge what is more than was paid beforehand."""
        self._cost += seconds
        more = seconds - self._left
        if more > 0:
            self._left = 0.0
            self._payer.spend(more)
        else:
            self._left = -more

    async def pay_for(self, call: Coroutine[Any, Any, T], seconds: float = 0.0) -> T:
        """Do something at once, and charge it as it goes on.

        Args:
            seconds: What has been computed for it before.
        """
        began = clock()
        try:
            waits_for = call.send(None)
        except StopIteration as end:
            result: T = end.value
            return result
        finally:
            self.add(seconds + clock() - began)
        return await _Rest(call, waits_for, self)

    def close(self) -> None:
        """Give back what was not needed; what comes later is charged at once."""
        left, self._left = self._left, 0.0
        self._payer.settle(left, self._cost)


class Shared:
    """What is done for several together: each is charged a part by its weight.

    Args:
        charges: Those of whoever is charged at all, with their weights.
        whole: The weights of all.
    """

    __slots__ = ("_charges", "_whole")

    def __init__(self, charges: Sequence[tuple[Charge, float]], whole: float) -> None:
        self._charges = charges
        self._whole = whole

    def add(self, seconds: float) -> None:
        """Charge everybody a part."""
        for charge, weight in self._charges:
            charge.add(seconds * weight / self._whole)

    def add_beyond(self, free: float, seconds: float) -> None:
        """Charge everybody a part of what it takes because it weighs more than ``free``."""
        if self._whole > free:
            self.add(seconds * (1 - free / self._whole))


_charge: ContextVar[Charge | None] = ContextVar("what is charged", default=None)


def current() -> Charge | None:
    """Give what is charged for what is done now, in a thread of a store too; None: nobody is."""
    return _charge.get()


def payer() -> Payer | None:
    """Give whom the call that is under way is charged to; None: nobody is."""
    return payer_of(_charge.get())


def payer_of(charge: Charge | None) -> Payer | None:
    """Give whom something is charged to; None: nobody is, or several."""
    return charge._payer if isinstance(charge, Bill) else None


def charged_name() -> str | None:
    """Tell the name of whom the call that is under way is charged to, if it has one."""
    charge = _charge.get()
    return charge._payer.name if isinstance(charge, Bill) else None


_cause: ContextVar[str | None] = ContextVar("who causes what is scheduled", default=None)


def cause() -> str | None:
    """Tell who causes what is scheduled now: the name of a payer; None: the application itself."""
    return _cause.get()


class _Within(Generic[T]):
    """A block in which a variable of the context has a value."""

    __slots__ = ("_token", "_value", "_variable")

    def __init__(self, variable: ContextVar[T], value: T) -> None:
        self._variable = variable
        self._value = value

    def __enter__(self) -> None:
        self._token = self._variable.set(self._value)

    def __exit__(self, *error: object) -> None:
        self._variable.reset(self._token)


def caused_by(name: str | None) -> AbstractContextManager[None]:
    """Have what the block schedules known as caused by somebody."""
    return _Within(_cause, name)


def charged(charge: Charge | None) -> AbstractContextManager[None]:
    """Charge what stores do for the block."""
    return _Within(_charge, charge)


async def at_cost(payer: Hashable, call: Coroutine[Any, Any, T]) -> T:
    """Do something when it is its payer's turn, and charge it; within something that is charged it is a part of that.

    Args:
        payer: Whoever is no ``Payer``, as the server itself, does not wait and is charged nothing.
    """
    bill, task = _charge.get(), asyncio.current_task()
    if isinstance(bill, Bill) and bill.task is task:
        return await call
    if not isinstance(payer, Payer):
        with charged(None):
            return await call
    try:
        bill = Bill(payer, await payer.admit(), task)
    except BaseException:
        call.close()
        raise
    before = _charge.set(bill)
    try:
        return await bill.pay_for(call)
    finally:
        _charge.reset(before)
        bill.close()


class _Rest(Generic[T]):
    """What is left of a coroutine that has begun, and waits for something; each step is charged."""

    __slots__ = ("_bill", "_call", "_waits_for")

    def __init__(self, call: Coroutine[Any, Any, T], waits_for: Any, bill: Bill) -> None:
        self._call = call
        self._waits_for = waits_for
        self._bill = bill

    def __await__(self) -> Generator[Any, Any, T]:
        steps, waits_for, bill = self._call, self._waits_for, self._bill
        while True:
            error: BaseException | None = None
            try:
                yield waits_for
            except BaseException as thrown:
                error = thrown
            began = clock()
            try:
                waits_for = steps.send(None) if error is None else steps.throw(error)
            except StopIteration as end:
                result: T = end.value
                return result
            finally:
                bill.add(clock() - began)
