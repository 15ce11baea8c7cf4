"""Helper processes: hubs, peers and crowds each run in one of their own, and answer questions over a pipe."""

from __future__ import annotations

import asyncio
import multiprocessing
import resource
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, TypeAlias

_CONTEXT = multiprocessing.get_context("spawn")
_PATIENCE = 120.0

Pipe: TypeAlias = "Connection[Any, Any]"
Handlers = Mapping[str, Callable[..., Awaitable[Any]]]


class ChildFailed(RuntimeError):
    """A helper process could not answer; the message says why."""


class Child:
    """A running helper process."""

    def __init__(self, name: str, pipe: Pipe) -> None:
        self._name = name
        self._pipe = pipe
        self._turn = asyncio.Lock()

    async def ask(self, question: str, *args: Any) -> Any:
        """Ask a question and give the answer.

        Raises:
            ChildFailed: It failed, or has ended, or does not answer.
        """
        async with self._turn:
            try:
                self._pipe.send((question, args))
                answer, failure = await asyncio.to_thread(self._receive)
            except (EOFError, OSError):
                answer, failure = None, "it has ended"
        if failure is not None:
            raise ChildFailed(f"{self._name}: {question}: {failure}")
        return answer

    def _receive(self) -> tuple[Any, str | None]:
        if not self._pipe.poll(_PATIENCE):
            return None, f"no answer within {_PATIENCE:g} s"
        answer: tuple[Any, str | None] = self._pipe.recv()
        return answer


@asynccontextmanager
async def child(name: str, main: Callable[..., None], *args: Any) -> AsyncIterator[Child]:
    """Run ``main(pipe, *args)`` in a process, which ends when its pipe does."""
    ours, theirs = _CONTEXT.Pipe()
    process = _CONTEXT.Process(target=_enter, args=(main, theirs, *args), name=name, daemon=True)
    process.start()
    theirs.close()
    try:
        yield Child(name, ours)
    finally:
        ours.close()
        await asyncio.to_thread(process.join, 15)
        if process.is_alive():
            process.kill()
            await asyncio.to_thread(process.join, 5)


def _enter(main: Callable[..., None], pipe: Pipe, *args: Any) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    main(pipe, *args)


async def answer_all(pipe: Pipe, handlers: Handlers) -> None:
    """Answer questions, one after the other, until the other end closes the pipe."""
    while True:
        try:
            question, args = await asyncio.to_thread(pipe.recv)
        except EOFError:
            return
        try:
            pipe.send((await handlers[question](*args), None))
        except Exception as error:
            pipe.send((None, f"{type(error).__name__}: {error}"))


async def cpu_seconds() -> float:
    """Tell the CPU time of this process so far, user and system, in seconds."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def process_cpu(process: int) -> float:
    """Tell the CPU seconds that the threads of a process have used, to the nanosecond; 0 if it is not here."""
    used = 0
    for thread in Path(f"/proc/{process}/task").glob("*/schedstat"):
        try:
            used += int(thread.read_text().split()[0])
        except OSError:
            continue  # it has ended
    return used / 1e9


async def peak_memory() -> float:
    """Tell the most memory that this process has used so far, in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
