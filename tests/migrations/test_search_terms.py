"""Documents get the terms under which searches find them, whoever has written them, while hubs run."""

from __future__ import annotations

from typing import Any

from apps import exercises
from helpers.reopened_stores import Reopened
from synovia.functions.registry import collect
from synovia.store.base import Batch, Store, Write
from synovia.testing import TestApp

REGISTRY = collect("exercises", [exercises])


def word(id_: str, text: Any, **more: Any) -> Write:
    return Write("words", id_, None, {"_id": id_, "text": text, **more})


async def found(app: TestApp, text: str, kind: str = "noun") -> list[str]:
    texts: list[str] = await app.trusted.query("exercises:words", {"text": text, "kind": kind})
    return texts


async def test_what_was_there_before_the_index_is_indexed_when_a_hub_starts(reopened: Reopened) -> None:
    async with TestApp(REGISTRY, reopened.store()) as app:
        await app.store.commit(Batch([word(f"w{n:03}", f"knee {n}") for n in range(50)]))
        await app.store.commit(Batch([word("odd", "knee odd", kind=["a", "b"]), word("none", None)]))
        assert await found(app, "knee 7") == []
    async with TestApp(REGISTRY, reopened.store()) as app:
        assert await found(app, "knee 7") == ["knee 7"]
        assert (await app.server.search_terms.health()).figures["indexedTexts"] == 52
        await app.server.search_terms.catch_up()
        assert (await app.server.search_terms.health()).figures["indexedTexts"] == 52, "each once"


async def test_what_others_write_is_indexed_while_a_hub_runs(any_store: Store) -> None:
    async with TestApp(REGISTRY, any_store) as app, app.trusted.subscribe("exercises:words", {"text": "kne"}) as shown:
        terms = app.server.search_terms
        terms.start()
        await any_store.commit(Batch([word("a", "knee")]))
        async for value in shown:
            if value == ["knee"]:
                break
        if any_store.shared:  # only there are other programs, which know nothing of terms
            before = (await any_store.snapshot((await any_store.newest())[0]).get("words", ["a"]))[0]
            assert before is not None
            await any_store.commit(Batch([Write("words", "a", before, {**before, "text": "kneel"})], fence=None))
            async for value in shown:
                if value == ["kneel"]:
                    break
        await terms.stop()
