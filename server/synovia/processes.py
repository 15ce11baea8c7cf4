"""Computing in processes beside the hub's, which leave the cores to it when it needs them."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, Final, ParamSpec, TypeVar

from anyio import to_process as _processes

NICENESS: Final = 10
"""Whatever else wants a core goes before such a process."""

P = ParamSpec("P")
T = TypeVar("T")


async def to_process(function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
    """Compute something in a process of its own, as ``asyncio.to_thread`` does in a thread.

    A thread shares the interpreter with all that the hub does, and holds it up; a process does not. There are as many as
    the machine has cores, kept for five minutes after their last use; who comes when all are busy waits. Where this is
    cancelled, the process is killed.

    Args:
        function: One of a module, not a method nor a lambda: it is found there by its name. The module should import no more
            than it needs, since each process does so once.
        args, kwargs: What it is called with; as what it gives, whatever ``pickle`` takes.

    Raises:
        anyio.BrokenWorkerProcess: The process has died.
    """
    return await _processes.run_sync(_gently, function, args, kwargs, cancellable=True)


def _gently(function: Callable[..., T], args: tuple[Any, ...], kwargs: dict[str, Any]) -> T:
    if hasattr(os, "nice") and (more := NICENESS - os.nice(0)) > 0:
        os.nice(more)
    return function(*args, **kwargs)
