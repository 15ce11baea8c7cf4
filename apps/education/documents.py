"""Documents about students: uploaded, opened, edited and kept as long as has been said."""

from datetime import timedelta
from typing import Annotated

from education.access import permitted, require_user
from education.organizations import Person, person
from education.schema import (
    SCAN,
    AccessPermission,
    Document,
    DocumentData,
    DocumentType,
    DocumentVersion,
    Email,
    Goal,
    Iep,
    Looked,
    Permission,
    Student,
    User,
)
from education.students import log
from synovia import (
    Forbidden,
    FunctionError,
    Id,
    Model,
    MutationContext,
    NotFound,
    QueryContext,
    Upload,
    cron,
    lt,
    mutation,
    normal_email,
    query,
)

YEAR = 365 * 86_400_000
YEARS: dict[DocumentType, int] = {"communication": 3, "progress_report": 5}
"""How long documents are kept; others for seven."""
OPEN_FOR = timedelta(minutes=5)
"""How long an address is good, whatever becomes of the permission."""


class DocumentView(Model):
    """A document with what the caller may do with it, and who has uploaded the newest version."""

    document: Document
    permissions: list[Permission]
    uploaded_by: Person | None = None


class Reader(Model):
    """Whom a document is shown to."""

    person: Person
    permission: Permission


@query(capability="records.read", name="list")
async def list_documents(ctx: QueryContext, student_id: Id[Student]) -> list[DocumentView]:
    """List the documents about a student that the caller sees."""
    me = await require_user(ctx)
    db, views = ctx.as_application().db, []
    for row in await ctx.db.query(Document).using("by_student", student_id=student_id).take(500):
        may, by = sorted(await permitted(ctx, me, row)), await db.get(row.edited_by or row.uploaded_by)
        views.append(DocumentView(document=row, uploaded_by=None if by is None else person(by), permissions=may))
    return views


@mutation(capability="records.write")
async def add(
    ctx: MutationContext, student_id: Id[Student], data: DocumentData, file: Annotated[Upload, SCAN],
    related_iep_id: Id[Iep] | None = None, related_goal_id: Id[Goal] | None = None,
) -> Id[Document]:  # fmt: skip
    """Put an uploaded file among a student's documents."""
    me, student = await require_user(ctx), await ctx.db.get(student_id)
    if student is None:
        raise NotFound("there is no such student")
    related: list[Iep | Goal | None] = [] if related_iep_id is None else [await ctx.db.get(related_iep_id)]
    if related_goal_id is not None:
        related.append(await ctx.db.get(related_goal_id))
    if any(row is None or row.student_id != student_id for row in related):
        raise NotFound("there is no such program or goal of this student")
    document = Document(
        **student.about, uploaded_by=me.id,
        keep_until=ctx.now + YEARS.get(data.document_type, 7) * YEAR, file=await ctx.files.accept(file),
        related_iep_id=related_iep_id, related_goal_id=related_goal_id, **dict(data),
    )  # fmt: skip
    return await ctx.db.insert(document)


@mutation(capability="records.read")
async def open(
    ctx: MutationContext, document_id: Id[Document], download: bool = False, version: int | None = None
) -> str:
    """Give an address of a document's bytes, or of an older version's, and note who has asked for it."""
    document = await _document(ctx, document_id)
    await _require(ctx, document, "download" if download else "view")
    file = document.file
    if version is not None and version != document.version:
        versions = ctx.db.query(DocumentVersion).using("by_document", document_id=document_id, version=version)
        older = await versions.unique()
        if older is None:
            raise NotFound("there is no such version")
        file = older.file
    await _note(ctx, document, "document.downloaded" if download else "document.viewed")
    return ctx.files.url(file, expires=OPEN_FOR, download=download)


@query(capability="records.read")
async def versions(ctx: QueryContext, document_id: Id[Document]) -> list[DocumentVersion]:
    """List what a document was before, the latest first."""
    return await ctx.db.query(DocumentVersion).using("by_document", document_id=document_id).order("desc").take(200)


@mutation(capability="records.read")
async def edit(ctx: MutationContext, document_id: Id[Document], file: Annotated[Upload, SCAN]) -> Document:
    """Put another file in a document's place, which becomes its next version."""
    me, document = await require_user(ctx), await _document(ctx, document_id)
    await _require(ctx, document, "edit")
    before = DocumentVersion(
        **document.about, document_id=document_id,
        version=document.version, file=document.file, uploaded_by=document.edited_by or document.uploaded_by,
    )  # fmt: skip
    await ctx.as_application().db.insert(before)
    accepted = await ctx.files.accept(file)
    return await ctx.db.patch(document, file=accepted, version=document.version + 1, edited_by=me.id)


@query(capability="records.write")
async def readers(ctx: QueryContext, document_id: Id[Document]) -> list[Reader]:
    """List whom a document is shown to by name; to those who may edit it."""
    document, me = await ctx.db.get(document_id), await require_user(ctx)
    if document is None or "edit" not in await permitted(ctx, me, document):
        return []
    given = document.access_permissions
    found = [(each, await ctx.as_application().db.get(each.user_id)) for each in given]
    return [Reader(person=person(user), permission=each.permission) for each, user in found if user is not None]


@mutation(capability="records.write")
async def share(ctx: MutationContext, document_id: Id[Document], email: Email, permission: Permission | None) -> None:
    """Show a document to somebody of the organization, or (None) no longer."""
    me, document = await require_user(ctx), await _document(ctx, document_id)
    await _require(ctx, document, "edit")
    db = ctx.as_application().db
    user = await db.query(User).using("by_email", email=normal_email(email)).unique()
    if user is None or user.organization_id != me.organization_id:
        raise FunctionError("unknown_person", "nobody of the organization signs in with this address")
    others = [each for each in document.access_permissions if each.user_id != user.id]
    own = [] if permission is None else [AccessPermission(user_id=user.id, permission=permission)]
    await ctx.db.patch(document, access_permissions=others + own)
    await _note(ctx, document, "document.shared")


@mutation(capability="records.read")
async def remove(ctx: MutationContext, document_id: Id[Document]) -> None:
    """Delete a document with its versions."""
    await _require(ctx, await _document(ctx, document_id), "edit")
    await ctx.db.delete(document_id)


@cron(daily_at="02:00")
@mutation(internal=True)
async def retention(ctx: MutationContext) -> None:
    """Delete the documents that have been kept long enough."""
    over = await ctx.db.query(Document).using("by_retention", keep_until=lt(ctx.now)).take(200)
    for document in over:
        await ctx.db.delete(document)
    if len(over) == 200:
        await ctx.scheduler.run_after(timedelta(), retention)


async def _document(ctx: MutationContext, document_id: Id[Document]) -> Document:
    document = await ctx.db.get(document_id)
    if document is None:
        raise NotFound("there is no such document")
    return document


async def _require(ctx: MutationContext, document: Document, permission: Permission) -> None:
    if permission not in await permitted(ctx, await require_user(ctx), document):
        raise Forbidden(f"you may not {permission} this document")


async def _note(ctx: MutationContext, document: Document, action: Looked) -> None:
    student = await ctx.as_application().db.get(document.student_id)
    if student is not None:
        await log(ctx, student, action, document.title, confidential=document.is_confidential)
