"""A small application for tests: a function of every kind of access, and people whose roles change."""

from __future__ import annotations

import asyncio

from synovia import (
    ActionContext,
    AuditEntry,
    Id,
    Identity,
    Index,
    MutationContext,
    QueryContext,
    Table,
    action,
    mutation,
    query,
    require_capability,
    require_identity,
    require_role,
    roles,
)


class Member(Table, indexes=[Index("by_key", "key", unique=True)]):
    key: str
    role: str | None = None


class Note(Table):
    text: str


@roles({"doctor": {"notes.read", "notes.write"}, "nurse": {"notes.read"}, "chief": {"members.look", "audit.read"}})
async def roles_of(ctx: QueryContext) -> str | None:
    member = await ctx.db.query(Member).using("by_key", key=require_identity(ctx).key).unique()
    return None if member is None else member.role


@mutation(internal=True)
async def appoint(ctx: MutationContext, email: str, role: str | None = None) -> None:
    key = f"dev|{email}"
    member = await ctx.db.query(Member).using("by_key", key=key).unique()
    if member is None:
        await ctx.db.insert(Member(key=key, role=role))
    else:
        await ctx.db.patch(member, role=role)


@query(public=True)
async def for_all(ctx: QueryContext, count: int = 0) -> int:
    return len(await ctx.db.query(Note).collect()) + count


@query(signed_in=True)
async def for_signed_in(ctx: QueryContext, count: int = 0) -> int:
    return len(await ctx.db.query(Note).collect()) + count


@query(role=("doctor", "chief"))
async def for_role(ctx: QueryContext, count: int = 0) -> int:
    return len(await ctx.db.query(Note).collect()) + count


@query(capability="notes.read")
async def for_capability(ctx: QueryContext, count: int = 0) -> int:
    return len(await ctx.db.query(Note).collect()) + count


@query(internal=True)
async def for_nobody(ctx: QueryContext, count: int = 0) -> int:
    return len(await ctx.db.query(Note).collect()) + count


@query(signed_in=True)
async def who(ctx: QueryContext) -> str:
    return require_identity(ctx).key


@query(public=True)
async def required(ctx: QueryContext, role: str | None = None, capability: str | None = None) -> str:
    """What bodies can ask for themselves."""
    if role is not None:
        await require_role(ctx, role)
    if capability is not None:
        await require_capability(ctx, capability)
    return require_identity(ctx).key


@query(role="chief")
async def grants(ctx: QueryContext) -> dict[str, list[str]]:
    return {role: sorted(granted) for role, granted in ctx.grants.items()}


@mutation(capability="notes.write")
async def write(ctx: MutationContext, text: str) -> None:
    await ctx.db.insert(Note(text=text))


started, gate = asyncio.Event(), asyncio.Event()


@mutation(capability="notes.write")
async def write_slowly(ctx: MutationContext, text: str) -> None:
    """Write once the test opens the gate."""
    await ctx.db.insert(Note(text=text))
    started.set()
    await gate.wait()


@action(capability="notes.read")
async def act(ctx: ActionContext, path: str | None = None) -> int:
    """Call a query as this action's caller."""
    found: int = 0 if path is None else await ctx.run_query(path)
    return found


@action(public=True)
async def standing(ctx: ActionContext) -> list[str]:
    return sorted(await ctx.roles())


@mutation(capability="members.look")
async def look_as(ctx: MutationContext, email: str, reason: str) -> str:
    return await ctx.impersonate(Identity("dev", email, email), reason=reason)


@mutation(signed_in=True)
async def sign_for(ctx: MutationContext, action: str, fail: bool = False) -> Id[AuditEntry]:
    entry = await ctx.audit(action, subject="a door", reason="a test", data={"count": 1})
    if fail:
        raise ValueError("after the entry")
    return entry


@mutation(public=True)
async def tamper(ctx: MutationContext, how: str) -> None:
    """Try to write the audit table by the ways that are there for an application's own."""
    entry = (await ctx.db.query(AuditEntry).take(1))[0]
    match how:
        case "insert":
            await ctx.db.insert(AuditEntry(at=0, action="forged"))
        case "patch":
            await ctx.db.patch(entry, actor="somebody else")
        case "replace":
            await ctx.db.replace(entry.model_copy(update={"reason": None}))
        case _:
            await ctx.db.delete(entry)


@query(capability="audit.read")
async def entries(ctx: QueryContext) -> list[AuditEntry]:
    return await ctx.db.query(AuditEntry).using("by_time").collect()
