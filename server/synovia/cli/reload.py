"""Run the server as a child process, and start it again when the application's files change."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from watchfiles import PythonFilter, watch

from synovia.cli.absence import answer_waiting

STOP_SECONDS = 15.0
_LOOK_MILLISECONDS = 300


class Child:
    """One run of the server.

    Args:
        command: What to run.
        fd: The listening socket, which the child inherits: clients that come while it starts wait in its queue.
        env: Its variables.
    """

    def __init__(self, command: Sequence[str], fd: int, env: Mapping[str, str]) -> None:
        # An interrupt at the terminal is for both, and the child hears of it from its parent: Python would print where it
        # was in its imports. As soon as it serves it heeds interrupts itself.
        before = signal.signal(signal.SIGINT, signal.SIG_IGN)
        try:
            self._process = subprocess.Popen(command, pass_fds=[fd], env=env)
        finally:
            signal.signal(signal.SIGINT, before)

    @property
    def exit_code(self) -> int | None:
        """How it ended; None as long as it runs."""
        return self._process.poll()

    def stop(self) -> None:
        """End it cleanly, and by force if that takes too long."""
        if self._process.poll() is None:
            self._process.terminate()
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def changes(application: Path) -> Iterator[bool]:
    """Yield True when a Python file of the application has changed, False from time to time when none has."""
    folder = application if application.is_dir() else application.parent
    for changed in watch(
        folder,
        watch_filter=PythonFilter(),
        rust_timeout=_LOOK_MILLISECONDS,
        yield_on_timeout=True,
        raise_interrupt=True,
    ):
        yield any(application.is_dir() or Path(path) == application for _, path in changed)


def supervise(
    application: Path, command: Sequence[str], fd: int, env: Mapping[str, str], say: Callable[[str], None]
) -> int:
    """Keep the server running until it is interrupted; give the exit code.

    A server that ends by itself before the first change ends everything. After that it may be a change that does not
    work, so the next change is waited for.
    """
    # Not whatever SIGINT does: in the background of a script that is ignored.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    child, reloaded, told = Child(command, fd, env), False, False
    try:
        for changed in changes(application.resolve()):
            if changed:
                say("the application has changed, starting again")
                child.stop()
                child, reloaded, told = Child(command, fd, env), True, False
            elif child.exit_code is not None and not reloaded:
                return child.exit_code
            elif child.exit_code is not None:
                if not told:
                    told = True
                    say("the server has ended, waiting for a change")
                answer_waiting(fd)
    except KeyboardInterrupt:
        pass
    finally:
        child.stop()
    return 0


def own_command(*arguments: str) -> list[str]:
    """Make the command line that runs this program again."""
    return [sys.executable, "-m", "synovia.cli", *arguments]
