"""A thread with an event loop of its own, and calls into it from other threads."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine, Generator
from concurrent.futures import Future
from concurrent.futures import wait as wait_for
from typing import Any, TypeVar

from synovia_client.call_site import call_site, note_call_site
from synovia_client.errors import ClientClosed, RequestTimeout

T = TypeVar("T")


class LoopThread:
    """Runs coroutines on a thread of its own, in the order in which they are handed over.

    The loop is a plain one whatever event-loop policy the program has set: a policy of a GUI gives loops that run on the
    GUI's thread only, and would never turn here.

    Args:
        stall: Seconds for which the loop may fail to turn before who waits for it is told so.
    """

    def __init__(self, name: str, stall: float) -> None:
        if not stall > 0:
            raise ValueError(f"a stall timeout is positive, not {stall!r}")
        self.loop = asyncio.SelectorEventLoop()
        self._stall = stall
        self._closed = False
        self._thread = threading.Thread(target=self.loop.run_forever, name=name, daemon=True)
        self._thread.start()

    @property
    def is_current(self) -> bool:
        """Whether the caller is on this thread."""
        return threading.current_thread() is self._thread

    def submit(self, coroutine: Coroutine[Any, Any, T]) -> Future[T]:
        """Run a coroutine; its error says where this was called. ClientClosed if the thread has ended."""
        if self._closed:
            coroutine.close()
            raise ClientClosed("the client is closed")
        return asyncio.run_coroutine_threadsafe(_Noting(coroutine, call_site()), self.loop)

    def call(self, callback: Callable[[], object]) -> None:
        """Run a function on the thread, after everything that was handed over before. ClientClosed if it has ended."""
        if self._closed:
            raise ClientClosed("the client is closed")
        self.loop.call_soon_threadsafe(callback)

    def wait(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine and wait for it, as long as its own time limits say.

        Raises:
            RuntimeError: This is the thread that would have to run it.
            RequestTimeout: The loop does not turn: something on this thread does not come back.
        """
        if self.is_current:
            coroutine.close()
            raise RuntimeError("a callback on the client's thread cannot wait for the client; give it call=")
        waiting = self.submit(coroutine)
        try:
            self._watch(waiting)
            return waiting.result()
        except BaseException:
            waiting.cancel()
            raise

    def _watch(self, waiting: Future[T]) -> None:
        while not waiting.done():
            turned = threading.Event()
            self.loop.call_soon_threadsafe(turned.set)
            wait_for([waiting], timeout=self._stall)
            if not waiting.done() and not turned.is_set():
                error = RequestTimeout(f"the client's thread did nothing for {self._stall:g} s: a callback holds it up")
                note_call_site(error, call_site())
                raise error

    def stop(self) -> None:
        """End the thread, which has nothing to do any more; one that is held up ends when it comes back."""
        self._closed = True
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join(self._stall)
        if not self._thread.is_alive():
            self.loop.close()


class _Noting(Coroutine[Any, Any, T]):
    """A coroutine whose error says where it was asked for.

    No second coroutine that awaits it: when that is cancelled before it begins, nobody has awaited the first, of which
    Python 3.14 warns.
    """

    def __init__(self, coroutine: Coroutine[Any, Any, T], site: str) -> None:
        self._coroutine = coroutine
        self._site = site

    def __await__(self) -> Generator[Any, Any, T]:
        return self._coroutine.__await__()

    def send(self, value: Any) -> Any:
        return self._step(self._coroutine.send, value)

    def throw(self, error: Any, *rest: Any) -> Any:
        return self._step(self._coroutine.throw, error, *rest)

    def close(self) -> None:
        self._coroutine.close()

    def _step(self, step: Callable[..., Any], *given: Any) -> Any:
        try:
            return step(*given)
        except StopIteration:
            raise
        except Exception as error:
            note_call_site(error, self._site)
            raise
