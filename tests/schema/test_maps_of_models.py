"""A map that stands for a model is found wherever one may stand, and whoever looks into it says the same."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import pytest
from pydantic import BeforeValidator, ConfigDict, Field, field_validator, model_validator

from synovia import InvalidArguments, Model, Table
from synovia.schema.unknown_fields import passed_over_in
from synovia.schema.wire_names import python_names_in


def as_today(given: Any) -> Any:
    return {"city": given["town"]} if isinstance(given, dict) and "town" in given else given


class Contact(Model):
    city: str = ""
    zip_code: str = ""


Earlier = Annotated[Contact, BeforeValidator(as_today)]


class Branch(Model):
    contact: Contact | None = None
    branches: list[Branch] = []


class Home(Model):
    kind: Literal["home"]
    reached: Contact | None = None


class Office(Model):
    kind: Literal["office"]
    desk: int = 0
    reached: Branch | None = None


class Exact(Model):
    model_config = ConfigDict(extra="forbid")
    contact: Contact | None = None


class Anything(Model):
    model_config = ConfigDict(extra="allow")
    contact: Contact | None = None


class Moved(Model):
    city: str = ""

    @model_validator(mode="before")
    @classmethod
    def of_old(cls, given: Any) -> Any:
        return as_today(given)


class Renamed(Model):
    city: str = Field(default="", validation_alias="town")


class Person(Table, name="people_with_maps"):
    contact: Contact | None = None
    pair: tuple[Contact, Branch] | None = None
    grid: list[list[Contact]] = []
    row: tuple[Contact, ...] = ()
    roles: dict[str, list[Contact]] = {}
    branch: Branch | None = None
    at: Home | Office | None = None
    exact: Exact | None = None
    anything: Anything | None = None
    loose: Contact | dict[str, Any] | None = None
    whatever: Any = None
    earlier: Earlier | None = None
    all_earlier: list[Earlier] = []
    moved: Moved | None = None
    renamed: Renamed | None = None
    read: Contact | None = None

    @field_validator("read", mode="before")
    @classmethod
    def of_old(cls, given: Any) -> Any:
        return as_today(given)


class Checked(Table, name="checked_people"):
    title: str = ""
    contact: Contact | None = None

    @field_validator("contact", mode="after")
    @classmethod
    def known(cls, contact: Contact | None) -> Contact | None:
        return contact

    @model_validator(mode="after")
    def whole(self) -> Checked:
        return self


UNKNOWN: list[tuple[dict[str, Any], str]] = [
    ({"contact": {"cty": "a"}}, "contact.cty"),
    ({"pair": ({"cty": "a"}, {})}, "pair.0.cty"),
    ({"grid": [[], [{}, {"cty": "a"}]]}, "grid.1.1.cty"),
    ({"row": ({}, {"cty": "a"})}, "row.1.cty"),
    ({"roles": {"owner": [{"cty": "a"}]}}, "roles.owner.0.cty"),
    ({"branch": {"branches": [{"branches": [{"contact": {"cty": "a"}}]}]}}, "branch.branches.0.branches.0.contact.cty"),
    ({"at": {"kind": "home", "street": "a"}}, "at.street"),
    ({"at": {"kind": "office", "reached": {"cty": "a"}}}, "at.reached.cty"),
    ({"exact": {"contact": {"cty": "a"}}}, "exact.contact.cty"),
]
KNOWN: list[dict[str, Any]] = [
    {"contact": {"city": "a", "zipCode": "b"}},
    {"contact": {"zip_code": "b"}},
    {"at": {"kind": "office", "desk": 3, "reached": {"contact": {"city": "a"}}}},
    {"at": {"kind": "home", "reached": {"city": "a"}}},
    {"anything": {"cty": "a", "contact": {"city": "b"}}},
    {"loose": {"cty": "a"}},
    {"whatever": {"cty": "a"}},
    {"earlier": {"town": "a"}},
    {"all_earlier": [{"town": "a"}]},
    {"moved": {"town": "a"}},
    {"renamed": {"town": "a"}},
    {"read": {"town": "a"}},
]


@pytest.mark.parametrize(("given", "place"), UNKNOWN)
def test_what_no_model_there_declares_is_refused_and_named_with_its_place(given: dict[str, Any], place: str) -> None:
    with pytest.raises(InvalidArguments) as refused:
        Person(**given)
    assert [fault["at"] for fault in refused.value.data] == [place]
    with pytest.raises(InvalidArguments) as refused:
        Person().model_copy(update=given)
    assert [fault["at"] for fault in refused.value.data] == [place]


@pytest.mark.parametrize(("given", "place"), UNKNOWN)
def test_of_a_client_it_is_told_by_the_names_of_the_fields(given: dict[str, Any], place: str) -> None:
    by_fields = [name for name in place.split(".") if not name.isdigit() and name != "owner"]
    assert [*passed_over_in(Person, given)] == [".".join(by_fields) + (" (is city meant?)" if "cty" in place else "")]


@pytest.mark.parametrize("given", KNOWN)
def test_what_a_model_may_be_given_is_neither_refused_nor_told(given: dict[str, Any]) -> None:
    Person(**given)
    Person().model_copy(update=given)
    assert [*passed_over_in(Person, given)] == []


@pytest.mark.parametrize(
    ("given", "place"),
    [({"titel": "a"}, "titel"), ({"contact": {"cty": "a"}}, "contact.cty")],
    ids=["itself", "inside"],
)
def test_a_validator_that_only_sees_what_the_model_has_made_of_it_keeps_nothing(
    given: dict[str, Any], place: str
) -> None:
    with pytest.raises(InvalidArguments) as refused:
        Checked(**given)
    assert [fault["at"] for fault in refused.value.data] == [place]


@pytest.mark.parametrize(
    ("document", "place"),
    [
        ({"contact": {"zip_code": "a"}}, "contact.zip_code"),
        ({"grid": [[{"zip_code": "a"}]]}, "grid.zip_code"),
        ({"roles": {"owner": [{"zip_code": "a"}]}}, "roles.zip_code"),
        ({"branch": {"branches": [{"contact": {"zip_code": "a"}}]}}, "branch.branches.contact.zip_code"),
        ({"at": {"kind": "office", "reached": {"contact": {"zip_code": "a"}}}}, "at.reached.contact.zip_code"),
        ({"anything": {"contact": {"zip_code": "a"}}}, "anything.contact.zip_code"),
        ({"earlier": {"zip_code": "a"}}, "earlier.zip_code"),
        ({"read": {"zip_code": "a"}}, "read.zip_code"),
        ({"moved": {"city": "a"}, "contact": {"zipCode": "a"}, "loose": {"zip_code": "a"}}, None),
    ],
)
def test_a_python_name_in_a_document_is_found_whatever_code_makes_of_it(document: dict[str, Any], place: str) -> None:
    assert [*python_names_in(Person, document)] == ([(place, "zipCode")] if place else [])
