"""What a function begins and does not await: such a write would be lost, such a check not made, and nobody told.

Whatever a function is handed to await is declared with ``@awaited``. Each call of it is noted with the run in which it is
made. When the function has returned, its run fails if a call was dropped before it began, or if a write is not over. It
fails as well if Python told meanwhile that a coroutine was dropped before it began that had been handed the run's ``ctx``: a
helper of the application, which would have read, written or checked something.
"""

from __future__ import annotations

import asyncio
import sys
import warnings
from asyncio import CancelledError
from collections.abc import Callable, Coroutine
from contextvars import ContextVar
from functools import wraps
from inspect import CORO_CREATED, getcoroutinestate
from types import CodeType, TracebackType
from typing import Any, ParamSpec, Protocol, Self, TypeVar

from synovia.functions.places import place

P = ParamSpec("P")
R = TypeVar("R")
Call = Coroutine[Any, Any, Any]
Note = tuple[Call, str, bool, CodeType, int]
"""A call, its name, whether it writes in the run's transaction, and where it was made: an offset in some code."""

_FEW = 64


class NotAwaited(RuntimeError):
    """A function has returned without having awaited what it began."""


class EndedOddly(RuntimeError):
    """A function has ended by what is no error, and what would end the hub, or leave its caller without an answer."""


def ended_oddly(error: BaseException) -> EndedOddly:
    """Give the error that is told in place of what is none."""
    if isinstance(error, SystemExit):
        return EndedOddly(f"the function called sys.exit({error.code!r}), which ends no hub")
    return EndedOddly(f"the function raised {type(error).__name__}, which is no error")


class RunCalls:
    """The calls that one run has begun; a context in which they are noted.

    Args:
        context: What the function is handed as ``ctx``.
    """

    __slots__ = ("_around", "_dropped", "_ended", "_handed", "_notes", "_room")

    def __init__(self, context: object) -> None:
        self._handed: tuple[object, ...] = (context, getattr(context, "db", context))
        self._dropped: list[str] = []
        self._notes: list[Note] = []
        self._room = _FEW
        self._ended = False
        self._around: RunCalls | None = None

    def __enter__(self) -> Self:
        self._around = _current.get()
        _current.set(self)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended = True
        self._notes.clear()
        self._handed = ()  # a context of tasks may hold these calls for longer
        if error is not None and isinstance(error, GeneratorExit) and _current.get() is not self:
            return  # Python drops it amid something else
        _current.set(self._around)
        if error is not None and (not isinstance(error, Exception) or isinstance(error, ExceptionGroup)):
            _raise_as_an_error(error)

    def note(self, note: Note) -> None:
        """Note a call.

        Raises:
            NotAwaited: It is a write, and its run has ended: it would be lost.
        """
        if self._ended:
            if note[2]:
                note[0].close()
                raise NotAwaited(f"{_told(note)} comes after its mutation has ended: await what calls it")
            return
        self._notes.append(note)
        self._room -= 1
        if self._room < 0:
            self._notes = self._open()
            self._room = max(_FEW, len(self._notes))

    def take_dropped(self, call: Call) -> bool:
        """Note a coroutine that was dropped before it began, if it is a helper's in this run; tell whether it is."""
        if self._ended or not any(value is each for value in _arguments(call) for each in self._handed):
            return False
        code: CodeType = call.cr_code  # type: ignore[attr-defined]
        self._dropped.append(f"{code.co_name}, which is at {place(code.co_filename, code.co_firstlineno)}")
        return True

    def check(self, result: object) -> None:
        """Check that nothing is lost of what was begun, after the function has returned ``result``.

        Raises:
            NotAwaited: Something is.
        """
        still_open = self._open()
        lost = [note for note in still_open if note[2] or _is_dropped(note, result)] if still_open else still_open
        for call, *_ in lost:
            if _is_new(call):
                call.close()  # Python would warn that it was never awaited
        if told := [*map(_told, lost), *self._dropped]:
            raise NotAwaited(f"not awaited: {', '.join(told)}")

    def leave(self) -> None:
        """Drop what was begun and not awaited: its run does not go on."""
        for note in self._open():
            if _is_new(note[0]):
                note[0].close()

    def explain(self, error: Exception) -> None:
        """Say with an error what had not been awaited when it was raised: it may well be its cause."""
        lost = [note for note in self._open() if _is_new(note[0])]
        if told := [*map(_told, lost), *self._dropped]:
            error.add_note(f"not awaited: {', '.join(told)}")

    def _open(self) -> list[Note]:
        return [note for note in self._notes if note[0].cr_frame is not None]  # type: ignore[attr-defined]


_current: ContextVar[RunCalls | None] = ContextVar("calls of this run", default=None)


class _Declare(Protocol):
    def __call__(self, body: Callable[P, Coroutine[Any, Any, R]], /) -> Callable[P, Coroutine[Any, Any, R]]: ...


def awaited(name: str, *, is_write: bool = False) -> _Declare:
    """Declare an async function as one that functions of an application have to await.

    Args:
        name: What they call it, as ``ctx.db.get``.
        is_write: It changes the run's transaction, so it has to be over when the run is.
    """

    def declare(body: Callable[P, Coroutine[Any, Any, R]]) -> Callable[P, Coroutine[Any, Any, R]]:
        @wraps(body)
        def begin(*args: P.args, **kwargs: P.kwargs) -> Coroutine[Any, Any, R]:
            call = body(*args, **kwargs)
            calls = _current.get()
            if calls is not None:
                frame = sys._getframe(1)
                calls.note((call, name, is_write, frame.f_code, frame.f_lasti))
            return call

        return begin

    return declare


def _raise_as_an_error(error: BaseException) -> None:
    """Raise an error in place of what ends a function otherwise; do nothing if somebody is ending it from outside.

    Of the errors of a task group the first is what has ended the group: it is told as if it had been raised without one.
    """
    first = error
    while isinstance(first, BaseExceptionGroup):
        first = first.exceptions[0]
    if isinstance(first, CancelledError):
        running = asyncio.current_task()
        if running is not None and not running.cancelling():
            raise EndedOddly("what the function waited for was cancelled, and nobody cancels the function") from error
    elif not isinstance(first, Exception):
        raise ended_oddly(first) from error
    if first is not error:
        raise first


def _arguments(call: Call) -> list[object]:
    frame = getattr(call, "cr_frame", None)
    return [] if frame is None else list(frame.f_locals.values())


_WARN = "_warn_unawaited_coroutine"
"""What the interpreter calls in the module ``warnings`` for each coroutine that is dropped before it began."""


def _in_a_run(warn: Callable[[Call], None]) -> Callable[[Call], None]:
    @wraps(warn)
    def tell(call: Call) -> None:
        calls = _current.get()
        if calls is None or not calls.take_dropped(call):
            warn(call)

    return tell


if hasattr(warnings, _WARN):
    setattr(warnings, _WARN, _in_a_run(getattr(warnings, _WARN)))


def _told(note: Note) -> str:
    _, name, _, code, at = note
    lines = [line for begin, end, line in code.co_lines() if begin <= at < end and line is not None]
    return f"{name} at {place(code.co_filename, lines[0] if lines else code.co_firstlineno)}"


def _is_new(call: Call) -> bool:
    return getcoroutinestate(call) == CORO_CREATED


def _is_dropped(note: Note, result: object) -> bool:
    """Tell whether a call has not begun and never will: nothing but its note refers to it, unless as the result."""
    return _is_new(note[0]) and (note[0] is result or _references(note) <= _ALONE)


def _references(note: tuple[object, ...]) -> int:
    return sys.getrefcount(note[0])


_ALONE = _references((object(),))
"""How many references are counted where a note has the only one; that depends on the interpreter."""
