"""What somebody writes who knows other libraries is refused with a word that says what to write here."""

from __future__ import annotations

from pathlib import Path

import pytest

from helpers.written_applications import function, refusal_of, write_application
from synovia import FunctionError
from synovia.functions.registry import Registry, load_application
from synovia.testing import TestApp

SOURCE = """
from typing import Any

class Contact(Model):
    city: str | None = None
    zip_code: str | None = None

class Ticket(Table, name="tickets", indexes=[Index("by_title", "title"), SearchIndex("by_words", "title")]):
    title: str
    author_name: str | None = None
    contact: Contact | None = None
    former: list[Contact] = []
    by_role: dict[str, Contact] = {}
    free: dict[str, int] = {}

@mutation(public=True)
async def add(ctx: MutationContext, title: str, author_name: str | None = None) -> Id[Ticket]:
    return await ctx.db.insert(Ticket(title=title, author_name=author_name))

@mutation(public=True)
async def misspell(ctx: MutationContext) -> Id[Ticket]:
    return await ctx.db.insert(Ticket(title="a", autor_name="ada"))

@mutation(public=True)
async def misspell_inside(ctx: MutationContext) -> Id[Ticket]:
    return await ctx.db.insert(Ticket(title="a", contact=Contact(ctiy="Ulm")))

@mutation(public=True)
async def misspell_in_a_map(ctx: MutationContext, how: str) -> None:
    if how == "patch":
        await ctx.db.patch(await ctx.db.insert(Ticket(title="a")), contact={"zip_code": "89073", "ctiy": "Ulm"})
    elif how == "list":
        await ctx.db.insert(Ticket(title="a", former=[{"city": "Ulm"}, {"city": "Ulm", "zipcode": "89073"}]))
    elif how == "map":
        await ctx.db.insert(Ticket(title="a", by_role={"owner": {"cty": "Ulm"}}))
    else:
        await ctx.db.insert(Ticket(title="a", contact={"ctiy": "Ulm"}, free={"anything": 1}))

@mutation(public=True)
async def inside(ctx: MutationContext) -> str | None:
    ticket = Ticket(title="a", contact=Contact(city="Ulm", zipCode="89073"))
    return (await ctx.db.get_one(await ctx.db.insert(ticket))).contact.zip_code

@mutation(public=True)
async def by_wire_name(ctx: MutationContext) -> Id[Ticket]:
    return await ctx.db.insert(Ticket(title="a", authorName="ada"))

@mutation(public=True)
async def assign(ctx: MutationContext) -> None:
    row = await ctx.db.get(await ctx.db.insert(Ticket(title="a")))
    row.title = "b"

@query(public=True)
async def numbers(ctx: QueryContext) -> list[int]:
    return ["a"]

@query(public=True)
async def unread(ctx: QueryContext) -> list[Ticket]:
    return ctx.db.query(Ticket)

@query(public=True)
async def unsendable(ctx: QueryContext) -> Any:
    return {"tags": [{1, 2}]}

@query(public=True)
async def run(ctx: QueryContext, line: str) -> Any:
    return eval(line, globals(), {"query": ctx.db.query(Ticket)})

@mutation(public=True)
async def change(ctx: MutationContext, line: str) -> None:
    row = await ctx.db.get_one(await ctx.db.insert(Ticket(title="a")))
    await eval(line, globals(), {"db": ctx.db, "row": row, "name": "x" * 100})

@query(public=True)
async def run_on(ctx: QueryContext, how: str) -> Any:
    if how == "await":
        return await ctx.db.query(Ticket)
    return [row async for row in ctx.db.query(Ticket)]

class Dish(Model):
    dish_name: str
    count: int = 1

class Exact(Model):
    model_config = {"extra": "forbid"}
    count: int = 1

class Open(Model):
    model_config = {"extra": "allow"}

@mutation(public=True)
async def order(ctx: MutationContext, dishes: list[Dish] = [], exact: Exact = Exact(), open: Open = Open(),
                by_name: dict[str, Dish] = {}) -> list[int]:
    return [each.count for each in dishes]

class Loose(Table, name="loose"):
    model_config = {"extra": "allow"}
    a: int = 0

class Moved(Table, name="moved"):
    a: int = 0

    @__import__("pydantic").model_validator(mode="before")
    @classmethod
    def of_old(cls, data: Any) -> Any:
        return {"a": data["old"]} if "old" in data else data

class Read(Table, name="read"):
    contact: Contact | None = None

    @__import__("pydantic").field_validator("contact", mode="before")
    @classmethod
    def of_old(cls, contact: Any) -> Any:
        return {"city": contact["town"]} if isinstance(contact, dict) else contact

@mutation(public=True)
async def own_ways(ctx: MutationContext) -> int:
    assert Read(contact={"town": "Ulm"}).contact.city == "Ulm"
    await ctx.db.insert(Loose(b=1))
    return (await ctx.db.get_one(await ctx.db.insert(Moved(old=3)))).a
"""
READ = "a query is read by await query.collect(), .take(n), .first(), .unique() or .paginate(cursor, size)"


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Registry:
    return load_application(write_application(tmp_path_factory.mktemp("mistakes"), {"desk.py": SOURCE}))


async def refused(registry: Registry, kind: str, path: str, args: dict[str, object] | None = None) -> FunctionError:
    async with TestApp(registry) as app:
        with pytest.raises(FunctionError) as caught:
            await getattr(app.caller(), kind)(f"desk:{path}", args or {})
    return caught.value


async def test_a_field_that_a_row_is_given_and_the_table_has_not_is_not_lost_without_a_word(registry: Registry) -> None:
    error = await refused(registry, "mutation", "misspell")
    told = "there is no such field: is author_name meant?"
    assert (error.code, error.message) == ("invalid_arguments", f"tickets: autor_name: {told}")
    assert error.data == [{"at": "autor_name", "message": told}]
    async with TestApp(registry) as app:
        await app.caller().mutation("desk:by_wire_name")
        assert await app.caller().mutation("desk:own_ways") == 3


async def test_so_is_none_of_a_model_in_a_row(registry: Registry) -> None:
    error = await refused(registry, "mutation", "misspell_inside")
    assert (error.code, error.message) == ("invalid_arguments", "Contact: ctiy: there is no such field")
    assert error.data == [{"at": "ctiy", "message": "there is no such field"}]
    async with TestApp(registry) as app:
        assert await app.caller().mutation("desk:inside") == "89073"


@pytest.mark.parametrize(
    ("how", "fault"),
    [
        ("insert", "contact.ctiy: there is no such field"),
        ("patch", "contact.ctiy: there is no such field"),
        ("list", "former.1.zipcode: there is no such field: is zip_code meant?"),
        ("map", "by_role.owner.cty: there is no such field: is city meant?"),
    ],
)
async def test_nor_of_a_map_that_stands_for_a_model(registry: Registry, how: str, fault: str) -> None:
    error = await refused(registry, "mutation", "misspell_in_a_map", {"how": how})
    assert (error.code, error.message) == ("invalid_arguments", f"tickets: {fault}")


async def test_what_stands_in_a_document_beside_the_fields_of_a_model_is_passed_over(registry: Registry) -> None:
    ticket = registry.models["tickets"]
    row = ticket.from_document({"_id": "a", "title": "b", "contact": {"city": "Ulm", "formerly": 1}, "formerly": 2})
    assert row.model_dump(exclude_unset=True) == {"id": "a", "title": "b", "contact": {"city": "Ulm"}}


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ({"title": "a", "author_name": "b"}, "author_name: there is no such argument: is authorName meant?"),
        ({"title": "a", "AuthorName": "b"}, "AuthorName: there is no such argument: is authorName meant?"),
        ({"title": "a", "subject": "b"}, "subject: there is no such argument"),
    ],
)
async def test_an_argument_that_a_function_does_not_take(
    registry: Registry, args: dict[str, object], message: str
) -> None:
    error = await refused(registry, "mutation", "add", args)
    assert (error.code, error.message) == ("invalid_arguments", f"desk:add: {message}")


async def test_what_a_model_inside_an_argument_does_not_declare_is_passed_over_and_named_in_development(
    registry: Registry, caplog: pytest.LogCaptureFixture
) -> None:
    def warned() -> list[str]:
        return sorted(each.message for each in caplog.records if "passed over" in each.message)

    async with TestApp(registry) as app:
        for name in ("dishName", "dish_name"):
            args = {"dishes": [{name: "a", "count": 3}], "open": {"any": 1}}
            assert await app.caller().mutation("desk:order", args) == [3]
        assert warned() == []
        dishes, by_name = [{"dishName": "a", "cuont": 3, "_creationTime": 5}], {"soup": {"dishName": "b", "hot": True}}
        assert await app.caller().mutation("desk:order", {"dishes": dishes, "byName": by_name}) == [1]
    assert warned() == [
        "desk:order was given byName.hot, which no model there declares: it is passed over",
        "desk:order was given dishes.cuont (is count meant?), which no model there declares: it is passed over",
    ]
    error = await refused(registry, "mutation", "order", {"exact": {"cuont": 3}})
    assert (error.code, error.message) == ("invalid_arguments", "desk:order: exact.cuont: there is no such field")


@pytest.mark.parametrize(
    ("path", "words"),
    [
        (
            "numbers",
            "the result is not list[int]: 0: Input should be a valid integer, unable to parse string as an integer",
        ),
        ("unread", READ),
        ("unsendable", "the result cannot be sent: .tags[0]: set is not a wire value; a list can"),
    ],
)
async def test_a_result_that_is_none(registry: Registry, path: str, words: str) -> None:
    error = await refused(registry, "query", path)
    assert error.code == "server_error"
    assert error.message.endswith(words)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("[row for row in query]", READ),
        ("len(query)", READ),
        ("query[0]", READ),
        ("query.filter(1)", "it is where(field(...) == ...) here"),
        ("query.limit(5)", "it is take(n) here"),
        ("query.withIndex('by_title')", "it is using(index, ...) here"),
        ("query.where(Ticket.title == 'a')", "a condition on a field is written field('title') == ..."),
    ],
)
async def test_what_other_libraries_write(registry: Registry, line: str, words: str) -> None:
    assert (await refused(registry, "query", "run", {"line": line})).message.endswith(f"; {words}")


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("query.where(title='a')", "a condition is where(field('name') == value)"),
        ("query.using('title', title='a')", "tickets has no index 'title': is by_title meant?"),
        ("query.using('by_wrods')", "tickets has no index 'by_wrods'"),
        ("query.where(field('authorName') == 'a').take(1)", "has no field 'authorName': is author_name meant?"),
        ("query.where(field('owner') == 'a').take(1)", "tickets has no field 'owner'"),
    ],
)
async def test_a_name_that_is_nearly_one(registry: Registry, line: str, words: str) -> None:
    assert (await refused(registry, "query", "run", {"line": line})).message.endswith(words)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("db.insert('tickets', {'title': 'a'})", "; a row is inserted as ctx.db.insert(User(name=...))"),
        ("db.insert(Ticket, title='a')", "; a row is inserted as ctx.db.insert(User(name=...))"),
        ("db.patch(row.id, {'title': 'a'})", "or of the id of a row ctx.db.patch(id, name=...)"),
        ("db.replace(row.id, Ticket(title='a'))", "ctx.db.replace(row.model_copy(update={...}))"),
        (
            "db.replace(Ticket(title='a'))",
            "tickets: this row has no id: it was not read, and ctx.db.insert(row) adds it",
        ),
        ("db.delete('tickets', row.id)", "or by the id of a row as ctx.db.delete(id)"),
        ("db.update(row, title='a')", "; it is ctx.db.patch(row, name=...) here"),
        ("db.find_one(title='a')", "; it is ctx.db.query(User), or ctx.db.get(User, id) here"),
        ("db.patch(row, autor_name='a')", "tickets: autor_name: there is no such field: is author_name meant?"),
        ("db.patch(row, **{name: 'a'})", f"{'x' * 100}: there is no such field"),
        ("db.patch(row, title=row._id)", "; the id of a row is row.id here"),
        ("db.patch(row, title=row.authorName)", "; is author_name meant?"),
    ],
)
async def test_a_change_as_other_libraries_write_it(registry: Registry, line: str, words: str) -> None:
    assert (await refused(registry, "mutation", "change", {"line": line})).message.endswith(words)


@pytest.mark.parametrize(
    ("declared", "words"),
    [
        ("indexes=['title']", "A: indexes is a list, as [Index('by_owner', 'owner')], not ['title']"),
        ("indexes=Index('by_x', 'title')", "A: indexes is a list, as [Index('by_owner', 'owner')], not Index("),
        ("indexes=[Index('by_x', ['title', 'at'])]", "index 'by_x': fields are named one by one, as Index("),
        ("index=[]", "A: a table takes name, indexes, text_ids and audit_scope, not index"),
    ],
)
def test_a_table_that_is_declared_as_elsewhere(tmp_path: Path, declared: str, words: str) -> None:
    text = refusal_of(tmp_path, f"class A(Table, {declared}):\n    title: str\n    at: int\n")
    assert words in text
    assert ".py:3: " in text


def test_a_cron_every_so_many_seconds(tmp_path: Path) -> None:
    text = refusal_of(
        tmp_path, "@cron(every=60)\n@mutation(internal=True)\nasync def f(ctx: MutationContext) -> None: ...\n"
    )
    assert text.endswith("every is a timedelta, as timedelta(minutes=5), not 60")


@pytest.mark.parametrize("how", ["await", "for"])
async def test_a_query_is_no_list(registry: Registry, how: str) -> None:
    assert (await refused(registry, "query", "run_on", {"how": how})).message.endswith(f"; {READ}")


async def test_an_error_of_the_application_s_own_gets_no_hint(registry: Registry) -> None:
    error = await refused(registry, "query", "run", {"line": "Ticket.nothing"})
    assert error.message.endswith("AttributeError: nothing")


async def test_a_row_does_not_change(registry: Registry) -> None:
    assert (
        "; rows do not change: ctx.db.patch(row, field=...) writes"
        in (await refused(registry, "mutation", "assign")).message
    )


async def test_a_function_of_another_kind(registry: Registry) -> None:
    error = await refused(registry, "action", "add")
    assert (error.code, error.message) == ("wrong_kind", "'desk:add' is a mutation, not an action")


def test_a_function_that_forgets_its_context(tmp_path: Path) -> None:
    for said, told in (("int", "int"), ("list[str]", "list[str]")):
        source = f"@query(public=True)\nasync def double(x: {said}) -> int:\n    return 2\n"
        text = refusal_of(tmp_path, source)
        assert f"the first argument is the QueryContext, and 'x' is said to be {told}" in text
    load_application(write_application(tmp_path, function() + "\n@query(public=True)\nasync def g(x) -> int: ...\n"))
