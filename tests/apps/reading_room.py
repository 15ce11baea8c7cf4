"""An application for tests: documents, those who may read them, and the room of each document."""

from __future__ import annotations

from synovia import FunctionError, Id, Index, Model, MutationContext, QueryContext, Table, mutation, query


class Document(Table, name="documents"):
    title: str


class Reader(Table, name="readers", indexes=[Index("by_document", "document_id", "email")]):
    document_id: Id[Document]
    email: str
    name: str


class Who(Model):
    """What the others in a room see of a reader."""

    name: str


async def reader_of(ctx: QueryContext, document_id: Id[Document], email: str | None) -> Reader:
    found = await ctx.db.query(Reader).using("by_document", document_id=document_id, email=email or "").first()
    if found is None:
        raise FunctionError("not_found", "there is no such document")
    return found


@query(signed_in=True, presence=True)
async def room(ctx: QueryContext, document_id: Id[Document]) -> Who:
    reader = await reader_of(ctx, document_id, ctx.identity.email if ctx.identity else None)
    return Who(name=reader.name)


@query(public=True, presence=True)
async def hall(ctx: QueryContext) -> None:
    """Everybody may be here, and nothing is said of anybody."""


class Corner(Model):
    x: float
    y: float


@query(public=True, presence=True)
async def map(ctx: QueryContext, zoom: float, corner: Corner) -> None:
    """Everybody who looks at the same part of a map."""


@query(public=True)
async def titles(ctx: QueryContext) -> list[str]:
    return [each.title for each in await ctx.db.query(Document).take(100)]


@mutation(public=True)
async def add(ctx: MutationContext, title: str) -> Id[Document]:
    return await ctx.db.insert(Document(title=title))


@mutation(public=True)
async def admit(ctx: MutationContext, document_id: Id[Document], email: str, name: str) -> None:
    known = await ctx.db.query(Reader).using("by_document", document_id=document_id, email=email).first()
    if known is None:
        await ctx.db.insert(Reader(document_id=document_id, email=email, name=name))
    else:
        await ctx.db.patch(known, name=name)


@mutation(public=True)
async def dismiss(ctx: MutationContext, document_id: Id[Document], email: str) -> None:
    await ctx.db.delete(await reader_of(ctx, document_id, email))
