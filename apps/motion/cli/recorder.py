"""``synovia-motion live`` and ``watch``: a session whose samples are generated or come down a pipe, and its viewer."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from motion.cli.following import Piece, append, follow
from motion.cli.remote import Hub, Refused, me_of, subject_of
from motion.files import BothKnees, MotionFileError
from motion.files.motion import Floats

Batches = AsyncIterator[tuple[Floats, Floats]]
_WAITING_LINES = 10_000


@dataclass(slots=True)
class Session:
    """A session to record.

    Attributes:
        sample_rate: Hz.
        start: The other arguments of ``live:start``.
        finish: Those of ``live:finish``.
        subject: The e-mail address of who is measured, or None.
        role: The role to register in if the caller is not registered yet, or None.
    """

    sample_rate: float
    start: dict[str, Any] = field(default_factory=dict)
    finish: dict[str, Any] = field(default_factory=dict)
    subject: str | None = None
    role: str | None = None


async def record(hub: Hub, session: Session, batches: Batches, on_start: Callable[[str], None]) -> tuple[str, int]:
    """Record until there are no more batches or the task is cancelled, and save; give the recording's id and its length.

    What has come is saved also when the batches end with an error; then the error is raised.

    Raises:
        Refused: Nothing came.
    """
    async with hub.client() as client:
        me = await me_of(client, session.role)
        args = {**session.start, "sampleRate": session.sample_rate}
        if session.subject is not None:
            args["subjectId"] = await subject_of(client, me, session.subject)
        session_id = await client.mutation("live:start", args)
        on_start(session_id)
        count = 0
        try:
            async for left, right in batches:
                count = await append(client, session_id, count, left, right)
        except asyncio.CancelledError:  # Ctrl+C ends the recording
            task = asyncio.current_task()
            assert task is not None  # noqa: S101
            task.uncancel()
        finally:
            told = {"sessionId": session_id}
            if count:
                recording_id = await client.mutation("live:finish", {**told, **session.finish})
            else:
                await client.mutation("live:discard", told)
    if not count:
        raise Refused("no samples came; nothing was saved")
    return str(recording_id), count


async def watch(hub: Hub, session_id: str, on_piece: Callable[[Piece], None]) -> str | None:
    """Follow a session until it is finished, and give the recording's id."""
    async with hub.client() as client:
        recording_id = None
        async for piece in follow(client, session_id):
            on_piece(piece)
            recording_id = piece.recording_id
        return recording_id


# --- where samples come from ------------------------------------------------------------------------------------------


async def simulated(motion: BothKnees, every: float) -> Batches:
    """Give a motion at its own pace, in batches of ``every`` seconds."""
    clock = asyncio.get_running_loop().time
    began, done, count = clock(), 0, motion.sample_count
    while done < count:
        await asyncio.sleep(every)
        due = min(max(int((clock() - began) * motion.sample_rate), done), count)
        if due > done:
            yield motion.left_knee[done:due], motion.right_knee[done:due]
            done = due


async def piped(lines: Iterable[str], every: float) -> Batches:
    """Give the numbers of lines ``left,right`` as they come, in batches of ``every`` seconds.

    Raises:
        MotionFileError: A line is something else.
    """
    waiting: asyncio.Queue[str | None] = asyncio.Queue(_WAITING_LINES)
    loop = asyncio.get_running_loop()

    def read() -> None:
        with suppress(RuntimeError):  # the loop is closed: nobody listens any more
            for line in lines:
                asyncio.run_coroutine_threadsafe(waiting.put(line), loop).result()
            asyncio.run_coroutine_threadsafe(waiting.put(None), loop).result()

    threading.Thread(target=read, name="lines", daemon=True).start()  # a read from a terminal cannot be cancelled
    number, more = 0, True
    while more:
        came: list[str] = []
        with suppress(TimeoutError):
            async with asyncio.timeout(every):
                while more:
                    line = await waiting.get()
                    more = line is not None
                    came += [] if line is None else [line]
        pairs, fault = _parsed(came, number)
        number += len(came)
        if pairs:
            left, right = np.array(pairs).T.copy()
            yield left, right
        if fault is not None:
            raise fault


def _parsed(lines: list[str], before: int) -> tuple[list[tuple[float, float]], MotionFileError | None]:
    """Read numbers up to the first line that has none; ``before`` lines came earlier."""
    pairs = []
    for number, line in enumerate(lines, before + 1):
        try:
            if (pair := _numbers(line)) is not None:
                pairs.append(pair)
        except ValueError:
            reason = f"not two numbers: {line.strip()[:40]!r}"
            return pairs, MotionFileError(Path("stdin"), number, reason)
    return pairs, None


def _numbers(line: str) -> tuple[float, float] | None:
    text = line.partition("#")[0].strip()
    if not text:
        return None
    left, right = map(float, text.replace(",", " ").replace(";", " ").split())
    return left, right
