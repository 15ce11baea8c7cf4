"""Tables that could never work, or would lose something, are refused where they are declared."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import Field

from synovia import Id, Index, Model, SchemaError, Table

SHADOWING = pytest.mark.filterwarnings("ignore:Field name:UserWarning")  # pydantic says it too


@SHADOWING
@pytest.mark.parametrize(
    "name", ["id", "spec", "text_ids", "to_document", "from_document", "creation_time", "model_copy"]
)
def test_a_field_does_not_take_the_place_of_what_every_row_has(name: str) -> None:
    with pytest.raises(SchemaError, match=rf"Taken\.{name}: every .* has it already"):
        type("Taken", (Table,), {"__annotations__": {name: int}, "__module__": __name__})


@SHADOWING
def test_a_model_has_no_field_of_the_name_of_what_every_model_has() -> None:
    with pytest.raises(SchemaError, match=r"Copied\.model_copy: every model has it already"):

        class Copied(Model):
            model_copy: int  # type: ignore[assignment]


@pytest.mark.parametrize("base", [Table, Model])
@pytest.mark.parametrize("name", ["_id", "_secret"])
def test_a_field_that_would_not_be_kept_is_refused(base: type, name: str) -> None:
    with pytest.raises(SchemaError, match=f"{name}: names that begin with an underscore are not kept"):
        type("Hidden", (base,), {"__annotations__": {name: str}, "__module__": __name__})


def test_names_of_what_pydantic_once_had_are_free() -> None:
    fields = {"schema": int, "copy": int, "json": int}
    with pytest.warns(UserWarning, match="shadows an attribute"):
        free: Any = type("Free", (Table,), {"__annotations__": fields, "__module__": __name__}, name="free_names")
    assert free(schema=1, copy=2, json=3).to_document(["schema", "copy", "json"]) == {"schema": 1, "copy": 2, "json": 3}


def test_the_id_may_be_declared_again_as_what_it_is() -> None:
    class Again(Table, name="again"):
        id: Id[Again] = Field(default=Id(""), alias="_id")  # type: ignore[assignment]
        number: int

    assert list(Again(number=1).to_document()) == ["_id", "number"]


@pytest.mark.parametrize("name", ["a$b", "a\0b", "system.users", ".hidden", "ending.", "x" * 101, "ü" * 51])
def test_a_name_that_no_collection_can_have_is_refused(name: str) -> None:
    with pytest.raises(SchemaError, match="a table cannot be named"):

        class Named(Table, name=name):
            number: int


@pytest.mark.parametrize("name", ["a b", "a.b", "a-b", "Users", "ü" * 50])
def test_other_names_are_free(name: str) -> None:
    class Named(Table, name=name):
        number: int

    assert Named.spec.name == name


class Contact(Model):
    user: str
    alias: str


LISTS = {
    "tags": list[str],
    "marks": list[int],
    "maybe": list[int] | None,
    "contacts": list[Contact],
    "number": int,
    "other": int,
}


def declared(*indexes: Index) -> Any:
    body = {"__annotations__": LISTS, "__module__": __name__, "maybe": None}
    return type("Indexed", (Table,), body, name="indexed", indexes=list(indexes))


@pytest.mark.parametrize(
    ("indexes", "told"),
    [
        ([Index("one", "number"), Index("one", "other")], "two indexes are named 'one'"),
        ([Index("one", "number"), Index("two", "number")], "'one' and 'two' are over the same fields"),
        ([Index("one", "number"), Index("two", "number", unique=True)], "'one' and 'two' are over the same fields"),
        ([Index("one", "number", "number")], "'one' names a field twice"),
        ([Index("one", "tags", "marks")], "'one' is over two lists, marks and tags"),
        ([Index("one", "tags", "contacts.user")], "'one' is over two lists, contacts and tags"),
        ([Index("one", *(f"contacts.f{number}" for number in range(32)))], "'one' has more than 31 fields"),
    ],
)
def test_indexes_that_no_database_can_have_are_refused(indexes: list[Index], told: str) -> None:
    with pytest.raises(SchemaError, match=told):
        declared(*indexes)


def test_other_indexes_are_free() -> None:
    pairs = Index("pairs", "contacts.user", "contacts.alias", "number")
    turned = [Index("one", "number", "other"), Index("two", "other", "number"), Index("three", "number")]
    assert (
        len(declared(pairs, Index("tagged", "number", "tags"), Index("either", "maybe", "tags"), *turned).spec.indexes)
        == 6
    )
