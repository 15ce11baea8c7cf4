"""Two organizations to try out: ``org_north`` with three users and a few weeks, ``org_south`` beside it."""

from planner.schema import Organization, Plan, Role, Schedule, Status, User
from synovia import Id, MutationContext, seed

DAY = 86_400_000
USERS: dict[str, dict[str, Role]] = {
    "north": {"Ada": "admin", "Ben": "member", "Cleo": "viewer"},
    "south": {"Sue": "admin"},
}
PLANS: tuple[tuple[str, int, int, Status], ...] = (
    ("Spring campaign", -9, 12, "active"), ("Office move", -4, 3, "active"), ("Hiring: two engineers", -2, 20, "active"),
    ("Budget review", 1, 2, "draft"), ("Team days in the hills", 6, 9, "draft"), ("Release 4", 10, 11, "draft"),
    ("Inventory", -12, -8, "completed"), ("Trade fair", -6, -5, "cancelled"),
)  # fmt: skip


@seed
async def two_organizations(ctx: MutationContext) -> None:
    """Write what there is to look at."""
    today = ctx.now - ctx.now % DAY
    for slug, people in USERS.items():
        of = await ctx.db.insert(Organization(id=Id(f"org_{slug}"), name=f"{slug.title()} Ltd", slug=slug))
        for name, role in people.items():
            email = f"{name.lower()}@{slug}.example"
            user = await ctx.db.insert(User(email=email, name=name, organization_id=of, role=role))
            for title, start, end, status in PLANS if role == "admin" else ():
                first, last = today + start * DAY, today + end * DAY
                plan = dict(Plan(title=title, start_date=first, end_date=last, status=status))
                await ctx.db.insert(Schedule(organization_id=of, user_id=user, **plan))
