"""Pictures of several galleries: who may what is said in words, and some roles hold in one gallery alone."""

from __future__ import annotations

from typing import Annotated

from synovia import (
    Id,
    Index,
    MutationContext,
    QueryContext,
    Reference,
    RoleIn,
    Table,
    allow_read,
    allow_write,
    field,
    mutation,
    query,
    require_capability,
    require_identity,
    roles,
)


class Gallery(Table, name="galleries"):
    """A tenant."""

    title: str


class Curator(Table, name="curators", indexes=[Index("by_auth", "auth_id", "gallery_id", unique=True)]):
    """What somebody may do in a gallery; everywhere, if it names none."""

    auth_id: str
    role: str
    gallery_id: Annotated[Id[Gallery] | None, Reference("unset")] = None


class Picture(Table, name="pictures", indexes=[Index("by_title", "title")]):
    """A picture of a gallery."""

    gallery_id: Annotated[Id[Gallery], Reference("cascade")]
    painter: str
    title: str
    shown: bool = False


@roles({"curator": {"hang", "look"}, "guard": {"look"}}, within="gallery_id")
async def roles_of(ctx: QueryContext) -> list[str | RoleIn]:
    """Give a caller's roles."""
    held = await ctx.db.query(Curator).using("by_auth", auth_id=require_identity(ctx).key).take(20)
    return [each.role if each.gallery_id is None else RoleIn(each.gallery_id, each.role) for each in held]


allow_read(Gallery, capability="look", within="id")
allow_read(Curator, owner="auth_id", capability="hang")
allow_read(Picture, owner="painter", capability="look", where=field("shown") == True)  # noqa: E712
allow_write(Gallery, Curator, Picture, capability="hang")


@query(public=True)
async def titles(ctx: QueryContext) -> list[str]:
    """List what the caller sees."""
    return [each.title for each in await ctx.db.query(Picture).using("by_title").collect()]


@query(public=True)
async def counted(ctx: QueryContext) -> list[int]:
    """Count the galleries and the pictures that the caller sees."""
    return [await ctx.db.query(each).count() for each in (Gallery, Picture)]


@query(signed_in=True)
async def hanging_in(ctx: QueryContext) -> list[str] | None:
    """Tell in which galleries the caller hangs pictures; None: in all."""
    found = await ctx.tenants_with("hang")
    return None if found is None else sorted(found)


@query(capability="hang")
async def for_all(ctx: QueryContext) -> list[str]:
    """Tell what the caller may in any gallery."""
    return sorted(await ctx.capabilities())


@mutation(signed_in=True)
async def hang(ctx: MutationContext, gallery_id: Id[Gallery], title: str, forgetful: bool = False) -> Id[Picture]:
    """Hang a picture."""
    if not forgetful:
        await require_capability(ctx, "hang", within=gallery_id)
    return await ctx.db.insert(Picture(gallery_id=gallery_id, painter="somebody", title=title))


@mutation(internal=True)
async def appoint(ctx: MutationContext, auth_id: str, role: str, gallery_id: Id[Gallery] | None = None) -> None:
    """Give somebody a role; without one of these, none any more."""
    db = ctx.as_application().db
    await db.delete_where(db.query(Curator).using("by_auth", auth_id=auth_id, gallery_id=gallery_id))
    if role:
        await db.insert(Curator(auth_id=auth_id, role=role, gallery_id=gallery_id))


@mutation(internal=True)
async def furnish(ctx: MutationContext) -> list[str]:
    """Make two galleries with two pictures each, of which one is shown."""
    made = [await ctx.db.insert(Gallery(title=title)) for title in ("north", "south")]
    for gallery, title in zip(made, ("n", "s"), strict=True):
        await ctx.db.insert(Picture(gallery_id=gallery, painter="dev|paul@art.org", title=f"{title} hidden"))
        await ctx.db.insert(Picture(gallery_id=gallery, painter="somebody", title=f"{title} shown", shown=True))
    return [str(each) for each in made]
