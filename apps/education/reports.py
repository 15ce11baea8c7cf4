"""What a district looks at: counts and means over all of its data, moved by each commit by what it changes."""

from education.access import require_user
from education.schema import Goal, ProgressData, Student
from synovia import Model, QueryContext, between, query


class Count(Model):
    """How many there are of something."""

    of: list[str]
    count: int


class District(Model):
    """The state of an organization; ``minutes`` is how long a session is at the mean."""

    points: int
    students: list[Count]
    goals: list[Count]
    mastery: list[Count]
    independence: list[Count]
    minutes_by_setting: dict[str, float | None]
    minutes: float | None = None


@query(capability="reports.see")
async def district(ctx: QueryContext, start: int = 0, end: int = 2**53) -> District:
    """Report on what was observed in a span, on students and on goals."""
    of = (await require_user(ctx)).organization_id
    points = ctx.db.query(ProgressData).using("by_organization", organization_id=of, recorded_date=between(start, end))
    students = ctx.db.query(Student).using("by_organization", organization_id=of)
    goals = ctx.db.query(Goal).using("by_organization", organization_id=of)
    statuses = await students.group_by("enrollment_status", "iep_status").count()
    domains = await goals.group_by("domain", "is_active").count()
    return District(
        points=await points.count(),
        students=[Count(of=list(group), count=count) for group, count in statuses.items()],
        goals=[Count(of=[domain, "active" if on else "reached"], count=n) for (domain, on), n in domains.items()],
        mastery=_counts(await points.group_by("mastery_level").count()),
        independence=_counts(await points.group_by("independence_level").count()),
        minutes=await points.mean("session_duration"),
        minutes_by_setting=await points.group_by("setting_type").mean("session_duration"),
    )


def _counts(groups: dict[str, int]) -> list[Count]:
    return [Count(of=[group], count=count) for group, count in groups.items()]
