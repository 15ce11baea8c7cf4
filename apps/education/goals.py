"""Goals, what is observed of them, and what comes of it, live while others enter data."""

from education.access import require_user
from education.ieps import open_iep
from education.schema import Goal, GoalData, Iep, Observation, ProgressData
from synovia import FunctionError, Id, Model, MutationContext, NotFound, Page, QueryContext, between, mutation, query

WEEK = 7 * 86_400_000
EVER = 2**53


class Progress(Model):
    """What is known of a goal's progress in a span.

    Attributes:
        trend: Change a week, by the line of least squares.
        percent: How much of the way from the baseline to the target the latest point has gone, 0 to 100.
        projected: When that line reaches the target, in milliseconds since 1970; None if it leads elsewhere.
    """

    points: int
    latest: float | None = None
    mean: float | None = None
    trend: float | None = None
    percent: float | None = None
    projected: int | None = None


@mutation(capability="records.write")
async def create(ctx: MutationContext, iep_id: Id[Iep], goal: GoalData) -> Id[Goal]:
    """Add a goal to a version that nobody has signed."""
    iep = await open_iep(ctx, iep_id)
    last = await ctx.db.query(Goal).using("by_iep", iep_id=iep_id).order("desc").first()
    number = 1 if last is None else last.goal_number + 1
    return await ctx.db.insert(Goal(goal_number=number, iep_id=iep_id, **iep.about, **dict(goal)))


@mutation(capability="records.write")
async def update(ctx: MutationContext, goal_id: Id[Goal], goal: GoalData) -> Goal:
    """Change what a goal says, as long as nobody has signed it."""
    row = await _goal(ctx, goal_id)
    await open_iep(ctx, row.iep_id)
    return await ctx.db.patch(row, **dict(goal))


@mutation(capability="records.write", name="setMastered")
async def set_mastered(ctx: MutationContext, goal_id: Id[Goal], mastered: bool) -> Goal:
    """Say that a goal is reached, or is not after all."""
    return await ctx.db.patch(goal_id, is_active=not mastered, mastery_date=ctx.now if mastered else None)


@mutation(capability="records.write")
async def record(ctx: MutationContext, goal_id: Id[Goal], observation: Observation) -> Id[ProgressData]:
    """Enter what was observed; not of a time that is still to come."""
    me, goal = await require_user(ctx), await _goal(ctx, goal_id)
    if observation.recorded_date > ctx.now + 60_000:
        raise FunctionError("not_yet", "what is still to come cannot have been observed")
    return await ctx.db.insert(
        ProgressData(goal_id=goal_id, iep_id=goal.iep_id, recorded_by=me.id, **goal.about, **dict(observation))
    )


@query(capability="records.read")
async def progress(ctx: QueryContext, goal_id: Id[Goal], start: int = 0, end: int = EVER) -> Progress | None:
    """Tell how a goal comes along; None to whom there is no such goal."""
    goal = await ctx.db.get(goal_id)
    if goal is None:
        return None
    points = ctx.db.query(ProgressData).using("by_goal", goal_id=goal_id, recorded_date=between(start, end))
    latest, mean = await points.order("desc").first(), await points.mean("measurement_value")
    line = await points.trend(x="recorded_date", y="measurement_value")
    base, target = goal.baseline_data.value, goal.target_criteria.target
    found = Progress(points=line.count, mean=mean, trend=None if line.slope is None else line.slope * WEEK)
    if latest is None:
        return found
    now = latest.measurement_value
    way = 100.0 if now == target else 0.0 if target == base else 100 * (now - base) / (target - base)
    projected = None
    if line.slope and line.mean_x is not None and line.mean_y is not None:
        ahead = (target - line.mean_y) / line.slope
        projected = int(line.mean_x + ahead) if 0 < ahead < 100 * 53 * WEEK else None
    return found.model_copy(update={"latest": now, "percent": max(0.0, min(100.0, way)), "projected": projected})


@query(capability="records.read")
async def points(
    ctx: QueryContext, goal_id: Id[Goal], cursor: str | None = None, limit: int = 200
) -> Page[ProgressData]:
    """List what was observed of a goal, the latest first."""
    return await ctx.db.query(ProgressData).using("by_goal", goal_id=goal_id).order("desc").paginate(cursor, limit)


async def _goal(ctx: MutationContext, goal_id: Id[Goal]) -> Goal:
    goal = await ctx.db.get(goal_id)
    if goal is None:
        raise NotFound("there is no such goal")
    return goal
