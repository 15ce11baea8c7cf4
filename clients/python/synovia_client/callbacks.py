"""Calling what a user gave us, without letting its mistakes into our loops."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Generic, TypeVar

T = TypeVar("T")
Unsubscribe = Callable[[], None]


def call_safely(callback: Callable[..., object], *args: Any) -> None:
    """Call it; what it raises goes to the event loop's exception handler, and nowhere else."""
    try:
        callback(*args)
    except Exception as error:
        report(error)


def report(error: Exception) -> None:
    """Hand an error of a callback to the event loop's exception handler."""
    context = {"message": "a callback of the Synovia client failed", "exception": error}
    asyncio.get_running_loop().call_exception_handler(context)


class Listeners(Generic[T]):
    """Those who want to be told; each ``add`` counts by itself, even of the same function."""

    __slots__ = ("_callbacks",)

    def __init__(self) -> None:
        self._callbacks: dict[object, Callable[[T], object]] = {}

    def __len__(self) -> int:
        return len(self._callbacks)

    def add(self, callback: Callable[[T], object]) -> Unsubscribe:
        """Tell a function from now on; give what ends that, which may be called twice."""
        key = object()
        self._callbacks[key] = callback
        return lambda: self._callbacks.pop(key, None) and None

    def emit(self, value: T) -> None:
        """Tell everyone who is still listening when its turn comes."""
        for key in list(self._callbacks):
            callback = self._callbacks.get(key)
            if callback is not None:
                call_safely(callback, value)

    def clear(self) -> None:
        """Tell nobody any more."""
        self._callbacks.clear()
