"""A reference within a field leads to a document that has the same value there, however either of the two is written."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated, Any

import pytest

from helpers.written_applications import write_application
from synovia import EncryptedSearchable, FunctionError, Id, Reference, SchemaError, Table
from synovia.schema.relations import Relations
from synovia.store.base import Store
from synovia.testing import TestApp

SOURCE = """
from typing import Annotated, Any

class Tenant(Table, name="tenants"):
    name: str

class Ticket(Table, SoftDelete, name="tickets"):
    tenant_id: Annotated[Id[Tenant] | None, Reference("cascade")] = None
    title: str = ""
    above_id: Annotated[Id["Ticket"] | None, Reference("unset", within="tenant_id")] = None

class Comment(Table, SoftDelete, name="comments"):
    tenant_id: Annotated[Id[Tenant] | None, Reference("cascade")] = None
    ticket_id: Annotated[Id[Ticket] | None, Reference("cascade", within="tenant_id")] = None

@mutation(public=True)
async def tenant(ctx: MutationContext) -> Id[Tenant]:
    return await ctx.db.insert(Tenant(name=""))

@mutation(public=True)
async def ticket(ctx: MutationContext, tenant: Id[Tenant] | None = None, above: Id[Ticket] | None = None) -> Id[Ticket]:
    return await ctx.db.insert(Ticket(tenant_id=tenant, above_id=above))

@mutation(public=True)
async def comment(ctx: MutationContext, tenant: Id[Tenant] | None = None, on: Id[Ticket] | None = None) -> Id[Comment]:
    return await ctx.db.insert(Comment(tenant_id=tenant, ticket_id=on))

@mutation(public=True)
async def patch_ticket(ctx: MutationContext, id: Id[Ticket], changes: dict[str, Any]) -> None:
    await ctx.db.patch(id, **{k: Id(v) if k.endswith("_id") and v else v for k, v in changes.items()})

@mutation(public=True)
async def patch_comment(ctx: MutationContext, id: Id[Comment], changes: dict[str, Any]) -> None:
    await ctx.db.patch(id, **{k: Id(v) if v else None for k, v in changes.items()})

@mutation(public=True)
async def move_comments(ctx: MutationContext, id: Id[Ticket], tenant: Id[Tenant]) -> int:
    return await ctx.db.patch_where(ctx.db.query(Comment).using("by_ticket", ticket_id=id), tenant_id=tenant)

@mutation(public=True)
async def drop_comment(ctx: MutationContext, id: Id[Comment]) -> None:
    await ctx.db.delete(id)

@mutation(public=True)
async def restore_comment(ctx: MutationContext, id: Id[Comment]) -> None:
    await ctx.db.restore(id)

@mutation(public=True)
async def close(ctx: MutationContext, id: Id[Tenant]) -> None:
    await ctx.db.delete(id)

@query(public=True)
async def strays(ctx: QueryContext) -> int:
    tickets = {each.id: each for each in await ctx.db.query(Ticket).collect()}
    return sum(
        each.ticket_id is not None and each.tenant_id != tickets[each.ticket_id].tenant_id
        for each in await ctx.db.query(Comment).collect()
    )
"""
ANOTHER = r"comments\.ticket_id: tickets [0-9a-f]{24} has another tenant_id"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return write_application(tmp_path, SOURCE)


class Calls:
    """Calls of the application by the names of its mutations."""

    def __init__(self, app: TestApp, path: Path) -> None:
        self._caller, self._module = app.caller(), path.stem

    async def do(self, name: str, **args: Any) -> Any:
        return await self._caller.mutation(f"{self._module}:{name}", args)

    async def refused(self, code: str, text: str, name: str, **args: Any) -> None:
        with pytest.raises(FunctionError, match=text) as refused:
            await self.do(name, **args)
        assert refused.value.code == code

    async def strays(self) -> int:
        return int(await self._caller.query(f"{self._module}:strays"))


async def test_a_document_of_another_tenant_cannot_be_named(path: Path, any_store: Store) -> None:
    async with TestApp(path, any_store) as app:
        calls = Calls(app, path)
        a, b = await calls.do("tenant"), await calls.do("tenant")
        of_a, of_b, of_none = (
            await calls.do("ticket", tenant=a),
            await calls.do("ticket", tenant=b),
            await calls.do("ticket"),
        )
        for tenant, on in ((a, of_b), (b, of_a), (a, of_none), (None, of_a)):
            await calls.refused("invalid_arguments", ANOTHER, "comment", tenant=tenant, on=on)
        for tenant, on in ((a, of_a), (b, of_b), (None, of_none), (a, None)):
            await calls.do("comment", tenant=tenant, on=on)
        assert await calls.strays() == 0


async def test_a_change_of_either_field_is_refused(path: Path, any_store: Store) -> None:
    async with TestApp(path, any_store) as app:
        calls = Calls(app, path)
        a, b = await calls.do("tenant"), await calls.do("tenant")
        of_a, of_b = await calls.do("ticket", tenant=a), await calls.do("ticket", tenant=b)
        comment = await calls.do("comment", tenant=a, on=of_a)
        for changes in ({"ticket_id": of_b}, {"tenant_id": b}, {"tenant_id": None}):
            await calls.refused("invalid_arguments", ANOTHER, "patch_comment", id=comment, changes=changes)
        await calls.refused("invalid_arguments", ANOTHER, "move_comments", id=of_a, tenant=b)
        await calls.do("patch_comment", id=comment, changes={"ticket_id": of_b, "tenant_id": b})
        assert await calls.strays() == 0


async def test_a_document_to_which_others_refer_stays_where_it_is(path: Path, any_store: Store) -> None:
    async with TestApp(path, any_store) as app:
        calls = Calls(app, path)
        a, b = await calls.do("tenant"), await calls.do("tenant")
        ticket = await calls.do("ticket", tenant=a)
        comment = await calls.do("comment", tenant=a, on=ticket)
        stays = "cannot have another tenant_id: comments refer to it by ticket_id"
        await calls.refused("still_referenced", stays, "patch_ticket", id=ticket, changes={"tenant_id": b})
        await calls.do("patch_ticket", id=ticket, changes={"title": "other"})
        await calls.do("drop_comment", id=comment)
        await calls.refused("still_referenced", stays, "patch_ticket", id=ticket, changes={"tenant_id": b})
        await calls.do("restore_comment", id=comment)
        await calls.do("patch_comment", id=comment, changes={"ticket_id": None})
        await calls.do("patch_ticket", id=ticket, changes={"tenant_id": b})
        assert await calls.strays() == 0


async def test_a_document_that_refers_to_itself_may_move(path: Path, any_store: Store) -> None:
    async with TestApp(path, any_store) as app:
        calls = Calls(app, path)
        a, b = await calls.do("tenant"), await calls.do("tenant")
        upper = await calls.do("ticket", tenant=a)
        await calls.do("patch_ticket", id=upper, changes={"above_id": upper})
        await calls.do("patch_ticket", id=upper, changes={"tenant_id": b})
        await calls.do("ticket", tenant=b, above=upper)
        await calls.refused("still_referenced", "by above_id", "patch_ticket", id=upper, changes={"tenant_id": a})


async def test_however_two_changes_meet_none_strays(path: Path, any_store: Store) -> None:
    async with TestApp(path, any_store) as app:
        calls = Calls(app, path)
        a, b = await calls.do("tenant"), await calls.do("tenant")
        for _ in range(10):
            ticket = await calls.do("ticket", tenant=a)
            await asyncio.gather(
                calls.do("comment", tenant=a, on=ticket),
                calls.do("patch_ticket", id=ticket, changes={"tenant_id": b}),
                return_exceptions=True,
            )
        assert await calls.strays() == 0


async def test_what_goes_along_is_asked_nothing(path: Path, any_store: Store) -> None:
    async with TestApp(path, any_store) as app:
        calls = Calls(app, path)
        a = await calls.do("tenant")
        upper = await calls.do("ticket", tenant=a)
        await calls.do("comment", tenant=a, on=await calls.do("ticket", tenant=a, above=upper))
        await calls.do("close", id=a)
        assert await calls.strays() == 0


class Owner(Table, name="ownersWithin"):
    tenant: str
    place: str | None = None
    level: int = 0
    sealed: EncryptedSearchable[str] | None = None


class Bare(Table, name="bareWithin"):
    owner_id: Annotated[Id[Owner], Reference("cascade", within="tenant")]


class Typed(Table, name="typedWithin"):
    owner_id: Annotated[Id[Owner], Reference("cascade", within="tenant")]
    tenant: int


class Defaulted(Table, name="defaultedWithin"):
    owner_id: Annotated[Id[Owner], Reference("cascade", within="level")]
    level: int = 0


class Sealed(Table, name="sealedWithin"):
    owner_id: Annotated[Id[Owner], Reference("cascade", within="sealed")]
    sealed: EncryptedSearchable[str] | None = None


class Lacking(Table, name="lackingWithin"):
    owner_id: Annotated[Id[Owner], Reference("cascade", within="city")]
    city: str


class Placed(Table, name="placedWithin"):
    owner_id: Annotated[Id[Owner], Reference("cascade", within="place")]
    place: str | None = None


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (Bare, "Bare.owner_id is a Reference within 'tenant', a field that Bare does not have"),
        (Lacking, "Lacking.owner_id is a Reference within 'city', a field that Owner does not have"),
        (Typed, "within 'tenant', which is of another type in Typed than in Owner"),
        (Defaulted, "within 'level': Defaulted.level has a default"),
        (Sealed, "within 'sealed': Sealed.sealed is encrypted"),
    ],
)
def test_a_field_in_which_two_cannot_be_alike_is_refused(table: type[Table], message: str) -> None:
    with pytest.raises(SchemaError, match=message):
        Relations.among([Owner, table])
    [relation] = Relations.among([Owner, Placed]).of["placedWithin"]
    assert relation.within == "place"
