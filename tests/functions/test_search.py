"""Searching in an application: what is found, by whom, live, and in which order; the same on both stores."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from apps import exercises
from helpers.read_recorder import ReadRecorder
from helpers.tenant_scene import code_of
from synovia import FunctionError, Index, SchemaError, SearchIndex, Table
from synovia.functions import search
from synovia.functions.registry import collect
from synovia.schema.search import MAX_TEXT_BYTES
from synovia.search import Analyzer, rank, terms_of
from synovia.store.base import Snapshot, Store
from synovia.testing import TestApp
from synovia.testing.caller import Caller

pytestmark = pytest.mark.same_tables

REGISTRY = collect("exercises", [exercises])
ENGLISH = Analyzer("english")


@dataclass
class Clinics:
    app: TestApp
    ann: Caller

    async def add(self, title: str, clinic: str = "north", **more: Any) -> str:
        id_: str = await self.app.trusted.mutation("exercises:add", {"clinic": clinic, "title": title, **more})
        return id_

    async def change(self, id_: str, **changes: Any) -> None:
        await self.app.trusted.mutation("exercises:change", {"exerciseId": id_, "changes": changes})

    async def find(self, text: str, **more: Any) -> list[str]:
        found: list[str] = await self.ann.query("exercises:find", {"text": text, **more})
        return found


@pytest.fixture
async def clinics(any_store: Store) -> AsyncIterator[Clinics]:
    async with TestApp(REGISTRY, any_store) as app:
        ann = app.caller("ann@example.org")
        await app.trusted.mutation("exercises:join", {"caller": "dev|ann@example.org", "clinic": "north"})
        yield Clinics(app, ann)


async def test_documents_are_found_by_their_words_best_first(clinics: Clinics) -> None:
    await clinics.add("Squat", notes="Bend both knees slowly", steps=["Stand", "Bend"])
    await clinics.add("Knee bend", level=2)
    await clinics.add("Kneeling plank")
    await clinics.add("Étirement du genou")
    await clinics.add("Knee bend of the south", clinic="south")
    assert await clinics.find("knee bend") == ["Knee bend", "Squat"]
    assert await clinics.find("bending KNEES") == ["Knee bend", "Squat"], "words with one stem are one"
    assert await clinics.find("kne") == ["Kneeling plank", "Knee bend", "Squat"], "the last word may be a beginning"
    assert await clinics.find("kne bend") == [], "others may not"
    assert await clinics.find("etire") == ["Étirement du genou"]
    assert await clinics.find("stand") == ["Squat"], "in a list of models"
    assert await clinics.find("knee bend", level=2) == ["Knee bend"]
    assert await clinics.find("knee", n=1) == ["Knee bend"]
    assert await clinics.find("knee", n=0) == []
    for nothing in ("", "  ?!", "elbow", "knee elbow"):
        assert await clinics.find(nothing) == []
    assert await clinics.ann.query("exercises:count", {"text": "kne"}) == 3
    assert await clinics.find("genou", index="by_title") == ["Étirement du genou"]


async def test_rules_apply_to_searches_that_forget_them(clinics: Clinics) -> None:
    await clinics.add("Knee bend")
    await clinics.add("Knee secret", clinic="south")
    for index in ("by_text", "by_title"):
        assert await clinics.find("knee", index=index) == ["Knee bend"]
    assert await clinics.ann.query("exercises:count", {"text": "knee secret"}) == 0
    assert await clinics.ann.query("exercises:of_clinic", {"text": "knee", "clinic": "south"}) == []
    page = await clinics.ann.query("exercises:page", {"text": "knee", "size": 10})
    assert [row["title"] for row in page["items"]] == ["Knee bend"]
    assert sorted(page["items"][0]) == ["_id", "clinic", "level", "steps", "title"], "terms are not shown"
    stranger = clinics.app.caller("eve@example.org")
    for index in ("by_text", "by_title"):
        assert await stranger.query("exercises:find", {"text": "knee", "index": index}) == []
    assert await stranger.query("exercises:count", {"text": "knee"}) == 0
    async with clinics.ann.subscribe("exercises:find", {"text": "knee"}) as shown:
        await clinics.app.trusted.mutation("exercises:join", {"caller": "dev|ann@example.org", "clinic": "south"})
        assert shown.value == ["Knee secret"], "who moves to another clinic searches there"


async def test_a_live_search_runs_again_only_for_what_moves_it(clinics: Clinics) -> None:
    bend = await clinics.add("Knee bend")
    asked = ReadRecorder(clinics.app.store)
    async with clinics.ann.subscribe("exercises:find", {"text": "slow knee"}) as shown:
        [live] = [each for each in clinics.app.engine.live if each.function.path == "exercises:find"]

        async def reruns(path: str, **args: Any) -> bool:
            before = live.statistics.runs
            asked.take()
            await clinics.app.trusted.mutation(f"exercises:{path}", args)
            assert not [each for each in asked.take() if each.startswith("scan") and "by_text" in each], (
                "rolled forward"
            )
            return bool(live.statistics.runs > before)

        assert shown.value == []
        assert await reruns("change", exerciseId=bend, changes={"notes": "Slow"})
        assert shown.value == ["Knee bend"]
        assert await reruns("add", clinic="north", title="Slow kneeling", level=1)
        assert shown.value == ["Knee bend", "Slow kneeling"]
        assert not await reruns("add", clinic="north", title="Slow elbow")
        assert not await reruns("add", clinic="north", title="Knee")
        assert not await reruns("add", clinic="south", title="Slow knee")
        assert await reruns("put", exerciseId=bend, title="Slow elbow")
        assert shown.value == ["Slow kneeling"]
        assert await reruns("put", exerciseId=bend, title="Slow knee")
        assert await reruns("remove", exerciseId=bend)
        assert shown.value == ["Slow kneeling"]
        assert await reruns("restore", exerciseId=bend)
        assert shown.value == ["Slow knee", "Slow kneeling"]


async def test_a_mutation_finds_what_it_has_written(clinics: Clinics) -> None:
    await clinics.add("Knee bend")
    args = {"text": "knee", "clinic": "north", "titles": ["Knee lift", "Elbow"]}
    with pytest.raises(FunctionError, match="Knee lift, Knee bend"):
        await clinics.ann.mutation("exercises:find_own", {**args, "fail": True})
    assert await clinics.find("knee") == ["Knee bend"], "what is taken back is not found"
    assert await clinics.ann.mutation("exercises:find_own", args) == ["Knee lift", "Knee bend"]
    assert await clinics.find("knee") == ["Knee lift", "Knee bend"]


async def test_a_search_that_cannot_be_is_refused(clinics: Clinics) -> None:
    await clinics.app.trusted.mutation("exercises:add_word", {"text": "knee"})
    asked = {"index": "by_text", "text": "knee", "filters": {"kind": "noun"}}
    assert await clinics.ann.query("exercises:wrong", asked) == 1
    assert await clinics.ann.query("exercises:words", {"text": "kn", "kind": "verb"}) == []
    for code, wrong in (
        ("unknown_index", {"index": "by_kind"}),
        ("unknown_index", {"filters": {}}),
        ("unknown_index", {"filters": {"kind": "noun", "text": "x"}}),
        ("invalid_arguments", {"filters": {"kind": 5}}),
        ("server_error", {"text": 5}),
        ("search_too_long", {"text": "k" * 2000}),
        ("search_too_long", {"text": " ".join(f"w{n}" for n in range(17))}),
    ):
        assert await code_of(clinics.ann.query("exercises:wrong", {**asked, **wrong})) == code, wrong
    assert await code_of(clinics.ann.query("exercises:used", {"index": "by_text"})) == "unknown_index"
    for cursor in ("x", "____", "KBgY", "ODg4" * 2_000):
        assert (
            await code_of(clinics.ann.query("exercises:page", {"text": "a", "size": 1, "cursor": cursor}))
            == "bad_cursor"
        )
    assert await code_of(clinics.ann.query("exercises:page", {"text": "a", "size": 0})) == "invalid_arguments"
    long = "wort " * (MAX_TEXT_BYTES // 5)
    assert await code_of(clinics.app.trusted.mutation("exercises:add_word", {"text": long})) == "ok"
    assert (
        await code_of(clinics.app.trusted.mutation("exercises:add_word", {"text": long + "wortes"})) == "too_much_text"
    )
    assert len(await clinics.ann.query("exercises:words", {"text": "wort"})) == 1


def test_a_search_index_that_cannot_work_is_refused() -> None:
    def table(*indexes: Any) -> None:
        class Note(Table, name="notes", indexes=[*indexes]):
            text: str
            number: int = 0
            tags: list[str] = []

    table(SearchIndex("a", "text", "tags", filters=("number",)))
    for reason, indexes in (
        ("has no fields", lambda: [SearchIndex("a")]),
        ("no stems are known for 'klingon'", lambda: [SearchIndex("a", "text", language="klingon")]),
        ("does not have", lambda: [SearchIndex("a", "title")]),
        ("does not have", lambda: [SearchIndex("a", "text", filters=("owner",))]),
        ("holds no text", lambda: [SearchIndex("a", "number")]),
        ("which is a list", lambda: [SearchIndex("a", "text", filters=("tags",))]),
        ("twice", lambda: [SearchIndex("a", "text", "text")]),
        ("two indexes", lambda: [Index("a", "number"), SearchIndex("a", "text")]),
    ):
        with pytest.raises(SchemaError, match=reason):
            table(*indexes())


# --- against a plain model --------------------------------------------------------------------------------------------

WORDS = ["knee", "knees", "kneel", "bend", "bending", "ben", "slow", "slowly"]
SEARCHES = ["k", "kne", "knees", "bend", "knee ben", "knee slow bend", "ben", "bending kneel", "slow k", ""]


@pytest.mark.parametrize("text", ["knee rare", "rare knee"])
async def test_a_word_is_counted_only_as_far_as_tells_that_another_is_rarer(
    clinics: Clinics, text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(20):
        await clinics.add(f"Knee {number}")
    await clinics.add("Rare knee")
    monkeypatch.setattr(search, "_FEW", 1)
    monkeypatch.setattr(search, "_STEP", 2)
    counted, snapshot = list[int](), type(clinics.app.store.snapshot(0))
    count = snapshot.count

    async def noted(self: Snapshot, *args: Any, **options: Any) -> int:
        counted.append(await count(self, *args, **options))
        return counted[-1]

    monkeypatch.setattr(snapshot, "count", noted)
    assert await clinics.find(text) == ["Rare knee"]
    assert 0 < max(counted) <= 4, "of 21"


@dataclass
class Model:
    """What documents there are, and what each search has to find: every document is looked at."""

    most: int
    there: dict[str, tuple[str, str, int]] = field(default_factory=dict)
    """By id: title, notes and level; an id is greater than those before it."""

    def find(self, text: str, level: int | None) -> list[str]:
        words = ENGLISH.searched(text)
        terms = {id_: terms_of(ENGLISH, [title, notes, ""]) for id_, (title, notes, _) in self.there.items()}
        fitting = [id_ for id_ in sorted(self.there, reverse=True) if words and self._fits(terms[id_].words, words)]
        fitting = [id_ for id_ in fitting if level is None or self.there[id_][2] == level]
        if len(words) == 1:
            word, stem = words[0]
            begin = {id_: [each for each in terms[id_].words if each.startswith(word)] for id_ in fitting}
            others = [id_ for id_ in fitting if stem not in terms[id_].words]
            fitting = [id_ for id_ in fitting if stem in terms[id_].words]
            fitting += sorted(others, key=lambda id_: (begin[id_][0], id_))
        first = fitting[: self.most]
        ranked = sorted(first, key=lambda id_: (rank(terms[id_], words, prefix=True), id_), reverse=True)
        return [self.there[id_][0] for id_ in ranked]

    @staticmethod
    def _fits(terms: list[str], words: list[tuple[str, str]]) -> bool:
        *others, (word, stem) = words
        last = stem in terms or any(each.startswith(word) for each in terms)
        return last and all(each in terms for _, each in others)


@pytest.mark.slow
@pytest.mark.parametrize("most", [3, pytest.param(1_024, marks=pytest.mark.alike)])
async def test_searches_are_those_of_a_plain_model(
    clinics: Clinics, most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in (("MAX_RANKED", most), ("_FEW", 1), ("_STEP", 2), ("_PEEK", 4)):
        monkeypatch.setattr(search, name, value)
    chance, model, gone = random.Random(most), Model(most), dict[str, tuple[str, str, int]]()
    live = {
        (text, level): clinics.ann.subscribe("exercises:find", {"text": text} | ({"level": level} if level else {}))
        for text in SEARCHES
        for level in (None, 1)
    }
    for each in live.values():
        await each.__aenter__()
    try:
        for _ in range(50):
            title, notes = (" ".join(chance.choices(WORDS, k=chance.randint(1, 3))) for _ in range(2))
            level, verb = chance.randint(0, 1), chance.choice(["add", "add", "change", "remove", "restore"])
            if verb == "restore" and gone:
                id_ = chance.choice([*gone])
                await clinics.app.trusted.mutation("exercises:restore", {"exerciseId": id_})
                model.there[id_] = gone.pop(id_)
            elif verb == "remove" and model.there:
                id_ = chance.choice([*model.there])
                await clinics.app.trusted.mutation("exercises:remove", {"exerciseId": id_})
                gone[id_] = model.there.pop(id_)
            elif verb == "change" and model.there:
                id_ = chance.choice([*model.there])
                await clinics.change(id_, notes=notes, level=level)
                model.there[id_] = (model.there[id_][0], notes, level)
            else:
                model.there[await clinics.add(title, notes=notes, level=level)] = (title, notes, level)
            for (text, wanted), shown in live.items():
                assert shown.value == model.find(text, wanted), (text, wanted)
        for text, wanted in live:
            assert await clinics.find(text, **({"level": wanted} if wanted else {})) == model.find(text, wanted)
            number = await clinics.ann.query("exercises:count", {"text": text})
            assert number == len(Model(1_000, model.there).find(text, None))
    finally:
        for each in live.values():
            await each.__aexit__()


async def test_pages_of_a_search_neither_overlap_nor_leave_a_gap(clinics: Clinics) -> None:
    for number in range(7):
        await clinics.add(f"knee {number}", notes="knee " * (number % 3))
    whole, pages, cursor = await clinics.find("knee"), [], None
    while True:
        args = {"text": "knee", "size": 3} | ({"cursor": cursor} if cursor else {})
        pages.append((args, page := await clinics.ann.query("exercises:page", args)))
        cursor = page.get("nextCursor")
        if cursor is None:
            break
    assert [row["title"] for _, page in pages for row in page["items"]] == whole
    assert [len(page["items"]) for _, page in pages] == [3, 3, 1]
    async with (
        clinics.ann.subscribe("exercises:page", pages[0][0]) as first,
        clinics.ann.subscribe("exercises:page", pages[1][0]) as second,
    ):
        await clinics.add("knee", notes="knee knee knee")
        titles = [row["title"] for each in (first, second) for row in each.value["items"]]
        assert titles == ["knee", *whole[:6]], "the first page has grown"
