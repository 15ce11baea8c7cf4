"""People of a clinic, and what they do with live sessions."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from helpers.motion_people import Person, befriend, motion, register
from motion.cli.following import stretches
from synovia.testing import TestApp

Floats = npt.NDArray[np.float64]


class Measurer(Person):
    """A registered person, and what they do with live sessions."""

    async def begin(self, **more: Any) -> str:
        session: str = await self.mutation("live:start", sampleRate=100.0, **more)
        return session

    async def append(self, session: str, position: int, left: Floats, right: Floats | None = None) -> Any:
        right = left + 1 if right is None else right
        return await self.mutation("live:append", sessionId=session, position=position, leftKnee=left, rightKnee=right)

    async def append_packed(self, session: str, position: int, samples: bytes) -> Any:
        return await self.mutation("live:append", sessionId=session, position=position, samples=samples)

    async def samples(self, session: str) -> tuple[Floats, Floats]:
        """Fetch every segment, checking that they lie side by side."""
        growth = await self.query("live:follow", sessionId=session)
        left: list[Floats] = []
        right: list[Floats] = []
        reached = 0
        for segment in stretches(growth):
            assert segment["start"] == reached
            reached += segment["count"]
            for knee, parts in (("leftKnee", left), ("rightKnee", right)):
                array = segment[knee]
                parts.append(array if isinstance(array, np.ndarray) else await self.caller.array(array))
            assert len(left[-1]) == len(right[-1]) == segment["count"]
        assert reached == growth["sampleCount"]
        return joined(left), joined(right)


def joined(parts: Sequence[Floats]) -> Floats:
    return np.concatenate([np.zeros(0), *parts])


@dataclass
class RunningHub:
    """Anna, a physiotherapist, and Ben and Dora are contacts; Carl knows nobody."""

    app: TestApp
    anna: Measurer
    ben: Measurer
    carl: Measurer
    dora: Measurer


async def _measurer(app: TestApp, name: str, role: str) -> Measurer:
    return Measurer(**vars(await register(app, name, role)))


@asynccontextmanager
async def live_clinic() -> AsyncIterator[RunningHub]:
    async with TestApp(motion()) as app:
        anna = await _measurer(app, "Anna", "physiotherapist")
        ben, carl, dora = [await _measurer(app, name, "patient") for name in ("Ben", "Carl", "Dora")]
        await befriend(anna, ben)
        await befriend(anna, dora)
        yield RunningHub(app, anna, ben, carl, dora)


def batches(count: int, size: int = 10, seed: int = 1) -> list[Floats]:
    return list(np.random.default_rng(seed).standard_normal((count, size)))


async def fill(person: Measurer, session: str, parts: Sequence[Floats]) -> None:
    position = 0
    for part in parts:
        await person.append(session, position, part)
        position += len(part)
