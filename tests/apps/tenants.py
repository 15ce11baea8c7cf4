"""An application for tests: two organizations in one database. No function says whose rows it wants: the tables do.

An organization has members, in a hierarchy of roles (viewer, member, admin), and schedules; a private schedule is its
owner's, or its team's. A note is seen by whoever sees its schedule.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any, Literal

from synovia import (
    Array,
    Audited,
    AuditEntry,
    Condition,
    FunctionError,
    Id,
    Index,
    MutationContext,
    Page,
    QueryContext,
    Reference,
    RuleContext,
    SoftDelete,
    Table,
    Timestamps,
    cron,
    field,
    may_read,
    may_write,
    mutation,
    query,
    require_identity,
    roles,
)

Role = Literal["viewer", "member", "admin"]
ABOVE: dict[Role, tuple[str, ...]] = {
    "viewer": ("viewer",),
    "member": ("viewer", "member"),
    "admin": ("viewer", "member", "admin"),
}


class Organization(Table, name="organizations", indexes=[Index("by_slug", "slug", unique=True)]):
    slug: str


class Member(
    Table,
    name="members",
    indexes=[Index("by_auth", "auth_id", unique=True), Index("by_organization", "organization_id")],
):
    auth_id: str
    organization_id: Annotated[Id[Organization], Reference("cascade")]
    role: Role = "member"
    team: str | None = None


class Schedule(
    Table,
    Timestamps,
    SoftDelete,
    Audited,
    name="schedules",
    audit_scope="organization_id",
    indexes=[
        Index("by_organization", "organization_id"),
        Index("by_organization_start", "organization_id", "start"),
        Index("by_start", "start"),
        Index("by_title", "organization_id", "title", unique=True),
    ],
):
    organization_id: Annotated[Id[Organization], Reference("cascade")]
    owner: str
    title: str
    start: int = 0
    team: str | None = None
    private: bool = False
    load: Array | None = None


class Note(Table, SoftDelete, name="notes", indexes=[Index("by_schedule", "schedule_id")]):
    schedule_id: Annotated[Id[Schedule], Reference("cascade")]
    text: str


@roles({"viewer": {"look"}, "member": {"look", "write"}, "admin": {"look", "write", "manage"}})
async def roles_of(ctx: QueryContext) -> tuple[str, ...]:
    found = await ctx.db.query(Member).using("by_auth", auth_id=require_identity(ctx).key).unique()
    return () if found is None else ABOVE[found.role]


async def me(ctx: RuleContext) -> Member | None:
    if ctx.identity is None:
        return None
    return await ctx.db.query(Member).using("by_auth", auth_id=ctx.identity.key).unique()


@may_read(Organization)
async def own(ctx: RuleContext) -> Condition | bool:
    member = await me(ctx)
    return member is not None and field("id") == member.organization_id


@may_read(Member, Schedule)
async def of_own_organization(ctx: RuleContext) -> Condition | bool:
    member = await me(ctx)
    return member is not None and field("organization_id") == member.organization_id


@may_read(Schedule)
async def shared_or_own(ctx: RuleContext) -> Condition | bool:
    member = await me(ctx)
    if member is None:
        return False
    return (field("private") == False) | (field("owner") == member.auth_id) | (field("team").in_([member.team or ""]))  # noqa: E712


@may_write(Schedule, Note)
async def members_write(ctx: RuleContext) -> bool:
    return "write" in await ctx.capabilities()


@may_write(Organization, Member)
async def admins_manage(ctx: RuleContext) -> bool:
    return "manage" in await ctx.capabilities()


@may_read(Note)
async def of_a_schedule_that_is_seen(ctx: RuleContext, row: Note) -> bool:
    return await ctx.db.visible.get(row.schedule_id) is not None


@may_read(AuditEntry)
async def of_own_admins(ctx: RuleContext) -> Condition | bool:
    member = await me(ctx)
    return member is not None and member.role == "admin" and field("scope") == member.organization_id


# --- functions, in which everything that can be forgotten is ---------------------------------------------------------


@mutation(internal=True)
async def found(ctx: MutationContext, slug: str, members: dict[str, Role]) -> Id[Organization]:
    organization = await ctx.db.insert(Organization(slug=slug))
    for name, role in members.items():
        await ctx.db.insert(
            Member(auth_id=f"dev|{name}@{slug}.org", organization_id=organization, role=role, team=name)
        )
    return organization


@mutation(public=True)
async def add(
    ctx: MutationContext, organization_id: Id[Organization], title: str, start: int = 0, private: bool = False,
    owner: str | None = None, team: str | None = None, load: Array | None = None,
) -> Id[Schedule]:  # fmt: skip
    owner = owner or ("nobody" if ctx.identity is None else ctx.identity.key)
    row = Schedule(
        organization_id=organization_id, owner=owner, title=title, start=start, private=private, team=team, load=load
    )
    return await ctx.db.insert(row)


@mutation(public=True)
async def change(ctx: MutationContext, schedule_id: Id[Schedule], title: str) -> Schedule:
    return await ctx.db.patch(schedule_id, title=title)


@mutation(public=True)
async def hand_over(ctx: MutationContext, schedule_id: Id[Schedule], organization_id: Id[Organization]) -> None:
    await ctx.db.patch(schedule_id, organization_id=organization_id)


@mutation(public=True)
async def put(ctx: MutationContext, schedule_id: Id[Schedule], organization_id: Id[Organization]) -> None:
    await ctx.db.replace(Schedule(id=schedule_id, organization_id=organization_id, owner="x", title="put"))


@mutation(internal=True)
async def set(ctx: MutationContext, schedule_id: Id[Schedule], name: str) -> None:
    await ctx.db.patch(schedule_id, **{name: 1})


@mutation(public=True)
async def remove_note(ctx: MutationContext, note_id: Id[Note]) -> None:
    await ctx.db.delete(note_id)


@mutation(public=True)
async def bring_back_note(ctx: MutationContext, note_id: Id[Note]) -> None:
    await ctx.db.restore(note_id)


@mutation(public=True)
async def remove(ctx: MutationContext, schedule_id: Id[Schedule], for_good: bool = False) -> None:
    await ctx.db.delete(schedule_id, for_good=for_good)


@mutation(public=True)
async def bring_back(ctx: MutationContext, schedule_id: Id[Schedule]) -> Schedule:
    return await ctx.db.restore(schedule_id)


@mutation(public=True)
async def rename_all(ctx: MutationContext, start: int) -> int:
    return await ctx.db.patch_where(ctx.db.query(Schedule), start=start)


@mutation(public=True)
async def remove_all(ctx: MutationContext) -> int:
    return await ctx.db.delete_where(ctx.db.query(Schedule))


@mutation(public=True)
async def note(ctx: MutationContext, schedule_id: Id[Schedule], text: str) -> Id[Note]:
    return await ctx.db.insert(Note(schedule_id=schedule_id, text=text))


@mutation(public=True)
async def dissolve(ctx: MutationContext, organization_id: Id[Organization]) -> None:
    await ctx.db.delete(organization_id)


@mutation(public=True)
async def dismiss(ctx: MutationContext, member_id: Id[Member]) -> None:
    await ctx.db.delete(member_id)


@mutation(internal=True)
async def move(
    ctx: MutationContext, auth_id: str, organization_id: Id[Organization] | None = None, role: Role | None = None
) -> None:
    member = await ctx.as_application().db.query(Member).using("by_auth", auth_id=auth_id).unique()
    assert member is not None
    changes: dict[str, Any] = {} if organization_id is None else {"organization_id": organization_id}
    await ctx.as_application().db.patch(member, **changes, **({} if role is None else {"role": role}))


@cron(daily_at="03:00")
@mutation(internal=True)
async def purge(ctx: MutationContext) -> int:
    return await ctx.db.purge(Schedule, older_than=timedelta(days=30)) + await ctx.db.purge(
        Note, older_than=timedelta(days=30)
    )


@mutation(internal=True)
async def purge_organizations(ctx: MutationContext) -> int:
    return await ctx.db.purge(Organization, older_than=timedelta(days=30))


@query(public=True)
async def one(ctx: QueryContext, schedule_id: Id[Schedule]) -> Schedule | None:
    return await ctx.db.get(schedule_id)


@query(public=True)
async def exactly(ctx: QueryContext, schedule_id: Id[Schedule]) -> Schedule:
    return await ctx.db.get_one(schedule_id)


@query(public=True)
async def everything(ctx: QueryContext) -> dict[str, Any]:
    schedules = ctx.db.query(Schedule)
    notes = ctx.db.query(Note)
    return {
        "organizations": [each.slug for each in await ctx.db.query(Organization).collect()],
        "members": [each.auth_id for each in await ctx.db.query(Member).collect()],
        "titles": [each.title for each in await schedules.collect()],
        "by_start": [each.title for each in await schedules.using("by_start").order("desc").take(100)],
        "first": [each.title for each in await schedules.using("by_start").take(1)],
        "count": await schedules.count(),
        "sum": await schedules.sum("start"),
        "latest": await schedules.max("start"),
        "owners": await schedules.group_by("owner").count(),
        "notes": [each.text for each in await notes.collect()],
        "note_count": await notes.count(),
        "audit": await ctx.db.query(AuditEntry).count(),
        "deleted": [each.title for each in await schedules.with_deleted().collect() if each.deleted_at is not None],
    }


@query(public=True)
async def of_organization(ctx: QueryContext, organization_id: Id[Organization]) -> list[Schedule]:
    return await ctx.db.query(Schedule).using("by_organization", organization_id=organization_id).collect()


@query(public=True)
async def titled(ctx: QueryContext, organization_id: Id[Organization], title: str) -> Schedule | None:
    return await ctx.db.query(Schedule).using("by_title", organization_id=organization_id, title=title).unique()


@query(public=True)
async def page(ctx: QueryContext, cursor: str | None = None, size: int = 2) -> Page[Schedule]:
    return await ctx.db.query(Schedule).using("by_start").paginate(cursor, size)


@query(public=True)
async def pages_of_notes(ctx: QueryContext, cursor: str | None = None, size: int = 2) -> Page[Note]:
    return await ctx.db.query(Note).paginate(cursor, size)


@query(public=True)
async def with_schedules(ctx: QueryContext) -> list[str]:
    notes = await ctx.as_application().db.query(Note).collect()
    return sorted(schedule.title for schedule in (await ctx.db.load(notes, "schedule_id")).values())


@query(public=True)
async def loads(ctx: QueryContext) -> list[Array]:
    return [each.load for each in await ctx.db.query(Schedule).collect() if each.load is not None]


@query(public=True)
async def history(ctx: QueryContext, schedule_id: Id[Schedule]) -> list[dict[str, Any]]:
    entries = await ctx.db.query(AuditEntry).using("by_subject", subject=str(schedule_id)).collect()
    return [{"action": each.action, "actor": each.actor, "at": each.at, **(each.data or {})} for each in entries]


@query(public=True)
async def swallowing(ctx: QueryContext, schedule_id: Id[Schedule]) -> str:
    try:
        return "nothing" if await ctx.db.get(schedule_id) is None else "something"
    except FunctionError as error:
        return error.code
    except Exception:
        return "swallowed"
