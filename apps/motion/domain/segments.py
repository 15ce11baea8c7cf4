"""The samples of a live session: appended in small segments, of which older ones are merged into larger ones.

A segment never changes. Every ``FAN_IN`` segments of one level become one of the next, as in a log-structured merge tree, so
a sample is written again only a few times and an hour of batches is a few dozen segments. The newest batches are left as
they are: whoever has been told of one can fetch it for a while. Who comes too late for that finds the same samples inside
a larger segment and fetches the part of it that is still missing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from motion.schema import LiveSegment, LiveSession
from synovia import ArrayRef, Id, MutationContext, QueryContext
from synovia_protocol.arrays import chunk_elements

FAN_IN = 8
NEWEST = 16
"""So many batches at least are not merged yet."""
WHOLE = chunk_elements("float64")
"""A segment of so many samples is not merged any further: to the store it is a chunk or more already."""
FINAL = 99

Floats = npt.NDArray[np.float64]


async def add_batch(
    ctx: MutationContext, session: Id[LiveSession], start: int, left: ArrayRef, right: ArrayRef
) -> None:
    """Append a batch that begins at sample ``start``, and merge older ones if enough of them have gathered."""
    batch = LiveSegment(session_id=session, level=0, start=start, count=left.length, left_knee=left, right_knee=right)
    await ctx.db.insert(batch)
    level, spare = 0, NEWEST
    while await _merge(ctx, session, level, spare):
        level, spare = level + 1, 0


async def _merge(ctx: MutationContext, session: Id[LiveSession], level: int, spare: int) -> bool:
    """Merge the oldest segments of a level if there are ``spare`` ones beyond them; tell whether there were."""
    segments = await ctx.db.query(LiveSegment).using("by_level", session_id=session, level=level).take(FAN_IN + spare)
    if len(segments) < FAN_IN + spare:
        return False
    oldest = _adjoining(segments[:FAN_IN])
    count = sum(segment.count for segment in oldest)
    left, right = await both_knees(ctx, oldest)
    merged = LiveSegment(
        session_id=session,
        level=level + 1 if count < WHOLE else FINAL,
        start=oldest[0].start,
        count=count,
        left_knee=await ctx.arrays.write(left),
        right_knee=await ctx.arrays.write(right),
    )
    for segment in oldest:
        await ctx.db.delete(segment)
    await ctx.db.insert(merged)
    return True


def _adjoining(segments: Sequence[LiveSegment]) -> Sequence[LiveSegment]:
    """Take as many as follow one another without a gap; one that has become final leaves a gap in its level."""
    for place in range(1, len(segments)):
        if segments[place].start != segments[place - 1].start + segments[place - 1].count:
            return segments[:place]
    return segments


async def segments_of(ctx: QueryContext, session: Id[LiveSession]) -> list[LiveSegment]:
    """Read all segments of a session in the order of their samples."""
    found = await ctx.db.query(LiveSegment).using("by_level", session_id=session).collect()
    return sorted(found, key=lambda segment: segment.start)


async def both_knees(ctx: QueryContext, segments: Sequence[LiveSegment]) -> tuple[Floats, Floats]:
    """Read the samples of adjoining segments, each knee as one series."""
    refs = [segment.left_knee for segment in segments] + [segment.right_knee for segment in segments]
    parts: list[npt.NDArray[Any]] = await asyncio.gather(*map(ctx.arrays.read, refs))
    return np.concatenate(parts[: len(segments)]), np.concatenate(parts[len(segments) :])


async def holds(ctx: MutationContext, session: Id[LiveSession], start: int, left: ArrayRef, right: ArrayRef) -> bool:
    """Tell whether exactly these samples are at ``start`` already."""
    stop = start + left.length
    inside = [each for each in await segments_of(ctx, session) if each.start < stop and start < each.start + each.count]
    first = start - inside[0].start
    there = await both_knees(ctx, inside)
    given = await ctx.arrays.read(left), await ctx.arrays.read(right)
    # by their bytes: a NaN is a sample like others
    return all(a[first : first + left.length].tobytes() == b.tobytes() for a, b in zip(there, given, strict=True))


async def remove_segments(ctx: MutationContext, session: Id[LiveSession]) -> None:
    """Delete what is known of a session's samples; the arrays themselves go by the sweep."""
    for segment in await segments_of(ctx, session):
        await ctx.db.delete(segment)
