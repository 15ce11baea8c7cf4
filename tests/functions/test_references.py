"""References hold: what is named is there, and what refers to a document that goes, goes along, lets go, or keeps it."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

import pytest

from apps import clinic
from synovia import FunctionError, Id, Index, Reference, SchemaError, SearchIndex, Table
from synovia.functions.registry import Registry, collect
from synovia.schema.relations import Relations
from synovia.store.base import Store
from synovia.testing import TestApp
from synovia.testing.app import settings_for_tests
from synovia.testing.caller import Caller

pytestmark = pytest.mark.same_tables

NOTHING: dict[str, Any] = {"clinics": [], "teams": [], "people": [], "invoices": 0}


@pytest.fixture(scope="module")
def registry() -> Registry:
    return collect("clinic", [clinic])


async def filled(caller: Caller) -> dict[str, str]:
    """Make a clinic with two teams, one above the other, and two people in the lower one."""
    north = await caller.mutation("clinic:clinic", {"name": "north"})
    upper = await caller.mutation("clinic:team", {"clinicId": north, "name": "upper"})
    lower = await caller.mutation("clinic:team", {"clinicId": north, "name": "lower", "aboveId": upper})
    anna = await caller.mutation("clinic:person", {"teamId": lower, "name": "anna"})
    ben = await caller.mutation("clinic:person", {"teamId": upper, "name": "ben", "chiefId": anna})
    return {"north": north, "upper": upper, "lower": lower, "anna": anna, "ben": ben}


async def test_all_that_hangs_on_a_document_goes_with_it(registry: Registry, any_store: Store) -> None:
    async with TestApp(registry, any_store) as app:
        caller = app.caller()
        ids = await filled(caller)
        south = await caller.mutation("clinic:clinic", {"name": "south"})
        await caller.mutation("clinic:team", {"clinicId": south, "name": "other"})
        async with caller.subscribe("clinic:everything", {}) as shown:
            await caller.mutation("clinic:close", {"clinicId": ids["north"]})
            await shown.current()
            assert shown.value == NOTHING | {"clinics": ["south"], "teams": ["other"]}


async def test_a_reference_is_taken_away_where_that_is_said(registry: Registry, any_store: Store) -> None:
    async with TestApp(registry, any_store) as app:
        caller = app.caller()
        ids = await filled(caller)
        await caller.mutation("clinic:dismiss", {"personId": ids["anna"]})
        assert (await caller.query("clinic:everything"))["people"] == [["ben", False]]


async def test_a_document_stays_as_long_as_one_that_stays_refers_to_it(registry: Registry, any_store: Store) -> None:
    async with TestApp(registry, any_store) as app:
        caller = app.caller()
        ids = await filled(caller)
        await caller.mutation("clinic:invoice", {"personId": ids["ben"]})
        before = await caller.query("clinic:everything")
        for path, args in (
            ("clinic:dismiss", {"personId": ids["ben"]}),
            ("clinic:close", {"clinicId": ids["north"]}),
            ("clinic:close_all", {}),
        ):
            with pytest.raises(FunctionError, match="invoices refer to it by person_id") as caught:
                await caller.mutation(path, args)
            assert caught.value.code == "still_referenced"
        # a function that goes on after the error has written nothing of it
        assert await caller.mutation("clinic:try_to_close", {"clinicId": ids["north"]}) == "still_referenced"
        assert await caller.query("clinic:everything") == before


async def test_what_goes_along_keeps_nothing(registry: Registry, any_store: Store) -> None:
    async with TestApp(registry, any_store) as app:
        caller = app.caller()
        ids = await filled(caller)
        await caller.mutation("clinic:invoice", {"personId": ids["ben"], "clinicId": ids["north"]})
        await caller.mutation("clinic:close", {"clinicId": ids["north"]})
        assert await caller.query("clinic:everything") == NOTHING


async def test_documents_that_refer_to_each_other_in_a_circle_go_together(registry: Registry, any_store: Store) -> None:
    async with TestApp(registry, any_store) as app:
        caller = app.caller()
        ids = await filled(caller)
        await caller.mutation("clinic:under", {"teamId": ids["upper"], "aboveId": ids["lower"]})
        await caller.mutation("clinic:own_team", {"clinicId": ids["north"], "id": "self-contained"})
        await caller.mutation("clinic:close", {"clinicId": ids["north"]})
        assert await caller.query("clinic:everything") == NOTHING


@pytest.mark.slow
@pytest.mark.parametrize(("length", "most"), [(1_200, 1_201), (100, 100)])
async def test_a_long_chain_goes_without_end_of_the_stack_and_too_much_is_refused(
    registry: Registry, length: int, most: int
) -> None:
    settings = settings_for_tests()
    limits = settings.limits.model_copy(update={"max_mutation_documents": most})
    async with TestApp(registry, settings=settings.model_copy(update={"limits": limits})) as app:
        caller = app.caller()
        north = await caller.mutation("clinic:clinic", {"name": "north"})
        above = None
        for number in range(length):
            args = {"clinicId": north, "name": str(number), **({} if above is None else {"aboveId": above})}
            above = await caller.mutation("clinic:team", args)
        if length < most:  # the clinic is one, too
            await caller.mutation("clinic:close", {"clinicId": north})
            assert await caller.query("clinic:everything") == NOTHING
        else:
            with pytest.raises(FunctionError, match="at most 100 documents"):
                await caller.mutation("clinic:close", {"clinicId": north})


async def test_who_is_not_there_cannot_be_named(registry: Registry, any_store: Store) -> None:
    async with TestApp(registry, any_store) as app:
        caller = app.caller()
        ids = await filled(caller)
        for path, args in (
            ("clinic:person", {"teamId": ids["north"], "name": "carl"}),
            ("clinic:move", {"personId": ids["ben"], "teamId": "f" * 24}),
        ):
            with pytest.raises(FunctionError, match=r"people\.team_id: teams has no document") as caught:
                await caller.mutation(path, args)
            assert caught.value.code == "invalid_arguments"
        await caller.mutation("clinic:move", {"personId": ids["ben"], "teamId": ids["lower"]})


async def test_a_reference_that_is_written_as_its_document_goes_does_not_dangle(
    registry: Registry, any_store: Store
) -> None:
    async with TestApp(registry, any_store) as app:
        caller = app.caller()
        for _ in range(10):
            clinic_id = await caller.mutation("clinic:clinic", {"name": "north"})
            await asyncio.gather(
                caller.mutation("clinic:team", {"clinicId": clinic_id, "name": "new"}),
                caller.mutation("clinic:close", {"clinicId": clinic_id}),
                return_exceptions=True,
            )
            assert await caller.query("clinic:everything") == NOTHING


class Owner(Table, name="owners"):
    pass


class NoIndex(Table, name="noIndexes"):
    owner_id: Annotated[Id[Owner], Reference("unset")] | None = None


class Found(Table, name="founds", indexes=[SearchIndex("by_text", "text", filters=["owner_id"])]):
    owner_id: Annotated[Id[Owner], Reference("cascade")]
    text: str


class Other(Table, name="others", indexes=[Index("by_owner", "text")]):
    owner_id: Annotated[Id[Owner], Reference("cascade")]
    text: str


class Never(Table, name="nevers", indexes=[Index("by_owner", "owner_id")]):
    owner_id: Annotated[Id[Owner], Reference("unset")]


class Many(Table, name="manies", indexes=[Index("by_owners", "owner_ids")]):
    owner_ids: Annotated[list[Id[Owner]], Reference("cascade")]


class Text(Table, name="texts", indexes=[Index("by_owner", "owner")]):
    owner: Annotated[str, Reference("cascade")]


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (Other, r"Other.owner_id is a Reference, and the index 'by_owner', .* is another one"),
        (Never, r"Never.owner_id is to be unset, so it has to allow None: Id\[Owner\] \| None"),
        (Many, r"Many.owner_ids is a Reference, but a list"),
        (Text, r"Text.owner is a Reference, but no id of a table"),
    ],
)
def test_what_cannot_hold_is_refused_where_it_is_declared(table: type[Table], message: str) -> None:
    with pytest.raises(SchemaError, match=message):
        Relations.among([Owner, table])


def test_a_reference_has_an_index_of_every_row_also_within_a_union() -> None:
    for _ in range(2):
        relations = Relations.among([Owner, NoIndex, Found])
        [unset], [cascade] = relations.of["noIndexes"], relations.of["founds"]
        assert (unset.index.name, unset.index.fields, unset.on_delete) == ("by_owner", ("ownerId",), "unset")
        assert NoIndex.spec.indexes == (unset.index,)
        assert (cascade.index.name, cascade.index.fields) == ("by_owner", ("ownerId",))
