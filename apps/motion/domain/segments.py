"""The samples of a live session: appended in small segments, of which older ones are merged into larger ones.

A segment never changes. ``BATCHES`` of them, and then every ``FAN_IN`` segments of one level, become one of the next, as
in a log-structured merge tree, so a sample is written again only a few times and an hour of batches is a few dozen
segments. The newest batches are left as they are: whoever has been told of one can fetch it for a while. Who comes too
late for that finds the same samples inside a larger segment and fetches the part of it that is still missing.

Small batches hold their samples themselves, so whoever follows has them with the news of them. They are the end of a session
always: before a batch whose samples are arrays they become such a segment.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from motion.schema import LiveSegment, LiveSession
from motion.small_batches import SMALL_BATCH, Floats, packed, unpacked
from synovia import ArrayRef, Id, MutationContext, QueryContext
from synovia_protocol.arrays import chunk_elements

FAN_IN = 8
BATCHES = 16
"""So many batches become one segment: of each that takes their place everybody who follows is told."""
NEWEST = 16
"""So many batches at least are not merged yet."""
WHOLE = chunk_elements("float64")
"""A segment of so many samples is not merged any further: to the store it is a chunk or more already."""
FINAL = 99


@dataclass(frozen=True, slots=True)
class Batch:
    """What is appended.

    Attributes:
        count: Samples of each knee.
        knees: The arrays of the left and of the right one.
        samples: Both in place of these, as ``LiveSegment`` has them.
    """

    count: int
    knees: tuple[ArrayRef, ArrayRef] | None = None
    samples: bytes | None = None

    async def packed(self, ctx: QueryContext) -> bytes:
        """Give both knees as ``samples``."""
        if self.knees is None:
            return self.samples or b""
        return packed(*await asyncio.gather(*map(ctx.arrays.read, self.knees)))


async def add_batch(ctx: MutationContext, session: LiveSession, start: int, batch: Batch) -> int:
    """Append a batch that begins at sample ``start``, and merge older ones if enough of them have gathered.

    Returns:
        What ``LiveSession.unmerged`` is to be: so it is not asked for every batch how many there are.
    """
    if batch.knees is None or batch.count <= SMALL_BATCH:
        held: dict[str, Any] = {"samples": await batch.packed(ctx)}
    else:
        await _merge_small(ctx, session.id)
        held = {"left_knee": batch.knees[0], "right_knee": batch.knees[1]}
    await ctx.db.insert(LiveSegment(session_id=session.id, level=0, start=start, count=batch.count, **held))
    if session.unmerged + 1 < BATCHES + NEWEST:
        return session.unmerged + 1
    level, spare = 0, NEWEST
    while await _merge(ctx, session.id, level, spare):
        level, spare = level + 1, 0
    return await ctx.db.query(LiveSegment).using("by_level", session_id=session.id, level=0).count()


async def _merge_small(ctx: MutationContext, session: Id[LiveSession]) -> None:
    """Make arrays of the small batches at the end."""
    newest = await ctx.db.query(LiveSegment).using("by_level", session_id=session, level=0).collect()
    if small := [segment for segment in newest if segment.samples is not None]:
        await _replace(ctx, small, level=0)


async def _merge(ctx: MutationContext, session: Id[LiveSession], level: int, spare: int) -> bool:
    """Merge the oldest segments of a level if there are ``spare`` ones beyond them; tell whether there were."""
    fan_in = FAN_IN if level else BATCHES
    segments = await ctx.db.query(LiveSegment).using("by_level", session_id=session, level=level).take(fan_in + spare)
    if len(segments) < fan_in + spare:
        return False
    oldest = _adjoining(segments[:fan_in])
    await _replace(ctx, oldest, level + 1 if sum(segment.count for segment in oldest) < WHOLE else FINAL)
    return True


async def _replace(ctx: MutationContext, segments: Sequence[LiveSegment], level: int) -> None:
    """Put one segment of arrays in the place of adjoining ones."""
    left, right = await both_knees(ctx, segments)
    merged = LiveSegment(
        session_id=segments[0].session_id,
        level=level,
        start=segments[0].start,
        count=len(left),
        left_knee=await ctx.arrays.write(left),
        right_knee=await ctx.arrays.write(right),
    )
    for segment in segments:
        await ctx.db.delete(segment)
    await ctx.db.insert(merged)


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
    parts = await asyncio.gather(*(_knees(ctx, segment) for segment in segments))
    return np.concatenate([left for left, _ in parts]), np.concatenate([right for _, right in parts])


async def _knees(ctx: QueryContext, segment: LiveSegment) -> tuple[Floats, Floats]:
    if segment.left_knee is None or segment.right_knee is None:
        return unpacked(segment.samples or b"")
    left, right = await asyncio.gather(ctx.arrays.read(segment.left_knee), ctx.arrays.read(segment.right_knee))
    return left, right


async def holds(ctx: MutationContext, session: Id[LiveSession], start: int, batch: Batch) -> bool:
    """Tell whether exactly these samples are at ``start`` already."""
    stop = start + batch.count
    inside = [each for each in await segments_of(ctx, session) if each.start < stop and start < each.start + each.count]
    first = start - inside[0].start
    left, right = (knee[first : first + batch.count] for knee in await both_knees(ctx, inside))
    return packed(left, right) == await batch.packed(ctx)  # by their bytes: a NaN is a sample like others


async def remove_segments(ctx: MutationContext, session: Id[LiveSession]) -> None:
    """Delete what is known of a session's samples; the arrays themselves go by the sweep."""
    for segment in await segments_of(ctx, session):
        await ctx.db.delete(segment)
