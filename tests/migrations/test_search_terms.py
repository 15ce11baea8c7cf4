"""Documents get the terms under which searches find them, whoever has written them, while hubs run."""

from __future__ import annotations

from typing import Any

import pytest

from apps import exercises
from helpers.reopened_stores import Reopened
from synovia.functions.context import MutationContext
from synovia.functions.registry import collect
from synovia.limits.settings import HubLimits
from synovia.migrations import searching
from synovia.store.base import Batch, Store, Write
from synovia.testing import TestApp
from synovia.testing.app import settings_for_tests

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


@pytest.mark.parametrize("most_entries", [200_000, 30])
async def test_documents_of_many_words_are_indexed_a_few_at_a_time_and_one_of_too_many_alone(
    reopened: Reopened, monkeypatch: pytest.MonkeyPatch, most_entries: int
) -> None:
    monkeypatch.setattr(searching, "_MUCH_ENTRIES", 20)
    steps, fill = list[tuple[int, int]](), searching._fill_some

    async def noted(ctx: MutationContext, **more: Any) -> list[int]:
        result = await fill(ctx, **more)
        budget = ctx.db.transaction.budget
        assert budget is not None
        steps.append((result[0], budget.entered))
        return result

    monkeypatch.setattr(searching, "_fill_some", noted)
    async with TestApp(REGISTRY, reopened.store()) as app:
        lengths = zip("abcdef", (2, 2, 2, 40, 2, 2), strict=True)
        texts = [" ".join(f"{letter}{n}" for n in range(words)) for letter, words in lengths]
        await app.store.commit(Batch([word(text[0], text) for text in texts]))
    settings = settings_for_tests().model_copy(update={"limits": HubLimits(max_mutation_entries=most_entries)})
    async with TestApp(REGISTRY, reopened.store(), settings=settings) as app:
        assert await found(app, "d39") == texts[3:4]
        assert await found(app, "f1") == texts[5:]
    done = [(given, entered) for given, entered in steps if given]
    assert sum(given for given, _ in done) == 6
    assert len(done) > 1
    assert max(entered for _, entered in done) >= min(40, most_entries) > 20, "so the commit is known to be a large one"


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
