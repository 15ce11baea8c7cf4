"""Live recordings: samples appended while a session runs, and seen growing by everybody who may follow it."""

from __future__ import annotations

from datetime import timedelta

from motion.domain.access import contact_of, current_user, require_contact, shown_to, visible_recording
from motion.domain.bounds import (
    MAX_BATCH,
    MAX_LIVE_SAMPLES,
    MAX_LIVE_SESSIONS,
    Alias,
    ExerciseType,
    LiveHertz,
    Notes,
    Position,
    Shares,
    Tags,
)
from motion.domain.segments import Batch, add_batch, both_knees, holds, remove_segments, segments_of
from motion.functions.recordings import distinct
from motion.schema import LiveSession, Recording, SmallBatch, User
from motion.small_batches import SAMPLE_BYTES
from synovia import (
    ArrayRef,
    Float64Array,
    Forbidden,
    FunctionError,
    Id,
    InvalidArguments,
    Model,
    MutationContext,
    NotFound,
    QueryContext,
    between,
    cron,
    lt,
    mutation,
    query,
)

MINUTE = 60_000
UNATTENDED = 10 * MINUTE
"""A session to which nothing was appended for so long is finished, or discarded if it is empty."""
REMEMBERED = 60 * MINUTE
"""So long a finished session leads its viewers to the recording."""
AHEAD_SECONDS = 60
AT_ONCE = 100


class Segment(Model):
    """Samples ``[start, start + count)`` of both knees, in degrees."""

    start: int
    count: int
    left_knee: Float64Array
    right_knee: Float64Array


class Growth(Model):
    """A session as its viewers follow it; once it is finished, its recording's samples are its only segment.

    ``recent`` are the small batches after the segments, in order: of each the left knee's samples, then the right one's,
    float64, little-endian.
    """

    owner_id: Id[User]
    subject_id: Id[User] | None = None
    subject_alias: str | None = None
    started_at: int
    sample_rate: float
    sample_count: int
    segments: list[Segment]
    recent: list[bytes]
    recording_id: Id[Recording] | None = None


# --- viewers ----------------------------------------------------------------------------------------------------------


@query(capability="recordings.keep")
async def list_running(ctx: QueryContext) -> list[LiveSession]:
    """List the sessions that run and that the caller may follow: their own, of them, shared with them."""
    me = await current_user(ctx)
    sessions = ctx.db.query(LiveSession)
    found = [
        *await sessions.using("by_owner", owner_id=me.id, is_running=True).take(AT_ONCE),
        *await sessions.using("by_subject", subject_id=me.id, is_running=True).take(AT_ONCE),
        *await sessions.using("by_shared_with", shared_with=me.id, is_running=True).take(AT_ONCE),
    ]
    each_once = {session.id: session for session in found if _may_follow(me, session)}
    return sorted((shown_to(me, each) for each in each_once.values()), key=lambda each: each.started_at)


@query(capability="recordings.keep")
async def follow(ctx: QueryContext, session_id: Id[LiveSession]) -> Growth:
    """Follow a session as it grows.

    Its segments, and what is recent after them, lie side by side from sample 0 to ``sample_count``. Older ones are
    replaced by larger ones that hold the same samples, so whoever has samples ``[0, n)`` fetches from each segment only
    what lies beyond ``n``.

    Raises:
        NotFound: There is none, or it is not for the caller, or it was discarded.
    """
    me = await current_user(ctx)
    session = await _followed(ctx, me, session_id)
    segments, recent = await _samples(ctx, me, session)
    return Growth(
        owner_id=session.owner_id,
        subject_id=session.subject_id,
        subject_alias=session.subject_alias,
        started_at=session.started_at,
        sample_rate=session.sample_rate,
        sample_count=session.sample_count,
        segments=segments,
        recent=recent,
        recording_id=session.recording_id,
    )


async def _samples(ctx: QueryContext, me: User, session: LiveSession) -> tuple[list[Segment], list[bytes]]:
    if session.recording_id is None:
        found = await segments_of(ctx, session.id)
        return [
            Segment(start=each.start, count=each.count, left_knee=each.left_knee, right_knee=each.right_knee)
            for each in found
            if each.left_knee is not None and each.right_knee is not None
        ], [each.samples for each in found if each.samples is not None]
    # From now on the recording says who may see it.
    recording = await visible_recording(ctx, me, session.recording_id)
    if recording.left_knee is None or recording.right_knee is None:  # not of a session: these measure both
        return [], []
    count = recording.sample_count
    return [Segment(start=0, count=count, left_knee=recording.left_knee, right_knee=recording.right_knee)], []


def _may_follow(me: User, session: LiveSession) -> bool:
    if me.id in (session.owner_id, session.subject_id):
        return True
    return me.id in (session.shared_with or ()) and contact_of(me, session.owner_id) is not None


async def _followed(ctx: QueryContext, me: User, session_id: Id[LiveSession]) -> LiveSession:
    session = await ctx.db.get(LiveSession, session_id)
    if session is None or not _may_follow(me, session):
        raise NotFound("there is no such live session")
    return session


# --- the owner --------------------------------------------------------------------------------------------------------


@mutation(capability="recordings.keep")
async def start(
    ctx: MutationContext,
    sample_rate: LiveHertz,
    subject_id: Id[User] | None = None,
    subject_alias: Alias = "",
    shared_with: Shares | None = None,
) -> Id[LiveSession]:
    """Begin a session.

    Args:
        sample_rate: Hz.
        subject_id: Who is measured: the caller or a contact; they may follow it.
        subject_alias: A name for a subject without an account.
        shared_with: Contacts who may follow it, and will see the recording.

    Raises:
        FunctionError: ``not_a_contact``; ``limit_exceeded``: too many sessions of the caller run.
    """
    me = await current_user(ctx)
    for other in {*(shared_with or ()), subject_id} - {None, me.id}:
        await require_contact(ctx, me, Id(other))
    mine = ctx.db.query(LiveSession).using("by_owner", owner_id=me.id, is_running=True)
    if await mine.count() >= MAX_LIVE_SESSIONS:
        raise FunctionError("limit_exceeded", f"at most {MAX_LIVE_SESSIONS} live sessions of one person run at a time")
    session = LiveSession(
        owner_id=me.id,
        subject_id=subject_id,
        subject_alias=subject_alias or None,
        shared_with=[other for other in dict.fromkeys(shared_with or ()) if other != me.id] or None,
        sample_rate=sample_rate,
        started_at=ctx.now,
        is_running=True,
        last_at=ctx.now,
    )
    session_id = await ctx.db.insert(session)
    await ctx.scheduler.run_at(_due(session), look_after, session_id)
    return session_id


@mutation(capability="recordings.keep")
async def append(
    ctx: MutationContext,
    session_id: Id[LiveSession],
    position: Position,
    left_knee: Float64Array | None = None,
    right_knee: Float64Array | None = None,
    samples: SmallBatch | None = None,
) -> int:
    """Append a batch and tell how many samples there are now; one that is there already is accepted again.

    Args:
        session_id: A session of the caller that runs.
        position: How many samples came before this batch.
        left_knee: Shape ``(count,)``, degrees.
        right_knee: The same.
        samples: A small batch in place of both, as ``Growth.recent`` has it: nothing is uploaded for it.

    Raises:
        FunctionError: ``out_of_order`` (``data`` has the ``sampleCount`` to go on from), ``finished``, ``limit_exceeded``.
        InvalidArguments: The two are not series of one length, or too long; or there are both ``samples`` and arrays.
        Forbidden: It is somebody else's session.
    """
    session = await _running(ctx, session_id)
    batch = _batch(left_knee, right_knee, samples)
    end = position + batch.count
    if end <= session.sample_count and await holds(ctx, session.id, position, batch):
        return session.sample_count
    if position != session.sample_count:
        text = f"the session has {session.sample_count} samples, these would begin after {position}"
        raise FunctionError("out_of_order", text, {"sampleCount": session.sample_count})
    _check_amount(session, end, ctx.now)
    unmerged = await add_batch(ctx, session, position, batch)
    await ctx.db.patch(session, sample_count=end, unmerged=unmerged, last_at=ctx.now)
    return end


def _batch(left: ArrayRef | None, right: ArrayRef | None, samples: bytes | None) -> Batch:
    if samples is not None and left is None and right is None:
        if not samples or len(samples) % SAMPLE_BYTES:
            raise InvalidArguments(f"samples are float64, as many of either knee, not {len(samples)} bytes")
        return Batch(len(samples) // SAMPLE_BYTES, samples=samples)
    if samples is not None or left is None or right is None:
        raise InvalidArguments("a batch is leftKnee and rightKnee, or samples in place of both")
    if len(left.shape) != 1 or left.shape != right.shape:
        raise InvalidArguments(f"both knees need a series of one length, not shapes {left.shape} and {right.shape}")
    if not 0 < left.length <= MAX_BATCH:
        raise InvalidArguments(f"a batch has 1 to {MAX_BATCH:,} samples a side, not {left.length:,}")
    return Batch(left.length, knees=(left, right))


def _check_amount(session: LiveSession, end: int, now: int) -> None:
    """Refuse more samples than there was time for: a clock may run fast and a batch be late, but this is no upload."""
    if end > MAX_LIVE_SAMPLES:
        raise FunctionError(
            "limit_exceeded", f"a live session has at most {MAX_LIVE_SAMPLES:,} samples a side: finish it"
        )
    seconds = (now - session.started_at) / 1000
    if end > session.sample_rate * (1.05 * seconds + AHEAD_SECONDS):
        text = f"{end} samples at {session.sample_rate:g} Hz cannot have come about in {seconds:.0f} s"
        raise FunctionError("limit_exceeded", text)


@mutation(capability="recordings.keep")
async def finish(
    ctx: MutationContext,
    session_id: Id[LiveSession],
    notes: Notes = "",
    exercise_type: ExerciseType = "",
    tags: Tags | None = None,
) -> Id[Recording]:
    """Save a session as a recording, once: finishing it again gives the same recording and changes nothing.

    Raises:
        FunctionError: ``empty``: it has no samples; discard it.
        Forbidden: It is somebody else's session.
    """
    session = await _owned(ctx, session_id)
    if session.recording_id is not None:
        return session.recording_id
    if not session.sample_count:
        raise FunctionError("empty", "this session has no samples: discard it")
    return await _save(ctx, session, notes, exercise_type, tags)


async def _save(
    ctx: MutationContext,
    session: LiveSession,
    notes: str = "",
    exercise_type: str = "",
    tags: list[str] | None = None,
) -> Id[Recording]:
    left, right = await both_knees(ctx, await segments_of(ctx, session.id))
    duration = (session.sample_count - 1) * 1000 / session.sample_rate
    owner = await ctx.db.get(User, session.owner_id)
    shared = [other for other in session.shared_with or () if owner is not None and contact_of(owner, other)]
    recording = Recording(
        owner_id=session.owner_id,
        subject_id=session.subject_id,
        subject_alias=session.subject_alias,
        shared_with=shared or None,
        start_time=session.started_at,
        end_time=max(session.last_at, session.started_at + round(duration)),
        sample_rate=session.sample_rate,
        sample_count=session.sample_count,
        duration_ms=duration,
        left_knee=await ctx.arrays.write(left),
        right_knee=await ctx.arrays.write(right),
        notes=notes or None,
        exercise_type=exercise_type or None,
        tags=distinct(tags),
        created_at=ctx.now,
    )
    recording_id = await ctx.db.insert(recording)
    await ctx.db.patch(session, is_running=None, finished_at=ctx.now, recording_id=recording_id)
    await remove_segments(ctx, session.id)
    return recording_id


@mutation(capability="recordings.keep")
async def discard(ctx: MutationContext, session_id: Id[LiveSession]) -> None:
    """Throw a session away with all its samples.

    Raises:
        FunctionError: ``finished``: it is a recording already.
        Forbidden: It is somebody else's session.
    """
    await _remove(ctx, await _running(ctx, session_id))


async def _remove(ctx: MutationContext, session: LiveSession) -> None:
    await remove_segments(ctx, session.id)
    await ctx.db.delete(session)


async def _owned(ctx: QueryContext, session_id: Id[LiveSession]) -> LiveSession:
    me = await current_user(ctx)
    session = await _followed(ctx, me, session_id)
    if session.owner_id != me.id:
        raise Forbidden("only its owner may do this to a live session")
    return session


async def _running(ctx: QueryContext, session_id: Id[LiveSession]) -> LiveSession:
    session = await _owned(ctx, session_id)
    if session.recording_id is not None:
        raise FunctionError("finished", "this session is finished", {"recordingId": session.recording_id})
    return session


# --- sessions that nobody looks after ---------------------------------------------------------------------------------


@mutation(internal=True)
async def look_after(ctx: MutationContext, session_id: Id[LiveSession]) -> None:
    """End a session to which nothing was appended for long, forget one that was finished long ago; else look again later."""
    session = await ctx.db.get(LiveSession, session_id)
    if session is None:
        return
    if (due := _due(session)) > ctx.now:
        await ctx.scheduler.run_at(due, look_after, session_id)
    elif not session.is_running or not session.sample_count:
        await _remove(ctx, session)
    else:
        await _save(ctx, session)
        await ctx.scheduler.run_at(ctx.now + REMEMBERED, look_after, session_id)


def _due(session: LiveSession) -> int:
    return session.last_at + UNATTENDED if session.finished_at is None else session.finished_at + REMEMBERED


@cron(daily_at="03:45")
@mutation(internal=True)
async def tend(ctx: MutationContext) -> None:
    """Look after sessions whose turn was missed because looking after them failed."""
    sessions, late = ctx.db.query(LiveSession), ctx.now - REMEMBERED
    left = [
        *await sessions.using("by_last_batch", is_running=True, last_at=lt(late)).take(AT_ONCE),
        *await sessions.using("by_finish", finished_at=between(1, late)).take(AT_ONCE),
    ]
    for session in left:
        await ctx.scheduler.run_after(timedelta(), look_after, session.id)


async def remove_live_sessions(ctx: MutationContext, owner: Id[User]) -> None:
    """Delete all live sessions of somebody, running or not; their recordings stay."""
    for session in await ctx.db.query(LiveSession).using("by_owner", owner_id=owner).collect():
        await _remove(ctx, session)
