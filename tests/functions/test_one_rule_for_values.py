"""What functions give is brought to the field's type or refused, never silently unequal; what is written can be read."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from functools import partial
from types import SimpleNamespace
from typing import Any

import pytest
from bson import Binary, Code, DBRef, Decimal128, Int64, MaxKey, MinKey, ObjectId, Regex, Timestamp
from bson.datetime_ms import DatetimeMS

from apps import values
from apps.values import City, Mark, Org, Recording, Settings
from synovia import Id, MutationContext, Table, field, ge, lt
from synovia.errors import FunctionError, InvalidArguments, NotFound, SchemaError, UnknownIndex
from synovia.functions.audit import AuditEntry
from synovia.functions.context import Work
from synovia.functions.registry import collect
from synovia.schema import Document
from synovia.store.base import Batch, Store, Write
from synovia.testing import TestApp

pytestmark = pytest.mark.same_tables

HEX = "6b0a94f2a03c60fb0943a701"


@pytest.fixture
async def app(any_store: Store) -> AsyncIterator[TestApp]:
    async with TestApp(collect("values", [values]), any_store) as app:
        yield app


async def do(app: TestApp, work: Work) -> Any:
    """Do some work in a mutation, and give what it gives or raise what it raises."""
    raised: list[BaseException] = []

    async def noting(ctx: MutationContext) -> Any:
        try:
            return await work(ctx)
        except Exception as error:
            raised.append(error)
            raise

    outcome = await app.engine.transact(noting)
    if raised:
        raise raised[-1]
    return outcome.value()


async def written_outside(app: TestApp, table: str, *documents: Document) -> None:
    """Write documents as another program does, or an older version of the application."""
    ts = await app.store.commit(Batch([Write(table, each["_id"], None, each) for each in documents]))
    await app.engine.wait_for(ts)


# --- comparing --------------------------------------------------------------------------------------------------------


async def test_an_id_finds_the_text_of_it(app: TestApp) -> None:
    anna = app.caller()
    org = await anna.mutation("values:add_org", {"name": "clinic"})
    await anna.mutation("values:add", {"orgId": org, "slug": "a"})

    async def work(ctx: MutationContext) -> list[int]:
        found = await ctx.db.query(Org).first()
        assert found is not None
        queries = [
            ctx.db.query(Recording).using("by_org", org_id=found.id),
            ctx.db.query(Recording).where(field("org_id") == found.id),
            ctx.db.query(Recording).where(field("org_id").in_([found.id])),
        ]
        return [await query.count() for query in queries]

    assert await do(app, work) == [1, 1, 1]


WRONG: list[tuple[str, Any]] = [
    ("org_id", 5),
    ("org_id", None),
    ("org_id", ObjectId(HEX)),
    ("owner_id", 5),
    ("owner_id", Id[City](HEX)),
    ("owner_id", ""),
    ("rank", "5"),
    ("rank", True),
    ("rank", None),
    ("weight", "1.5"),
    ("level", -1),
    ("kind", "jog"),
    ("done", 1),
    ("done", "true"),
    ("at", "2026-01-01"),
    ("at", 1_790_000_000_000),
    ("at", datetime(2026, 1, 1)),
    ("settings", "light"),
    ("settings", Mark(by="x")),
    ("slug", b"a"),
]


@pytest.mark.parametrize(("name", "value"), [*WRONG, ("settings.theme", 5), ("marks.role", 5), ("tags", 5)])
async def test_conditions_refuse_what_a_field_cannot_have(name: str, value: Any) -> None:
    app_table = re.escape(f"recordings.{name}")
    for condition in (field(name) == value, field(name) != value, field(name).in_([value])):
        with pytest.raises(InvalidArguments, match=app_table):
            values_query().where(condition)
    if name not in ("level", "kind"):  # by order a value may be compared that the field itself may not have
        with pytest.raises(InvalidArguments, match=app_table):
            values_query().where(field(name) < value)


@pytest.mark.parametrize(
    ("name", "value"),
    [("rank", 2**63), ("rank", -(2**63) - 1), ("slug", "\ud800"), ("settings.theme", "\udfff"), ("tags", "a\ud800")],
)
def test_conditions_refuse_what_no_database_compares(name: str, value: Any) -> None:
    for condition in (field(name) == value, field(name) < value, field(name) >= value, field(name).in_([value])):
        with pytest.raises(InvalidArguments, match=re.escape(f"recordings.{name} cannot be")):
            values_query().where(condition)


def values_query() -> Any:
    """Give a query that is put together but not run."""
    from synovia.functions.pages import Journal
    from synovia.functions.query import Query
    from synovia.transaction.rows import RowCache

    transaction: Any = SimpleNamespace(keyring=None)
    return Query(transaction, Journal(), RowCache(), Recording)


@pytest.mark.parametrize(
    ("index", "given"),
    [
        ("by_org", {"org_id": 5}),
        ("by_org", {"org_id": "a", "rank": "5"}),
        ("by_org", {"org_id": "a", "rank": ge("5")}),
        ("by_owner", {"owner_id": Id[City](HEX)}),
        ("by_theme", {"settings__theme": 5}),
        ("by_status", {"status": lt(None)}),
        ("by_id", {"id": 5}),
        ("by_id", {"id": Id[Org](HEX)}),
    ],
)
def test_using_refuses_what_a_field_cannot_have(index: str, given: dict[str, Any]) -> None:
    with pytest.raises(InvalidArguments, match=r"^recordings\."):
        values_query().using(index, **given)


@pytest.mark.parametrize("name", ["nothing", "settings.nothing", "tags.nothing", "creation_time", "orgId"])
def test_fields_that_do_not_exist_are_told(name: str) -> None:
    with pytest.raises(UnknownIndex, match=re.escape(name)):
        values_query().where(field(name) == 1)


# --- writing ----------------------------------------------------------------------------------------------------------


async def test_insert_patch_and_replace_refuse_what_a_field_cannot_hold(app: TestApp) -> None:
    await app.caller().mutation("values:add", {"orgId": "a", "slug": "a"})

    async def insert(ctx: MutationContext, name: str, value: Any) -> None:
        await ctx.db.insert(Recording(**{"org_id": "a", "slug": "b", name: value}))

    async def patch(ctx: MutationContext, name: str, value: Any) -> None:
        await ctx.db.patch(await only(ctx), **{name: value})

    async def replace(ctx: MutationContext, name: str, value: Any) -> None:
        await ctx.db.replace((await only(ctx)).model_copy(update={name: value}))

    for name, value in WRONG:
        for work in (insert, patch, replace):
            with pytest.raises(InvalidArguments, match=r"^recordings: ") as caught:
                await do(app, partial(work, name=name, value=value))
            assert name.split("_")[0] in caught.value.message  # some places call it by its name on the wire
    assert len(await app.caller().query("values:everything")) == 1


async def only(ctx: MutationContext) -> Recording:
    found = await ctx.db.query(Recording).unique()
    assert found is not None
    return found


async def test_patch_takes_what_insert_takes(app: TestApp) -> None:
    anna = app.caller()
    org = await anna.mutation("values:add_org", {"name": "clinic"})
    await anna.mutation("values:add", {"orgId": "a", "slug": "a"})

    async def work(ctx: MutationContext) -> None:
        found = await ctx.db.query(Org).first()
        assert found is not None
        given: dict[str, Any] = {
            "org_id": found.id, "owner_id": found.id, "weight": 3, "settings": {"theme": "dark"},
            "marks": [Mark(by="x"), {"by": "y", "role": "editor"}], "data": {"org": found.id, "all": [found.id]},
            "at": datetime(2026, 1, 1, tzinfo=UTC),
        }  # fmt: skip
        patched = await ctx.db.patch(await only(ctx), **given)
        inserted = Recording(slug="b", **given)
        await ctx.db.insert(inserted)
        assert patched.model_dump(exclude={"id", "slug"}) == inserted.model_dump(exclude={"id", "slug"})

    await do(app, work)
    one, two = await anna.query("values:everything")
    assert {**one, "_id": 0, "slug": 0} == {**two, "_id": 0, "slug": 0}
    assert one["orgId"] == one["ownerId"] == org
    assert one["data"] == {"org": org, "all": [org]}
    assert one["settings"] == {"theme": "dark"}
    stored = await documents(app, "recordings")
    assert [type(each["ownerId"]) for each in stored] == [ObjectId, ObjectId]
    assert [type(each["orgId"]) for each in stored] == [str, str]
    assert [each["data"]["org"] for each in stored] == [org, org]


async def documents(app: TestApp, table: str) -> list[Document]:
    from synovia.keys import BY_ID, prefix

    ts, _ = await app.store.newest()
    return await app.store.snapshot(ts).scan(table, BY_ID, prefix(()))


UNSTORABLE: list[tuple[Any, str]] = [
    (ObjectId(HEX), r"data\.x: an ObjectId"),
    ({"deep": [ObjectId(HEX)]}, r"data\.x\.deep\.0: an ObjectId"),
    (Decimal128("1.5"), r"data\.x: a Decimal128"),
    ({1, 2}, r"data\.x: a set"),
    ({5: 1}, r"data\.x: 5 is no key"),
    (1 << 63, r"data\.x: 9223372036854775808 is beyond 64 bits"),
    (datetime(2026, 1, 1), r"data\.x: a datetime needs a time zone"),
    (object, r"data\.x: a type"),
]


async def test_what_could_not_be_read_again_is_not_written(app: TestApp) -> None:
    async def insert(ctx: MutationContext, value: Any) -> None:
        await ctx.db.insert(Recording(org_id="a", slug="a", data={"x": value}))

    async def audit(ctx: MutationContext, value: Any) -> None:
        await ctx.audit("look", data={"x": value})

    for value, said in UNSTORABLE:
        for work, table in ((insert, "recordings"), (audit, "_audit")):
            with pytest.raises(InvalidArguments, match=f"^{table}: {said}"):
                await do(app, partial(work, value=value))
    assert await documents(app, "recordings") == await documents(app, "_audit") == []


async def test_audit_keeps_ids_as_text_and_finds_them(app: TestApp) -> None:
    org = await app.caller().mutation("values:add_org", {"name": "clinic"})

    async def audit(ctx: MutationContext) -> None:
        found = await ctx.db.query(Org).first()
        assert found is not None
        await ctx.audit("look", subject=found.id, data={"org": found.id, "all": [found.id]})

    async def look(ctx: MutationContext) -> list[Any]:
        found = await ctx.db.query(Org).first()
        assert found is not None
        by_subject = await ctx.db.query(AuditEntry).using("by_subject", subject=found.id).collect()
        by_data = await ctx.db.query(AuditEntry).where(field("data.org") == found.id).collect()
        return [(each.subject, each.data) for each in (*by_subject, *by_data)]

    await do(app, audit)
    assert await do(app, look) == [[org, {"org": org, "all": [org]}]] * 2


# --- reading ----------------------------------------------------------------------------------------------------------

OTHERS: dict[str, tuple[Any, Any]] = {
    "ObjectId": (ObjectId(HEX), HEX),
    "Decimal128": (Decimal128("1.50"), "1.50"),
    "Int64": (Int64(5), 5),
    "Regex": (Regex("^a", re.I | re.M), "/^a/im"),
    "Timestamp": (Timestamp(5, 6), "Timestamp(5, 6)"),
    "Code": (Code("return 1"), "return 1"),
    "scope": (Code("return x", {"x": 1}), "return x"),
    "MinKey": (MinKey(), "MinKey"),
    "MaxKey": (MaxKey(), "MaxKey"),
    "year 20000": (DatetimeMS(568_971_820_800_000), "568971820800000 ms"),
    "UUID": (Binary(b"x" * 16, 4), b"x" * 16),
    "DBRef": (DBRef("orgs", ObjectId(HEX)), {"$ref": "orgs", "$id": HEX}),
    "deep": ({"a": [{"b": Decimal128("2")}]}, {"a": [{"b": "2"}]}),
}


async def test_what_other_programs_write_is_readable(app: TestApp) -> None:
    whole = {name: value for name, (value, _) in OTHERS.items()}
    await written_outside(app, "recordings", {"_id": ObjectId(), "orgId": "a", "slug": "a", "data": whole})
    [row] = await app.caller().query("values:everything")
    assert row["data"] == {name: text for name, (_, text) in OTHERS.items()}


# --- ids --------------------------------------------------------------------------------------------------------------


async def test_arguments_refuse_text_that_can_be_no_id(app: TestApp) -> None:
    anna = app.caller()
    for text in ("hello, world", "", " ", "a\nb", "x" * 257, "tab\t"):
        with pytest.raises(FunctionError) as caught:
            await anna.query("values:org", {"orgId": text})
        assert caught.value.code == "invalid_arguments"
    for text in (HEX, "messages:send", "j57d3k9x"):
        assert await anna.query("values:org", {"orgId": text}) is None
    await written_outside(app, "cities", {"_id": "New York", "people": 8_000_000})
    assert (await anna.query("values:city", {"cityId": "New York"}))["people"] == 8_000_000


async def test_an_id_that_knows_its_table_is_enough(app: TestApp) -> None:
    async def work(ctx: MutationContext) -> list[Any]:
        made = await ctx.db.insert(Org(name="clinic"))
        found = await ctx.db.get(made)
        assert found is not None
        patched = await ctx.db.patch(made, name="hospital")
        recording = await ctx.db.insert(Recording(org_id="a", slug="a", owner_id=made))
        row = await ctx.db.get(recording)
        assert row is not None
        assert row.owner_id is not None
        owner = await ctx.db.get(row.owner_id)
        assert owner is not None
        await ctx.db.delete(row.owner_id)
        return [found.name, patched.name, owner.name, await ctx.db.get(Id[Org](made))]

    assert await do(app, work) == ["clinic", "hospital", "hospital", None]


async def test_an_id_of_another_table_is_refused(app: TestApp) -> None:
    async def work(ctx: MutationContext) -> None:
        org = await ctx.db.insert(Org(name="clinic"))
        await ctx.db.get(Recording, org)

    with pytest.raises(InvalidArguments, match=r"the id of a document of 'orgs', not of 'recordings'"):
        await do(app, work)


async def test_what_users_of_convex_write_says_what_to_write(app: TestApp) -> None:
    async def work(ctx: MutationContext) -> None:
        any_db: Any = ctx.db
        calls: list[Callable[[], Any]] = [
            lambda: any_db.get(HEX),
            lambda: any_db.get("orgs", HEX),
            lambda: any_db.query("orgs"),
            lambda: any_db.insert("orgs"),
            lambda: any_db.patch(HEX, name="x"),
            lambda: any_db.delete(Id(HEX)),
            lambda: any_db.replace({"_id": HEX}),
        ]
        for call in calls:
            with pytest.raises(TypeError, match=r"ctx\.db\."):
                await call()

    await do(app, work)


async def test_a_patch_of_what_is_gone_says_so(app: TestApp) -> None:
    async def work(ctx: MutationContext) -> None:
        await ctx.db.patch(Id[Org](HEX), name="x")

    with pytest.raises(NotFound):
        await do(app, work)


async def name_of(ctx: MutationContext, id_: Id[Table]) -> str:
    """Take the id of any table: ids are covariant, and mypy checks this file."""
    row = await ctx.db.get(id_)
    return "" if row is None else type(row).__name__


async def test_helpers_take_the_id_of_any_table(app: TestApp) -> None:
    async def work(ctx: MutationContext) -> str:
        org: Id[Org] = await ctx.db.insert(Org(name="clinic"))
        return await name_of(ctx, org)

    assert await do(app, work) == "Org"


# --- defaults ---------------------------------------------------------------------------------------------------------


async def test_documents_that_lack_a_field_are_found_by_its_default(app: TestApp) -> None:
    anna = app.caller()
    old = [
        {"_id": ObjectId(f"6b0a94f2a03c60fb0943a7{n:02x}"), "orgId": "a", "slug": str(n), "rank": n} for n in range(4)
    ]
    old[2]["status"] = "closed"
    async with anna.subscribe("values:with_status", {"status": "open", "limit": 3}) as following:
        assert following.value == []
        await written_outside(app, "recordings", *old)
        await following.current()
        assert [row["slug"] for row in following.value] == ["0", "1", "3"]
        await do(app, lambda ctx: closing(ctx, "1"))
        await following.current()
        assert [row["slug"] for row in following.value] == ["0", "3"]
    assert [row["slug"] for row in await anna.query("values:with_status", {"status": "open"})] == ["0", "3"]
    assert [row["slug"] for row in await anna.query("values:where_status", {"status": "open"})] == ["0", "3"]
    assert [row["slug"] for row in await anna.query("values:where_status", {"status": "closed"})] == ["1", "2"]
    assert await anna.query("values:count_with_status", {"status": "open"}) == 2


async def closing(ctx: MutationContext, slug: str) -> None:
    found = await ctx.db.query(Recording).using("by_slug", slug=slug).unique()
    assert found is not None
    await ctx.db.patch(found, status="closed")


async def test_a_default_counts_in_unique_indexes(app: TestApp) -> None:
    await written_outside(app, "recordings", {"_id": ObjectId(), "orgId": "a", "slug": "same"})
    with pytest.raises(FunctionError) as caught:
        await app.caller().mutation("values:add", {"orgId": "a", "slug": "same"})
    assert caught.value.code == "unique_violation"

    async def another_edition(ctx: MutationContext) -> None:
        await ctx.db.insert(Recording(org_id="a", slug="same", edition=2))

    await do(app, another_edition)


def test_a_default_beside_none_is_refused() -> None:
    with pytest.raises(SchemaError, match="has to be None"):

        class Odd(Table, name="odd_defaults"):
            note: str | None = "none"


def test_a_table_cannot_have_a_creation_time_of_its_own() -> None:
    with pytest.warns(UserWarning, match="shadows"), pytest.raises(SchemaError, match="every table has it already"):

        class Odd(Table, name="odd_times"):
            creation_time: int


def test_a_copy_is_checked() -> None:
    row = Recording(org_id="a", slug="a")
    assert row.model_copy(update={"settings": Settings(theme="dark"), "rank": 2}).settings.theme == "dark"
    with pytest.raises(InvalidArguments, match="recordings: rank"):
        row.model_copy(update={"rank": "2"})
    with pytest.raises(TypeError, match="no field"):
        row.model_copy(update={"nothing": 1})
    with pytest.raises(ValueError, match="theme"):
        row.settings.model_copy(update={"theme": 5})
