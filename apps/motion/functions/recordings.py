"""Recordings: saving, listing, editing, sharing and archiving measurements of knees."""

from __future__ import annotations

from typing import Literal

from motion.domain.access import (
    current_user,
    may_see,
    owned_recording,
    require_contact,
    shown_to,
    unarchived_recording,
    visible_recording,
)
from motion.domain.bounds import (
    MAX_SAMPLES,
    MAX_SHARES,
    Alias,
    Duration,
    ExerciseType,
    Hertz,
    Limit,
    Millis,
    Notes,
    Reason,
    Tags,
)
from motion.schema import Recording, User
from synovia import (
    ArrayRef,
    Float64Array,
    FunctionError,
    Id,
    InvalidArguments,
    MutationContext,
    Page,
    QueryContext,
    field,
    gt,
    mutation,
    query,
)

NOT_ARCHIVED = field("is_archived") != True  # noqa: E712 (a condition of the query)

# --- reading ----------------------------------------------------------------------------------------------------------


@query(capability="recordings.keep")
async def list_mine(ctx: QueryContext, limit: Limit = 50) -> list[Recording]:
    """List the caller's own recordings, the newest first, without archived ones."""
    me = await current_user(ctx)
    return await ctx.db.query(Recording).using("by_owner", owner_id=me.id).order("desc").where(NOT_ARCHIVED).take(limit)


@query(capability="recordings.keep")
async def page_mine(ctx: QueryContext, cursor: str | None = None, limit: Limit = 50) -> Page[Recording]:
    """List as ``list_mine``, page by page: ``cursor`` is the page before's ``next_cursor``."""
    me = await current_user(ctx)
    mine = ctx.db.query(Recording).using("by_owner", owner_id=me.id).order("desc").where(NOT_ARCHIVED)
    return await mine.paginate(cursor, limit)


@query(capability="recordings.keep")
async def list_of_me(ctx: QueryContext, limit: Limit = 50) -> list[Recording]:
    """List the recordings whose subject is the caller, whoever made them, the newest first."""
    me = await current_user(ctx)
    of_me = ctx.db.query(Recording).using("by_subject", subject_id=me.id).order("desc").where(NOT_ARCHIVED)
    return [shown_to(me, recording) for recording in await of_me.take(limit)]


@query(capability="recordings.keep")
async def list_shared(ctx: QueryContext, limit: Limit = 50) -> list[Recording]:
    """List the recordings that others share with the caller, the newest first."""
    me = await current_user(ctx)
    shared = ctx.db.query(Recording).using("by_shared_with", shared_with=me.id).order("desc").where(NOT_ARCHIVED)
    return [shown_to(me, recording) for recording in await shared.take(limit) if may_see(me, recording)]


@query(capability="recordings.keep")
async def list_archived(ctx: QueryContext, limit: Limit = 50) -> list[Recording]:
    """List the caller's own archived recordings, the last archived first."""
    me = await current_user(ctx)
    return (
        await ctx.db.query(Recording).using("by_archive", owner_id=me.id, archived_at=gt(0)).order("desc").take(limit)
    )


@query(capability="recordings.keep")
async def get(ctx: QueryContext, recording_id: Id[Recording]) -> Recording:
    """Read one recording that the caller may see.

    Raises:
        NotFound: There is none, or it is not for the caller.
    """
    me = await current_user(ctx)
    return shown_to(me, await visible_recording(ctx, me, recording_id))


# --- saving -----------------------------------------------------------------------------------------------------------


@mutation(capability="recordings.keep")
async def save(
    ctx: MutationContext,
    sample_rate: Hertz,
    left_knee: Float64Array | None = None,
    right_knee: Float64Array | None = None,
    sample_count: int | None = None,
    duration_ms: Duration | None = None,
    start_time: Millis | None = None,
    end_time: Millis | None = None,
    subject_id: Id[User] | None = None,
    subject_alias: Alias = "",
    notes: Notes = "",
    exercise_type: ExerciseType = "",
    tags: Tags | None = None,
) -> Id[Recording]:
    """Save a recording of the caller.

    Args:
        sample_rate: Hz.
        left_knee: Shape ``(sample_count,)``, degrees; left out: not measured.
        right_knee: The same; one of the two is needed.
        sample_count: How many samples a side; only checked against the arrays.
        duration_ms: From the first to the last sample, in milliseconds; by default as count and rate give it.
        start_time: UTC milliseconds; by default the duration before the end.
        end_time: UTC milliseconds; by default the duration after the start, or now.
        subject_id: Who was measured: the caller or a contact.
        subject_alias: A name for a subject without an account.
        notes: As the owner likes.
        exercise_type: As ``walking``.
        tags: As the owner likes; repeated ones count once.

    Raises:
        InvalidArguments: The numbers contradict each other.
        FunctionError: ``not_a_contact``.
    """
    me = await current_user(ctx)
    count = _sample_count(left_knee, right_knee, sample_count)
    duration = _duration(count, sample_rate, duration_ms)
    start, end = _span(start_time, end_time, duration, ctx.now)
    if subject_id is not None:
        await _require_subject(ctx, me, subject_id)
    return await ctx.db.insert(
        Recording(
            owner_id=me.id,
            subject_id=subject_id,
            subject_alias=subject_alias or None,
            start_time=start,
            end_time=end,
            sample_rate=sample_rate,
            sample_count=count,
            duration_ms=duration,
            left_knee=left_knee,
            right_knee=right_knee,
            notes=notes or None,
            exercise_type=exercise_type or None,
            tags=distinct(tags),
            created_at=ctx.now,
        )
    )


async def _require_subject(ctx: QueryContext, me: User, subject_id: Id[User]) -> None:
    """Refuse a subject who is neither the caller nor a contact."""
    if subject_id != me.id:
        await require_contact(ctx, me, subject_id)


def _sample_count(left: ArrayRef | None, right: ArrayRef | None, told: int | None) -> int:
    knees = [knee for knee in (left, right) if knee is not None]
    if not knees:
        raise InvalidArguments("a recording needs leftKnee, rightKnee or both")
    if len(knees[0].shape) != 1 or len({knee.shape for knee in knees}) > 1:
        shapes = " and ".join(str(knee.shape) for knee in knees)
        raise InvalidArguments(f"both knees need a series of one length, not shapes {shapes}")
    count = knees[0].length
    if told is not None and told != count:
        raise InvalidArguments(f"sampleCount is {told}, but each knee has {count} samples")
    if not 0 < count <= MAX_SAMPLES:
        raise InvalidArguments(f"a recording has 1 to {MAX_SAMPLES:,} samples a side, not {count:,}")
    return count


def _duration(count: int, rate: float, told: float | None) -> float:
    """Check a duration, or compute it; one sample more or less and a drift of 1 % against the nominal rate are fine."""
    period = 1000 / rate
    expected = (count - 1) * period
    if told is None:
        return expected
    slack = period + 1 + 0.01 * expected
    if not expected - slack <= told <= expected + slack:
        raise InvalidArguments(f"{count} samples at {rate:g} Hz last {expected:g} ms, not {told:g} ms")
    return told


def _span(start: int | None, end: int | None, duration: float, now: int) -> tuple[int, int]:
    """Find when a recording began and ended; it may have paused, but cannot hold more than there was time for."""
    if start is None:
        end = now if end is None else end
        return max(end - round(duration), 0), end
    if end is None:
        return start, start + round(duration)
    if end < start:
        raise InvalidArguments("endTime lies before startTime")
    if end - start < 0.99 * duration - 1000:
        raise InvalidArguments(f"the samples last {duration:g} ms, but only {end - start} ms lie between start and end")
    return start, end


def distinct(tags: list[str] | None) -> list[str] | None:
    """Take each tag once; no tags are None."""
    return list(dict.fromkeys(tags)) if tags else None


# --- editing ----------------------------------------------------------------------------------------------------------


@mutation(capability="recordings.keep")
async def rename(ctx: MutationContext, recording_id: Id[Recording], notes: Notes) -> None:
    """Change the notes, by which a recording goes in lists; empty ones remove them."""
    recording = await unarchived_recording(ctx, recording_id)
    await ctx.db.patch(recording, notes=notes or None)


@mutation(capability="recordings.keep")
async def update(
    ctx: MutationContext,
    recording_id: Id[Recording],
    notes: Notes | None = None,
    exercise_type: ExerciseType | None = None,
    tags: Tags | None = None,
    subject_id: Id[User] | Literal[""] | None = None,
    subject_alias: Alias | None = None,
) -> None:
    """Change what is given, keep the rest; an empty text, list or subject removes the field.

    Raises:
        NotFound: There is no such recording for the caller.
        Forbidden: It belongs to somebody else.
        FunctionError: ``archived`` or ``not_a_contact``.
    """
    recording = await unarchived_recording(ctx, recording_id)
    if subject_id:
        await _require_subject(ctx, await current_user(ctx), Id(subject_id))
    changes: dict[str, str | list[str] | None] = {}
    if subject_id is not None:
        changes["subject_id"] = subject_id or None
    if subject_alias is not None:
        changes["subject_alias"] = subject_alias or None
    if notes is not None:
        changes["notes"] = notes or None
    if exercise_type is not None:
        changes["exercise_type"] = exercise_type or None
    if tags is not None:
        changes["tags"] = distinct(tags)
    await ctx.db.patch(recording, **changes)


# --- sharing ----------------------------------------------------------------------------------------------------------


@mutation(capability="recordings.keep")
async def share(ctx: MutationContext, recording_id: Id[Recording], user_id: Id[User]) -> None:
    """Show a recording to a contact; sharing again changes nothing.

    Raises:
        FunctionError: ``not_a_contact``, ``limit_exceeded`` or ``archived``; and as ``update``.
    """
    recording = await unarchived_recording(ctx, recording_id)
    await require_contact(ctx, await current_user(ctx), user_id)
    shared = recording.shared_with or []
    if user_id in shared:
        return
    if len(shared) >= MAX_SHARES:
        raise FunctionError("limit_exceeded", f"a recording is shared with at most {MAX_SHARES} people")
    await ctx.db.patch(recording, shared_with=[*shared, user_id])


@mutation(capability="recordings.keep")
async def unshare(ctx: MutationContext, recording_id: Id[Recording], user_id: Id[User]) -> None:
    """Stop showing a recording to somebody; it works on archived ones too, and for whom it is not shared with."""
    recording = await owned_recording(ctx, recording_id)
    rest = [other for other in recording.shared_with or () if other != user_id]
    await ctx.db.patch(recording, shared_with=rest or None)


# --- archiving --------------------------------------------------------------------------------------------------------


@mutation(capability="recordings.keep")
async def archive(ctx: MutationContext, recording_id: Id[Recording], reason: Reason = "") -> None:
    """Put a recording away: it leaves all lists but the owner's archive, and cannot be changed until it is restored.

    Raises:
        FunctionError: ``archived``: it is already; and as ``update``.
    """
    recording = await unarchived_recording(ctx, recording_id)
    await ctx.db.patch(recording, is_archived=True, archived_at=ctx.now, archive_reason=reason or None)


@mutation(capability="recordings.keep")
async def restore(ctx: MutationContext, recording_id: Id[Recording]) -> None:
    """Bring a recording back from the archive, shared with the same people as before.

    Raises:
        FunctionError: ``not_archived``; and as ``update``.
    """
    recording = await owned_recording(ctx, recording_id)
    if not recording.is_archived:
        raise FunctionError("not_archived", "this recording is not archived")
    await ctx.db.patch(recording, is_archived=None, archived_at=None, archive_reason=None)
