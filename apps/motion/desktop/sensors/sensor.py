"""What a sensor is to the desk, and which ones there are.

A sensor gives samples of both knees as they are measured. To plug in one of your own, write a class with the members of
``Sensor`` and name it in the entry points of its distribution::

    [project.entry-points."synovia_motion.sensors"]
    my-sensor = "my_sensor:MySensor"

It is then offered when a session is started. The class is made without arguments, once for each session.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from importlib.metadata import entry_points
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from motion.desktop.sensors.lines import LineSensor
from motion.desktop.sensors.simulated import SimulatedSensor

GROUP = "synovia_motion.sensors"
Floats = NDArray[np.float64]
logger = logging.getLogger("motion.desktop")


class Sensor(Protocol):
    """Where samples come from.

    Attributes:
        title: What people choose it by.
        about: A sentence about it.
        is_real: Whether somebody is measured by it.
        sample_rate: Hz, of each knee.
    """

    title: str
    about: str
    is_real: bool
    sample_rate: float

    def start(self) -> None:
        """Begin to measure. Called on the window's thread, so it must not wait; OSError says why it cannot."""

    def take(self) -> tuple[Floats, Floats]:
        """Give the samples that have come since the last call, left and right knee of equal length, in degrees.

        Called on the window's thread a few times a second, so it must not wait. OSError says that there will be no more.
        """

    def stop(self) -> None:
        """End measuring; called once, also after an error."""


def sensors() -> dict[str, Callable[[], Sensor]]:
    """Give the sensors that there are by their names: those of the desk, then those that other distributions bring."""
    found: dict[str, Callable[[], Sensor]] = {"simulated": SimulatedSensor, "lines": LineSensor}
    for entry in entry_points(group=GROUP):
        try:
            found[entry.name] = entry.load()
        except Exception:  # one that is broken keeps nobody from using another
            logger.exception("the sensor %s cannot be used", entry.name)
    return found
