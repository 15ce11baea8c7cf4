"""Two versions of an application on one database: side by side on MongoDB, one after the other on SQLite.

The newer one adds, renames and narrows; the older one keeps working, is started again, and takes nothing away.
"""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from helpers.application_versions import version
from helpers.patience import PATIENCE
from helpers.reopened_stores import Reopened
from synovia import FunctionError, Index, MutationContext, QueryContext, Table, migration, mutation, query
from synovia.functions.registry import Registry
from synovia.schema import Document
from synovia.store import open_store
from synovia.store.mongo import MongoStore
from synovia.testing import Caller, TestApp


def older() -> Registry:
    class Song(Table, name="songs", indexes=[Index("by_title", "title"), Index("by_artist", "artist")]):
        title: str
        artist: str = "nobody"

    @mutation(public=True)
    async def add(ctx: MutationContext, title: str, artist: str = "nobody") -> None:
        await ctx.db.insert(Song(title=title, artist=artist))

    @query(public=True)
    async def by_artist(ctx: QueryContext, artist: str) -> list[str]:
        return [song.title for song in await ctx.db.query(Song).using("by_artist", artist=artist).collect()]

    @query(public=True)
    async def titled(ctx: QueryContext, title: str) -> int:
        return await ctx.db.query(Song).using("by_title", title=title).count()

    return version("music", Song, add, by_artist, titled)


def newer() -> Registry:
    """An index is unique now and has another name, one is gone, and there is a field more with an index."""

    class Song(
        Table,
        name="songs",
        indexes=[Index("by_name", "title", unique=True), Index("by_plays", "plays")],
    ):
        title: str
        plays: int = 0

    @mutation(public=True)
    async def add(ctx: MutationContext, title: str, plays: int = 0) -> None:
        await ctx.db.insert(Song(title=title, plays=plays))

    @query(public=True)
    async def played(ctx: QueryContext) -> list[str]:
        return [song.title for song in await ctx.db.query(Song).using("by_plays").order("desc").collect()]

    @query(public=True)
    async def named(ctx: QueryContext, title: str) -> int:
        return await ctx.db.query(Song).using("by_name", title=title).count()

    return version("music", Song, add, played, named)


async def refused(caller: Caller, title: str) -> None:
    with pytest.raises(FunctionError) as caught:
        await caller.mutation("music:add", {"title": title})
    assert caught.value.code == "unique_violation"


async def test_side_by_side_on_mongodb(mongodb_uri: str, database_name: str) -> None:
    def store() -> MongoStore:
        return MongoStore(mongodb_uri, database_name, patience=0.1)

    async with asyncio.timeout(PATIENCE):
        async with TestApp(older(), store()) as old:
            caller = old.caller()
            await caller.mutation("music:add", {"title": "a", "artist": "ann"})
            async with (
                caller.subscribe("music:by_artist", {"artist": "ann"}) as following,
                TestApp(newer(), store()) as new,
            ):
                assert following.value == ["a"]
                await new.caller().mutation("music:add", {"title": "b", "plays": 5})
                await caller.mutation("music:add", {"title": "c", "artist": "ann"})
                await following.current()
                assert following.value == ["a", "c"]
                assert await caller.query("music:titled", {"title": "b"}) == 1
                for each in (caller, new.caller()):
                    await refused(each, "a")
                await new.engine.wait_for((await new.store.newest())[0])
                assert await new.caller().query("music:played") == ["b", "c", "a"]
                assert await new.caller().query("music:named", {"title": "c"}) == 1
                assert [(each.fields, each.unique) for each in await new.store.unused_indexes()] == [
                    (("artist",), False)
                ]
        async with TestApp(newer(), store()) as new, TestApp(older(), store()) as old:
            await refused(old.caller(), "a")
            await refused(new.caller(), "c")
            assert await old.caller().query("music:by_artist", {"artist": "ann"}) == ["a", "c"]
            assert await new.caller().query("music:played") == ["b", "c", "a"]
            await old.caller().mutation("music:add", {"title": "d"})
            assert await new.caller().query("music:named", {"title": "d"}) == 1
            health = await old.server.health.report()
            assert (health["indexes"], health["schema"]) == ("ok", "ok")


async def test_one_after_the_other_on_sqlite(tmp_path: Path) -> None:
    path = f"sqlite:///{tmp_path / 'data.db'}"
    async with asyncio.timeout(PATIENCE):
        async with TestApp(older(), open_store(path)) as old:
            await old.caller().mutation("music:add", {"title": "a", "artist": "ann"})
        async with TestApp(newer(), open_store(path)) as new:
            await new.caller().mutation("music:add", {"title": "b", "plays": 5})
            await refused(new.caller(), "a")
            assert await new.caller().query("music:played") == ["b", "a"]
        async with TestApp(older(), open_store(path)) as old:
            await refused(old.caller(), "b")
            await old.caller().mutation("music:add", {"title": "c", "artist": "ann"})
            assert await old.caller().query("music:by_artist", {"artist": "ann"}) == ["a", "c"]
        async with TestApp(newer(), open_store(path)) as new:
            await refused(new.caller(), "c")
            assert await new.caller().query("music:played") == ["b", "c", "a"]
            assert {each.fields for each in await new.store.unused_indexes()} == {("title",), ("artist",)}


def with_renamed_field() -> Registry:
    class Song(Table, name="songs"):
        name: str

    @query(public=True)
    async def names(ctx: QueryContext) -> list[str]:
        return [song.name for song in await ctx.db.query(Song).collect()]

    @migration(Song)
    async def title_becomes_name(ctx: MutationContext, document: Document) -> None:
        if "title" in document:
            document["name"] = document.pop("title")

    return version("music", Song, names, title_becomes_name)


async def test_a_field_that_is_renamed_at_once_is_missed_by_the_older_one_but_nothing_hangs(
    mongodb_uri: str, database_name: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with (
        asyncio.timeout(PATIENCE),
        TestApp(older(), MongoStore(mongodb_uri, database_name, patience=0.1)) as old,
        old.caller().subscribe("music:by_artist", {"artist": "nobody"}) as following,
    ):
        for title in "abc":
            await old.caller().mutation("music:add", {"title": title})
        async with TestApp(with_renamed_field(), MongoStore(mongodb_uri, database_name, patience=0.1)) as new:
            assert await new.caller().query("music:names") == []
            await new.migrate()
            assert await new.caller().query("music:names") == ["a", "b", "c"]
            await old.engine.wait_for(new.engine.head)
            await following.current()
            assert following.value == []
            assert len(old.engine.unreadable) == 3
            await old.caller().mutation("music:add", {"title": "d"})
            assert await new.caller().query("music:names") == ["a", "b", "c"]
            assert await old.caller().query("music:by_artist", {"artist": "nobody"}) == ["d"]
            assert "of songs cannot be read: title: Field required" in caplog.text
            assert "of songs cannot be read: name: Field required" in caplog.text


def with_both_fields() -> Registry:
    """The version between: it reads either name and writes both, so that versions before and after it can read."""

    class Song(Table, name="songs"):
        title: str | None = None
        name: str | None = None

    @mutation(public=True)
    async def add(ctx: MutationContext, title: str) -> None:
        await ctx.db.insert(Song(title=title, name=title))

    @query(public=True)
    async def names(ctx: QueryContext) -> list[str]:
        return [song.name or song.title or "" for song in await ctx.db.query(Song).collect()]

    return version("music", Song, add, names)


def with_the_new_field() -> Registry:
    class Song(Table, name="songs"):
        name: str

    @mutation(public=True)
    async def add(ctx: MutationContext, title: str) -> None:
        await ctx.db.insert(Song(name=title))

    @query(public=True)
    async def names(ctx: QueryContext) -> list[str]:
        return [song.name for song in await ctx.db.query(Song).collect()]

    @migration(Song)
    async def title_becomes_name(ctx: MutationContext, document: Document) -> None:
        title = document.pop("title", None)
        document.setdefault("name", title)

    return version("music", Song, add, names, title_becomes_name)


async def test_a_field_that_is_renamed_in_two_steps_is_missed_by_nobody(reopened: Reopened) -> None:
    """Title, both, name; on MongoDB each version runs beside the one before it, as in a rolling deploy."""
    everything = ["a", "b", "c"]
    async with asyncio.timeout(PATIENCE), AsyncExitStack() as first, AsyncExitStack() as second:
        old = await first.enter_async_context(TestApp(older(), reopened.store()))
        await old.caller().mutation("music:add", {"title": "a"})
        if reopened.alone:
            await first.aclose()
        between = await second.enter_async_context(TestApp(with_both_fields(), reopened.store()))
        await between.caller().mutation("music:add", {"title": "b"})
        if not reopened.alone:
            assert await old.caller().query("music:by_artist", {"artist": "nobody"}) == ["a", "b"]
            await first.aclose()
        assert await between.caller().query("music:names") == ["a", "b"]
        if reopened.alone:
            await second.aclose()
        async with TestApp(with_the_new_field(), reopened.store()) as new:
            await new.caller().mutation("music:add", {"title": "c"})
            if not reopened.alone:
                assert await between.caller().query("music:names") == everything
            await new.migrate()
            assert await new.caller().query("music:names") == everything
            assert await new.check_documents() == []
            if not reopened.alone:
                assert await between.caller().query("music:names") == everything
