"""A document that does not fit its table is a fault of that document: lists leave it out, who asks for it is told."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from bson import ObjectId

from apps import board
from synovia import FunctionError, Id, MutationContext
from synovia.functions.registry import Registry, collect
from synovia.store.base import Batch, Store, Write
from synovia.testing import TestApp
from synovia.testing.app import settings_for_tests

pytestmark = pytest.mark.same_tables

BAD_ID = ObjectId("000000000000000000000002")
GOOD = {"board": "a", "tags": []}

STRANGE: list[tuple[dict[str, Any], str, str]] = [
    ({"_id": BAD_ID, **GOOD, "rank": "high", "slug": "x"}, str(BAD_ID), "rank"),
    ({"_id": BAD_ID, **GOOD, "slug": "x"}, str(BAD_ID), "rank"),
    ({"_id": BAD_ID, **GOOD, "rank": 1, "slug": 5}, str(BAD_ID), "slug"),
    ({"_id": BAD_ID, "board": "a", "rank": 1, "slug": "x", "marks": [{"by": 1}]}, str(BAD_ID), "marks.0.by"),
    ({"_id": None, **GOOD, "rank": 1, "slug": "x"}, "null", "_id"),
    ({"_id": datetime(2026, 1, 1, tzinfo=UTC), **GOOD, "rank": 1, "slug": "x"}, "2026-01-01T00:00:00+00:00", "_id"),
    ({"_id": 12, **GOOD, "rank": 1, "slug": "x"}, "12", "_id"),
]


@pytest.fixture(scope="module")
def registry() -> Registry:
    return collect("board", [board])


async def write(app: TestApp, *documents: dict[str, Any]) -> None:
    ts = await app.store.commit(Batch([Write("cards", each["_id"], None, each) for each in documents]))
    await app.engine.wait_for(ts)


def good(number: int) -> dict[str, Any]:
    return {"_id": ObjectId(f"{number:024x}"), **GOOD, "rank": number, "slug": f"s{number}"}


@pytest.mark.parametrize(("document", "named", "field"), STRANGE)
async def test_one_document_takes_no_list_along(
    registry: Registry,
    any_store: Store,
    caplog: pytest.LogCaptureFixture,
    document: dict[str, Any],
    named: str,
    field: str,
) -> None:
    async with TestApp(registry, any_store) as app:
        await write(app, good(1), document, good(3))
        caller = app.caller()
        for path, args in (
            ("board:on_board", {"board": "a"}),
            ("board:on_board", {"board": "a", "limit": 2}),
            ("board:newest", {"limit": 3}),
        ):
            found = {card["slug"] for card in await caller.query(path, args)}
            assert found == {"s1", "s3"}, (path, args)
        page = await caller.query("board:page", {"board": "a", "size": 3})
        assert [card["slug"] for card in page["items"]] == ["s1", "s3"]
        assert await caller.query("board:count", {"board": "a"}) == 3  # nobody has read them
        lines = [record.getMessage() for record in caplog.records if "cannot be read" in record.getMessage()]
        assert len(lines) == 1, lines
        assert f"the document {named}" in lines[0]
        assert f"of cards cannot be read: {field}: " in lines[0]
        assert len(app.engine.unreadable) == 1


async def test_who_asks_for_it_is_told_and_a_stranger_is_told_no_more_than_that(any_store: Store) -> None:
    settings = settings_for_tests().model_copy(update={"debug": False})
    async with TestApp(collect("board", [board]), any_store, settings=settings) as app:
        await write(app, good(1), {"_id": BAD_ID, **GOOD, "rank": "secret", "slug": "x"})
        for path, args in (("board:get", {"cardId": str(BAD_ID)}), ("board:by_slug", {"slug": "x"})):
            with pytest.raises(FunctionError) as caught:
                await app.caller().query(path, args)
            assert caught.value.code == "unreadable_document"
            assert not {"cards", "rank", "secret", str(BAD_ID)} & set(str(caught.value).replace(":", " ").split())
        [misfit] = app.engine.unreadable.of("cards")
        assert (misfit.id, misfit.field) == (str(BAD_ID), "rank")


async def test_a_developer_is_told_which_it_is(registry: Registry) -> None:
    async with TestApp(registry) as app:
        await write(app, {"_id": BAD_ID, **GOOD, "rank": "high", "slug": "x"})
        with pytest.raises(FunctionError, match=f"{BAD_ID} of cards cannot be read: rank: ") as caught:
            await app.caller().mutation("board:bump", {"slug": "x"})
        assert caught.value.code == "unreadable_document"


async def test_so_many_as_were_asked_for_come_though_bad_ones_stand_before_them(
    registry: Registry, any_store: Store
) -> None:
    async with TestApp(registry, any_store) as app:
        bad = [{"_id": ObjectId(f"{n + 100:024x}"), "board": "a", "rank": n, "slug": n, "tags": []} for n in range(20)]
        await write(app, *bad, *({**good(n), "rank": 50 + n} for n in range(1, 6)))
        caller = app.caller()
        async with caller.subscribe("board:on_board", {"board": "a", "limit": 3}) as following:
            assert [card["slug"] for card in following.value] == ["s1", "s2", "s3"]
            await caller.mutation("board:remove", {"slug": "s2"})
            await following.current()
            assert [card["slug"] for card in following.value] == ["s1", "s3", "s4"]


async def test_a_document_is_mended_by_deleting_it_or_by_a_patch_of_what_is_wrong(
    registry: Registry, any_store: Store
) -> None:
    async with TestApp(registry, any_store) as app:
        await write(app, {"_id": BAD_ID, **GOOD, "slug": "x"})
        card_id = Id[board.Card](str(BAD_ID))

        async def patch_another_field(ctx: MutationContext) -> None:
            await ctx.db.patch(card_id, note="y")

        outcome = await app.engine.transact(patch_another_field)
        assert outcome.error is not None
        assert outcome.error.code == "unreadable_document"

        async def mend(ctx: MutationContext) -> None:
            await ctx.db.patch(card_id, rank=3)

        assert (await app.engine.transact(mend)).error is None
        found = await app.caller().query("board:get", {"cardId": str(BAD_ID)})
        assert found["rank"] == 3
