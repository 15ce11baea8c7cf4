"""Tables and models of every shape."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Generic, Literal, TypeVar

from pydantic import BaseModel, Field, computed_field

from synovia import Array, Float64Array, Id, Model, Table

T = TypeVar("T")
U = TypeVar("U")
Role = Literal["reader", "writer"]


class Color(StrEnum):
    """Enumerations can only be given."""

    RED = "red"
    DARK_BLUE = "dark blue"


class Part(Model):
    """A part, which has parts; it ends no comment: */ and quotes nothing: \"\"\"."""

    owner: Id[Thing]
    parts: list[Part] = []


class Thing(Table, name="things"):
    """Every kind of field.

    Two paragraphs.
    """

    flag: bool
    count: int
    big: Annotated[int, Field(ge=0, le=2**63 - 1)]
    ratio: float
    name: str = Field(description="What it is called.")
    raw: bytes
    at: datetime
    role: Role
    mixed: Literal["a", 1, True, 9_007_199_254_740_993] = "a"
    series: Float64Array
    picture: Array | None = None
    maybe: str | None = None
    either: str | list[int | None] | None = None
    names: list[str] = []
    table: dict[str, list[Role]] = {}
    by_thing: dict[Id[Thing], int] = {}
    part: Part
    anything: Any = None
    odd_key: int = Field(alias="odd key")
    for_: int = Field(alias="for")

    @computed_field  # type: ignore[prop-decorator]
    @property
    def twice(self) -> int:
        """Twice the count."""
        return 2 * self.count


class Pair(Model, Generic[T, U]):
    """A structure with parameters."""

    first: T
    second: list[U]


class Cat(Model):
    kind: Literal["cat"] = "cat"
    lives: int


class Dog(Model):
    kind: Literal["dog"] = "dog"
    name: str


Animal = Annotated[Cat | Dog, Field(discriminator="kind")]


class Plain(BaseModel):
    """A model that is not Synovia's keeps its own names."""

    snake_case: int


class Secret(Model):
    """Only an internal function shows it."""

    token: str
