"""Processes of Python that are forked from one which has imported what they need: importing takes most of a second.

Otherwise a process is as a shell would start it: arguments, variables, output, signals and exit code of its own.
"""

from __future__ import annotations

import atexit
import contextlib
import ctypes
import gc
import importlib
import json
import os
import runpy
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import IO, Any, NoReturn

from helpers.patience import PATIENCE

TESTS = Path(__file__).parents[1]
SYNOVIA = "synovia.cli"
COMMANDS = ("synovia.cli.commands", "synovia.store.mongo", "synovia.store.sqlite")
"""What the commands of ``synovia`` import."""
_MOST_BYTES = 1 << 20
_PR_SET_PDEATHSIG = 1


class Command:
    """A process that runs ``python -m MODULE ARGUMENTS``, with the methods of ``subprocess.Popen`` that tests need.

    Args:
        out, err: Descriptors of the files for what it prints.
        imported: The modules that it finds imported.
        in_full: Whether Python takes everything apart at its end, in place of leaving that to the system.
    """

    def __init__(
        self,
        module: str,
        arguments: Sequence[str],
        environment: Mapping[str, str],
        out: int,
        err: int,
        imported: tuple[str, ...] = COMMANDS,
        *,
        in_full: bool = False,
    ) -> None:
        self.args = arguments
        self.returncode: int | None = None
        self._status, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        request = {
            "module": module,
            "arguments": [*arguments],
            "environment": dict(environment),
            "folder": str(Path.cwd()),
            "in_full": in_full,
        }
        with theirs:
            socket.send_fds(_template(imported), [json.dumps(request).encode()], [out, err, theirs.fileno()])
        self._status.settimeout(PATIENCE)
        self.pid = int(self._status.recv(_MOST_BYTES))

    def wait(self, timeout: float | None = None) -> int:
        """Give the exit code, once there is one.

        Raises:
            subprocess.TimeoutExpired: It goes on.
        """
        if self.returncode is None:
            self._status.settimeout(timeout)
            try:
                self.returncode = int(self._status.recv(_MOST_BYTES))
            except (TimeoutError, BlockingIOError):
                raise subprocess.TimeoutExpired(self.args, timeout or 0) from None
            self._status.close()
        return self.returncode

    def poll(self) -> int | None:
        """Give the exit code; None as long as it runs."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            return self.wait(0)
        return None

    def send_signal(self, number: signal.Signals) -> None:
        if self.poll() is None:
            with contextlib.suppress(ProcessLookupError):  # it has just ended, and its exit code is on the way
                os.kill(self.pid, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


class PipedCommand(Command):
    """A process whose output is read as it comes."""

    def __init__(self, module: str, arguments: Sequence[str], environment: Mapping[str, str]) -> None:
        reading, writing = os.pipe()
        self.stdout = os.fdopen(reading)
        try:
            super().__init__(module, arguments, environment, writing, writing)
        finally:
            os.close(writing)


def run(
    arguments: Sequence[str],
    environment: Mapping[str, str],
    module: str = SYNOVIA,
    *,
    imported: tuple[str, ...] = COMMANDS,
    in_full: bool = False,
    seconds: float = PATIENCE,
) -> subprocess.CompletedProcess[str]:
    """Run ``python -m MODULE ARGUMENTS`` to its end.

    Raises:
        subprocess.TimeoutExpired: It takes longer; it has been killed.
    """
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
        command = Command(module, arguments, environment, out.fileno(), err.fileno(), imported, in_full=in_full)
        try:
            exit_code = command.wait(seconds)
        except subprocess.TimeoutExpired as error:
            command.kill()
            raise subprocess.TimeoutExpired(arguments, seconds, _text(out), _text(err)) from error
        return subprocess.CompletedProcess(arguments, exit_code, _text(out), _text(err))


def _text(file: IO[str]) -> str:
    file.seek(0)
    return file.read()


# --- the process that all others are forked from ----------------------------------------------------------------------


_own: list[socket.socket] = []
"""To the process that this one has forked to be the one for all its commands."""


def fork_template() -> None:
    """Let this process's commands be forked from it as it is now, whatever they want to find imported.

    For a process that has imported what they need, has one thread, and is as far as from here on all of them may be.
    However it ends, they end with it.
    """
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    if os.fork() == 0:
        ours.close()
        atexit.register(_leave)
        _run(serve(theirs, end_with_client=True))
    theirs.close()
    _own.append(ours)


def _template(imported: tuple[str, ...]) -> socket.socket:
    return _own[0] if _own else _started_template(imported)


@cache
def _started_template(imported: tuple[str, ...]) -> socket.socket:
    """Start it; it ends with this process."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    command = [sys.executable, "-m", "helpers.forked_commands", str(theirs.fileno()), *imported]
    # one thread: a process with several is not to be forked
    environment = {**os.environ, "PYTHONPATH": str(TESTS), "COLUMNS": "200", "OPENBLAS_NUM_THREADS": "1"}
    with theirs:
        process = subprocess.Popen(command, pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL, env=environment)
    atexit.register(process.wait)
    atexit.register(ours.close)
    return ours


def serve(client: socket.socket, *, end_with_client: bool = False) -> Mapping[str, Any]:
    """Fork for each request; in the new process, give the request. Ends when the client has gone.

    Args:
        end_with_client: Have the kernel end all of them then.
    """
    _end_with_parent(end_with_client)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # who waits for a command ends by itself
    while True:
        request, fds, _, _ = socket.recv_fds(client, _MOST_BYTES, 3)
        if not request:
            sys.exit()
        if os.fork() == 0:
            client.close()
            _end_with_parent(end_with_client)
            return _fork_and_wait(json.loads(request), *fds, end_with_client=end_with_client)
        for fd in fds:
            os.close(fd)


def _end_with_parent(wanted: bool) -> None:
    if wanted and sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def _fork_and_wait(
    request: Mapping[str, Any], out: int, err: int, status: int, *, end_with_client: bool
) -> Mapping[str, Any]:
    """Tell the new process's id and then its exit code; return in the new process."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    if (child := os.fork()) == 0:
        _end_with_parent(end_with_client)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        os.dup2(out, 1)
        os.dup2(err, 2)
        for fd in (out, err, status):
            os.close(fd)
        os.chdir(request["folder"])
        sys.argv[1:] = request["arguments"]
        os.environ.clear()
        os.environ.update(request["environment"])
        return request
    os.close(out)
    os.close(err)
    with socket.socket(fileno=status) as teller:
        teller.send(str(child).encode())
        _, ended = os.waitpid(child, 0)
        with contextlib.suppress(OSError):  # who wanted to know has gone
            teller.send(str(os.waitstatus_to_exitcode(ended)).encode())
    os._exit(0)


def _run(request: Mapping[str, Any]) -> NoReturn:
    """Run a module, and exit with its code."""
    code: object = 0
    try:
        runpy.run_module(request["module"], run_name="__main__", alter_sys=True)
    except SystemExit as end:
        code = end.code or 0
    if isinstance(code, int) and not request["in_full"]:
        _exit_codes.append(code)
    sys.exit(code)  # type: ignore[arg-type]


_exit_codes: list[int] = []


def _leave() -> None:
    """Leave the memory to the system: to take apart what was imported is two thirds of a short command."""
    if _exit_codes:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(_exit_codes[0])


if __name__ == "__main__":
    atexit.register(_leave)  # before all that others register, so it is called after that
    for name in sys.argv[2:]:
        importlib.import_module(name)
    gc.freeze()  # what is imported stays to the end: whoever collects garbage need not go through it
    _run(serve(socket.socket(fileno=int(sys.argv[1]))))
