"""A live session at its two ends, through the client: appended in batches, and followed sample by sample."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

import numpy as np

from motion.files.motion import Floats
from motion.small_batches import SAMPLE_BYTES, SMALL_BATCH, packed, unpacked
from synovia_client import Client, ErrorCode, FunctionError

_MOST = 20_000
"""So many samples the hub takes in one batch."""


@dataclass(frozen=True, slots=True)
class Piece:
    """What is new in a live session.

    Attributes:
        left_knee, right_knee: The samples from ``start`` on, of equal length; perhaps none.
        session: What ``live:follow`` tells of the session.
    """

    start: int
    left_knee: Floats
    right_knee: Floats
    session: dict[str, Any]

    @property
    def recording_id(self) -> str | None:
        """The recording, once the session is finished."""
        return self.session.get("recordingId")


async def follow(client: Client, session_id: str, *, start: int = 0) -> AsyncGenerator[Piece, None]:
    """Follow a session until it is finished: each sample comes once, in order, and is fetched once.

    Args:
        start: How many samples are known already.

    Raises:
        FunctionError: ``not_found``: there is no such session for the caller, or it was discarded.
    """
    updates = aiter(client.subscribe("live:follow", {"sessionId": session_id}))
    async with aclosing(updates):
        async for session in updates:
            try:
                left, right = await _beyond(client, session, start)
            except FunctionError as error:
                if error.code != ErrorCode.ARRAY_NOT_FOUND:
                    raise
                continue  # merged into a larger segment meanwhile, which the next update shows
            yield Piece(start, left, right, session)
            start += len(left)
            if session.get("recordingId") is not None:
                return


async def _beyond(client: Client, session: dict[str, Any], known: int) -> tuple[Floats, Floats]:
    """Give the samples after the first ``known`` ones; those that are arrays are fetched."""
    new = [each for each in stretches(session, known) if each["start"] + each["count"] > known]
    wanted = [(each[knee], max(known - each["start"], 0)) for knee in ("leftKnee", "rightKnee") for each in new]
    if all(isinstance(knee, np.ndarray) for knee, _ in wanted):  # nothing is to be fetched, as nearly always
        parts = [knee[start:] for knee, start in wanted]
    else:
        parts = await asyncio.gather(*(_part(client, knee, start) for knee, start in wanted))
    nothing = np.zeros(0)
    return np.concatenate([nothing, *parts[: len(new)]]), np.concatenate([nothing, *parts[len(new) :]])


async def _part(client: Client, knee: Any, start: int) -> Floats:
    return knee[start:] if isinstance(knee, np.ndarray) else await client.array(knee, start)


def stretches(session: Mapping[str, Any], known: int = 0) -> list[dict[str, Any]]:
    """Give all stretches of a session in order: its segments, then the recent batches, with numpy arrays for references.

    Args:
        known: Recent batches that end with this sample, or before, are left out.
    """
    found = list(session["segments"])
    end = found[-1]["start"] + found[-1]["count"] if found else 0
    for recent in session["recent"]:
        start, end = end, end + len(recent) // SAMPLE_BYTES
        if end > known:
            left, right = unpacked(recent)
            found.append({"start": start, "count": len(left), "leftKnee": left, "rightKnee": right})
    return found


async def append(client: Client, session_id: str, position: int, left: Floats, right: Floats) -> int:
    """Append samples, in several batches if there are many; tell how many the session has then."""
    for start in range(0, len(left), _MOST):
        batch = slice(start, start + _MOST)
        args = {"sessionId": session_id, "position": position, **batch_of(left[batch], right[batch])}
        position = await client.mutation("live:append", args)
    return position


def batch_of(left: Floats, right: Floats) -> dict[str, Any]:
    """Give the samples of one batch as ``live:append`` takes them: a small one without an upload."""
    if len(left) <= SMALL_BATCH:
        return {"samples": packed(left, right)}
    return {"leftKnee": left, "rightKnee": right}
