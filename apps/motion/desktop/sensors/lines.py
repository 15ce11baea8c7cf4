"""A sensor whose program sends lines ``left,right`` in degrees over TCP, as the drivers of many do."""

from __future__ import annotations

import contextlib
import os
import socket

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
ADDRESS = "127.0.0.1:7070"
CONNECT_SECONDS = 2.0
MOST_BYTES = 1 << 20


class LineSensor:
    """Reads lines from the address in ``MOTION_SENSOR`` at the rate in ``MOTION_SENSOR_HZ``; 127.0.0.1:7070 and 100."""

    title = "Sensor program"
    is_real = True

    def __init__(self) -> None:
        host, _, port = os.environ.get("MOTION_SENSOR", ADDRESS).rpartition(":")
        self._address = (host or "127.0.0.1", int(port) if port.isdecimal() else 0)
        self.sample_rate = _positive(os.environ.get("MOTION_SENSOR_HZ", "100"))
        self.about = (
            f"Lines left,right in degrees from {self._address[0]}:{self._address[1]} at {self.sample_rate:g} Hz."
        )
        self._socket: socket.socket | None = None
        self._rest = b""

    def start(self) -> None:
        """Connect.

        Raises:
            OSError: Nobody listens there.
        """
        self._rest = b""
        self._socket = socket.create_connection(self._address, CONNECT_SECONDS)
        self._socket.setblocking(False)

    def take(self) -> tuple[Floats, Floats]:
        """Give the numbers of the lines that have come.

        Raises:
            OSError: The program has ended, or sends something else.
        """
        pairs = [_numbers(line) for line in self._lines() if line.strip()]
        both = np.array(pairs, dtype=np.float64).reshape(-1, 2)
        return np.ascontiguousarray(both[:, 0]), np.ascontiguousarray(both[:, 1])

    def stop(self) -> None:
        """Hang up."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _lines(self) -> list[bytes]:
        if self._socket is None:
            return []
        came = self._rest
        with contextlib.suppress(BlockingIOError):
            while len(came) < MOST_BYTES:
                part = self._socket.recv(65_536)
                if not part:
                    if b"\n" in came:
                        break  # what was sent before the end comes first
                    raise OSError("the sensor program has ended")
                came += part
        *lines, self._rest = came.split(b"\n")
        if len(self._rest) > 4_096:
            raise OSError("the sensor program sends no lines")
        return lines


def _numbers(line: bytes) -> tuple[float, float]:
    try:
        left, right = map(float, line.replace(b";", b" ").replace(b",", b" ").split())
    except ValueError:
        raise OSError(f"the sensor program sends {line[:40]!r}, which is not two numbers") from None
    return left, right


def _positive(words: str) -> float:
    try:
        rate = float(words)
    except ValueError:
        return 100.0
    return rate if 0 < rate <= 2_000 else 100.0
