"""What a program that sends lines is to the desk; and what is said where the desktop program cannot run. No Qt here."""

from __future__ import annotations

import importlib.util
import socket
import time
from collections.abc import Iterator

import pytest

from helpers.patience import PATIENCE
from motion.cli import desktop
from motion.desktop.sensors.lines import LineSensor


@pytest.fixture
def program(monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        monkeypatch.setenv("MOTION_SENSOR", f"127.0.0.1:{server.getsockname()[1]}")
        monkeypatch.setenv("MOTION_SENSOR_HZ", "148")
        yield server


def taken(sensor: LineSensor, count: int) -> list[tuple[float, float]]:
    """Take samples until there are so many."""
    pairs: list[tuple[float, float]] = []
    deadline = time.monotonic() + PATIENCE
    while len(pairs) < count:
        assert time.monotonic() < deadline, f"only {pairs} came"
        left, right = sensor.take()
        pairs += zip(left.tolist(), right.tolist(), strict=True)
    return pairs


def test_lines_are_samples_whole_or_in_parts(program: socket.socket) -> None:
    sensor = LineSensor()
    sensor.start()
    sender, _ = program.accept()
    with sender:
        sender.sendall(b"1.5,-2\n3;4\r\n\n5 ")
        assert taken(sensor, 2) == [(1.5, -2.0), (3.0, 4.0)]
        sender.sendall(b"6\n")
        assert taken(sensor, 1) == [(5.0, 6.0)]
    assert sensor.sample_rate == 148
    sensor.stop()
    sensor.stop()


@pytest.mark.parametrize("sent", [b"left,right\n", b"1,2,3\n", b"x" * 5_000, b""])
def test_what_is_no_sample_ends_it_with_the_reason(program: socket.socket, sent: bytes) -> None:
    sensor = LineSensor()
    sensor.start()
    sender, _ = program.accept()
    with sender:
        sender.sendall(sent)
    with pytest.raises(OSError, match="the sensor program"):
        taken(sensor, 1)
    sensor.stop()


def test_a_sensor_that_nobody_offers_is_told_at_the_start(program: socket.socket) -> None:
    program.close()
    with pytest.raises(OSError, match="refused"):
        LineSensor().start()


def test_what_is_not_installed_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(desktop.Missing, match=r"needs PySide6, pyqtgraph, synovia-qt: pip install"):
        desktop.run("ws://127.0.0.1:1")
