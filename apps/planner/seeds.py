"""Two organizations to try out: ``org_north`` with three users and a few weeks, ``org_south`` beside it."""

from __future__ import annotations

from planner.schema import Organization, Role, Schedule, Status, User
from synovia import Id, MutationContext, seed

DAY = 86_400_000
ROLES: tuple[Role, ...] = ("admin", "member", "viewer")
PLANS: tuple[tuple[str, int, int, Status], ...] = (
    ("Spring campaign", -9, 12, "active"),
    ("Office move", -4, 3, "active"),
    ("Hiring: two engineers", -2, 20, "active"),
    ("Budget review", 1, 2, "draft"),
    ("Team days in the hills", 6, 9, "draft"),
    ("Release 4", 10, 11, "draft"),
    ("Inventory", -12, -8, "completed"),
    ("Trade fair", -6, -5, "cancelled"),
)


@seed
async def two_organizations(ctx: MutationContext) -> None:
    """Write what there is to look at."""
    today = ctx.now - ctx.now % DAY
    for slug, names in (("north", ("Ada", "Ben", "Cleo")), ("south", ("Sue",))):
        id_ = await ctx.db.insert(Organization(id=Id(f"org_{slug}"), name=f"{slug.title()} Ltd", slug=slug))
        users = [
            await ctx.db.insert(User(email=f"{name.lower()}@{slug}.example", name=name, organization_id=id_, role=role))
            for name, role in zip(names, ROLES, strict=False)
        ]
        for number, (title, start, end, status) in enumerate(PLANS):
            await ctx.db.insert(
                Schedule(
                    title=title,
                    organization_id=id_,
                    user_id=users[number % min(len(users), 2)],
                    status=status,
                    start_date=today + start * DAY,
                    end_date=today + end * DAY,
                )
            )
