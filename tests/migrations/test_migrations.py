"""Migrations: each document once, whatever happens to the hubs that run them, on both stores."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any

import pytest
from bson import ObjectId

from helpers.application_versions import version
from helpers.patience import PATIENCE
from synovia import DELETE, FunctionError, MigrationState, Model, MutationContext, QueryContext, Table, migration, query
from synovia.errors import SchemaError
from synovia.functions.registry import Registry
from synovia.keys import BY_ID, prefix
from synovia.migrations.runner import LEASE_MS, Migrations, states_of
from synovia.schema import Document
from synovia.store.base import Batch, Store, Write
from synovia.store.mongo import MongoStore
from synovia.tasks import end
from synovia.testing import TestApp

MANY = 700


class Song(Table, name="songs"):
    name: str
    plays: int = 0


@query(public=True)
async def songs(ctx: QueryContext) -> list[Song]:
    return await ctx.db.query(Song).collect()


def document(number: int, **fields: Any) -> Document:
    return {"_id": ObjectId(f"{number:024x}"), **fields}


async def fill(store: Store, documents: list[Document], table: str = "songs") -> None:
    await store.commit(Batch([Write(table, each["_id"], None, each) for each in documents]))


async def stored(app: TestApp, table: str = "songs") -> list[Document]:
    ts, _ = await app.store.newest()
    return await app.store.snapshot(ts).scan(table, BY_ID, prefix(()))


def titles_to_names(seen: Counter[Any]) -> Any:
    @migration(Song)
    async def title_becomes_name(ctx: MutationContext, document: Document) -> None:
        seen[document["_id"]] += 1
        if "title" in document:
            document["name"] = document.pop("title")
        document["plays"] = document.get("plays", 0) + 1

    return title_becomes_name


async def test_every_document_is_changed_once_and_live_queries_see_it(any_store: Store) -> None:
    seen: Counter[Any] = Counter()
    application = version("music", Song, songs, titles_to_names(seen))
    async with TestApp(application, any_store) as app:
        await fill(app.store, [document(n, title=f"song {n}", other=[n]) for n in range(MANY)])
        async with app.caller().subscribe("music:songs") as following:
            assert following.value == []
            await app.migrate()
            await app.migrate()
            assert len(following.value) == MANY
        found = await stored(app)
        assert [each["name"] for each in found] == [f"song {n}" for n in range(MANY)]
        assert {each["plays"] for each in found} == {1}
        assert found[3]["other"] == [3]
        assert len(seen) == MANY
        [state] = (await states_of(app.store)).values()
        assert (state.id, state.status, state.documents, state.changed) == (
            "music:title_becomes_name", "done", MANY, MANY,
        )  # fmt: skip


async def test_a_hub_that_is_lost_leaves_no_document_out_and_none_is_changed_twice(any_store: Store) -> None:
    reached = asyncio.Event()

    @migration(Song)
    async def count(ctx: MutationContext, document: Document) -> None:
        document["plays"] += 1
        if document["name"] == f"song {MANY // 2}" and not reached.is_set():
            reached.set()
            await asyncio.Event().wait()  # the hub hangs here until it is lost

    async with TestApp(version("music", Song, count), any_store) as app:
        await fill(app.store, [document(n, name=f"song {n}", plays=0) for n in range(MANY)])
        lost = asyncio.create_task(Migrations(app.engine, app.registry, "lost").run())
        await reached.wait()
        lost.cancel()
        [state] = (await states_of(app.store)).values()
        assert (state.status, state.hub) == ("running", "lost")
        assert 0 < state.documents < MANY
        app.clock.advance(LEASE_MS / 1000 + 1)
        await Migrations(app.engine, app.registry, "other").run()
        assert {each["plays"] for each in await stored(app)} == {1}


async def test_two_hubs_at_the_same_time_change_no_document_twice(mongodb_uri: str, database_name: str) -> None:
    @migration(Song)
    async def count(ctx: MutationContext, document: Document) -> None:
        document["plays"] += 1

    application = version("music", Song, count)
    async with (
        asyncio.timeout(PATIENCE),
        TestApp(application, MongoStore(mongodb_uri, database_name)) as one,
        TestApp(application, MongoStore(mongodb_uri, database_name)) as two,
    ):
        await fill(one.store, [document(n, name="x", plays=0) for n in range(MANY)])
        await asyncio.gather(one.migrate(), two.migrate())
        assert {each["plays"] for each in await stored(one)} == {1}
        [state] = (await states_of(two.store)).values()
        assert (state.status, state.documents) == ("done", MANY)


async def test_one_that_fails_names_the_document_and_goes_on_there_once_it_is_mended(any_store: Store) -> None:
    done: list[str] = []

    def with_body(mended: bool) -> Registry:
        @migration(Song)
        async def first(ctx: MutationContext, document: Document) -> None:
            document["plays"] = (int(document["plays"]) if str(document["plays"]).isdigit() or not mended else 0) + 1

        @migration(Song)
        async def second(ctx: MutationContext, document: Document) -> None:
            done.append(document["name"])

        return version("music", Song, first, second)

    async with TestApp(with_body(False), any_store) as app:
        await fill(app.store, [document(n, name=f"{n}", plays="many" if n == 40 else n) for n in range(60)])
        with pytest.raises(
            FunctionError, match=f"music:first: the document {document(40)['_id']} of songs: ValueError"
        ):
            await app.migrate()
        assert not done
        states = await states_of(app.store)
        assert [*states] == ["music:first"]
        assert (states["music:first"].status, states["music:first"].documents) == ("failed", 40)
        report = (await app.server.schema.health()).status
        assert report == "a migration has failed: see the log"
        newer = with_body(True)
        await Migrations(app.engine, newer, "newer").run()
        assert [each["plays"] for each in await stored(app)] == [1 if n == 40 else n + 1 for n in range(60)]
        assert len(done) == 60


async def test_documents_move_to_another_table_and_go_from_the_first(any_store: Store) -> None:
    @migration("tracks")
    async def tracks_become_songs(ctx: MutationContext, document: Document) -> Any:
        await ctx.db.insert(Song(name=document["label"]))
        return DELETE

    async with TestApp(version("music", Song, tracks_become_songs), any_store) as app:
        await fill(app.store, [document(n, label=f"{n}") for n in range(50)], "tracks")
        await app.migrate()
        assert await stored(app, "tracks") == []
        assert sorted(int(each["name"]) for each in await stored(app)) == [*range(50)]
        [state] = (await states_of(app.store)).values()
        assert (state.documents, state.changed, state.deleted) == (50, 0, 50)


async def test_what_would_not_fit_or_cannot_be_stored_is_refused(any_store: Store) -> None:
    def giving(result: Any) -> Registry:
        @migration(Song)
        async def give(ctx: MutationContext, document: Document) -> Any:
            return result(document)

        return version("music", Song, give)

    async with TestApp(giving(lambda each: each), any_store) as app:
        await fill(app.store, [document(1, name="x")])
        results: list[tuple[Any, str]] = [
            (lambda each: {**each, "name": 5}, "would not fit: name: "),
            (lambda each: {**each, "_id": ObjectId()}, "its _id cannot change"),
            (lambda each: {**each, "more": object()}, "cannot be stored"),
            (lambda each: "text", "gives a document, DELETE or nothing"),
        ]
        for result, text in results:
            with pytest.raises(FunctionError, match=text):
                await Migrations(app.engine, giving(result), "hub").run()
        assert await stored(app) == [document(1, name="x")]


async def test_a_field_under_its_python_name_is_refused_in_words_unless_it_was_there_before() -> None:
    class Verse(Model):
        first_line: str

    class Counted(Table, name="songs"):
        play_count: int = 0
        verses: list[Verse] = []

    def giving(**fields: Any) -> Registry:
        @migration(Counted)
        async def fill_in(ctx: MutationContext, document: Document) -> None:
            document.update(fields)

        return version("music", Counted, fill_in)

    async with TestApp(giving()) as app:
        await fill(app.store, [document(1)])
        for fields, text in (
            ({"play_count": 3}, "would not be found by its play_count: in the database that is playCount"),
            ({"verses": [{"firstLine": "O", "first_line": "O"}]}, r"by its verses\.first_line: .* that is firstLine"),
        ):
            with pytest.raises(FunctionError, match=text):
                await Migrations(app.engine, giving(**fields), "hub").run()
        assert await stored(app) == [document(1)]
        await fill(app.store, [document(2, play_count=9)])
        await Migrations(app.engine, giving(playCount=3, verses=[{"firstLine": "O"}]), "hub").run()
        assert [each["playCount"] for each in await stored(app)] == [3, 3]


async def test_only_the_last_migration_of_a_table_has_to_make_it_fit() -> None:
    class Rated(Table, name="songs"):
        name: str
        stars: int

    @migration(Rated)
    async def name_it(ctx: MutationContext, document: Document) -> None:
        document["name"] = "x"

    @migration(Rated)
    async def rate_it(ctx: MutationContext, document: Document) -> None:
        document["stars"] = 3

    async with TestApp(version("music", Rated, name_it, rate_it)) as app:
        await fill(app.store, [document(1)])
        await app.migrate()
        assert await stored(app) == [document(1, name="x", stars=3)]


async def test_an_empty_table_is_migrated_at_once(any_store: Store) -> None:
    seen: Counter[Any] = Counter()
    async with TestApp(version("music", Song, titles_to_names(seen)), any_store) as app:
        await app.migrate()
        assert [state.status for state in (await states_of(app.store)).values()] == ["done"]


def test_declarations_that_cannot_work_are_refused() -> None:
    with pytest.raises(SchemaError, match="names a table"):
        migration(5)  # type: ignore[arg-type]
    with pytest.raises(SchemaError, match="names a table"):
        migration("_migrations")
    with pytest.raises(SchemaError, match="async function"):

        @migration(Song)  # type: ignore[type-var]
        def not_async(ctx: MutationContext, document: Document) -> None: ...

    with pytest.raises(SchemaError, match="async function"):

        @migration(Song)  # type: ignore[type-var]
        async def too_few(ctx: MutationContext) -> None: ...


async def test_functions_may_look_at_migrations() -> None:
    @query(public=True)
    async def states(ctx: QueryContext) -> list[MigrationState]:
        return await ctx.db.query(MigrationState).collect()

    seen: Counter[Any] = Counter()
    application = version("music", Song, states, titles_to_names(seen))
    async with TestApp(application) as app, app.caller().subscribe("music:states") as following:
        await fill(app.store, [document(1, title="a")])
        await app.migrate()
        assert [(each["_id"], each["status"]) for each in following.value] == [("music:title_becomes_name", "done")]


async def test_a_hub_that_stops_lets_another_one_go_on_at_once(any_store: Store) -> None:
    reached = asyncio.Event()

    @migration(Song)
    async def count(ctx: MutationContext, document: Document) -> None:
        document["plays"] += 1
        if document["name"] == f"song {MANY // 2}" and not reached.is_set():
            reached.set()
            await asyncio.Event().wait()

    async with TestApp(version("music", Song, count), any_store) as app:
        await fill(app.store, [document(n, name=f"song {n}", plays=0) for n in range(MANY)])
        stopping = Migrations(app.engine, app.registry, "stopping")
        running = asyncio.create_task(stopping.run())
        await reached.wait()
        await end([running])
        await stopping.release()
        await Migrations(app.engine, app.registry, "other").run()
        assert {each["plays"] for each in await stored(app)} == {1}
