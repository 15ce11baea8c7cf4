"""Forks processes of Python, as ``forked_commands`` does, for tests that are not written in Python.

``python -m helpers.forking_program`` reads a JSON object a line, and answers in such lines. ``{"id": 1, "module":
"synovia.cli", "arguments": ["dev"], "environment": {}}`` runs ``python -m synovia.cli dev``. The answers are ``{"id":
1, "pid": 100}``, then ``{"id": 1, "out": "text"}`` and ``{"id": 1, "err": "text"}`` for what the process prints, and at
last ``{"id": 1, "exit": 0}`` or less than zero: the signal that has ended it. Once there is nothing more to read, it
ends what still runs.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sys
from threading import Lock, Thread
from typing import Any

from helpers.forked_commands import Command

_MOST_BYTES = 1 << 16


class ForkingProgram:
    def __init__(self) -> None:
        self._running: dict[int, Command] = {}
        self._speaking = Lock()

    def run(self) -> None:
        for line in sys.stdin:
            self._start(**json.loads(line))
        for command in [*self._running.values()]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(command.pid, signal.SIGTERM)

    def _start(self, id: int, module: str, arguments: list[str], environment: dict[str, str]) -> None:
        (out, their_out), (err, their_err) = os.pipe(), os.pipe()
        self._running[id] = command = Command(module, arguments, environment, their_out, their_err)
        os.close(their_out)
        os.close(their_err)
        self._say(id, pid=command.pid)
        readers = [_begin(self._tell, id, "out", out), _begin(self._tell, id, "err", err)]
        _begin(self._follow, id, readers)

    def _tell(self, id: int, name: str, reading: int) -> None:
        """Tell what is printed, until nobody can print any more."""
        with open(reading, "rb", buffering=0) as pipe:
            while data := pipe.read(_MOST_BYTES):
                self._say(id, **{name: data.decode(errors="replace")})

    def _follow(self, id: int, readers: list[Thread]) -> None:
        exit_code = self._running[id].wait()
        for each in readers:
            each.join()
        del self._running[id]
        self._say(id, exit=exit_code)

    def _say(self, id: int, **what: Any) -> None:
        with self._speaking:
            print(json.dumps({"id": id, **what}), flush=True)


def _begin(target: Any, *args: Any) -> Thread:
    thread = Thread(target=target, args=args, daemon=True)
    thread.start()
    return thread


if __name__ == "__main__":
    ForkingProgram().run()
