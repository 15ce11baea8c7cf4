"""Computing in processes beside the hub's, which leave the cores to it when it needs them."""

from __future__ import annotations

import os
import pickle
import select
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, ParamSpec, TypeVar

from anyio import to_process as _processes

NICENESS: Final = 10
"""Whatever else wants a core goes before such a process."""
_AUTOGROUP: Final = Path("/proc/self/autogroup")

P = ParamSpec("P")
T = TypeVar("T")


async def to_process(function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
    """Compute something in a process of its own, as ``asyncio.to_thread`` does in a thread.

    A thread shares the interpreter with all that the hub does, and holds it up; a process does not. There are as many as
    the machine has cores, kept for five minutes after their last use; who comes when all are busy waits. Where this is
    cancelled, the process is killed; where the hub is killed, it ends as well, whatever it computes (but on Windows).

    Args:
        function: One of a module, not a method nor a lambda: it is found there by its name. The module should import no more
            than it needs, since each process does so once.
        args, kwargs: What it is called with; as what it gives, whatever ``pickle`` takes.

    Raises:
        anyio.BrokenWorkerProcess: The process has died.
    """
    work = pickle.dumps((function, args, kwargs), pickle.HIGHEST_PROTOCOL)
    result: T = await _processes.run_sync(_gently, work, cancellable=True)
    return result


def _gently(work: bytes) -> Any:
    """Do some work; what it has to import is imported gently as well."""
    if hasattr(os, "setsid") and os.getsid(0) != os.getpid():
        _give_way()
        threading.Thread(target=_end_with_the_hub, name="end with the hub", daemon=True).start()
    function, args, kwargs = pickle.loads(work)
    return function(*args, **kwargs)


def _give_way() -> None:
    """Leave the cores to the hub, and leave its session.

    Linux may share the cores out among sessions (``autogroup`` in sched(7)), and looks at niceness only within one: what
    computes all the time would use up what the session of the hub has. Nor is Ctrl-C at its terminal meant for this process.
    """
    os.setsid()
    os.nice(NICENESS)
    with suppress(OSError):  # this Linux has none
        _AUTOGROUP.write_text(str(NICENESS))


def _end_with_the_hub() -> None:
    """Wait until nobody is left at the other end of the pipe by which work comes, and end this process at once."""
    hub = select.poll()
    hub.register(0, 0)  # for nothing but its end: what comes is read by others
    hub.poll()
    os._exit(1)
