"""What generated clients are written from: the calls of an application and the shapes of what they take and give."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from synovia.functions.function import Kind

ScalarName = Literal["none", "bool", "int", "int64", "float", "str", "bytes", "datetime", "any"]


@dataclass(frozen=True, slots=True)
class Scalar:
    """A value without parts; ``int64`` is an integer that is declared to go beyond 2^53."""

    name: ScalarName


@dataclass(frozen=True, slots=True)
class Choice:
    """One of several constants."""

    values: tuple[str | int | bool, ...]


@dataclass(frozen=True, slots=True)
class IdOf:
    """The id of a document; ``owner`` is the name of the table's class."""

    table: str
    owner: str


@dataclass(frozen=True, slots=True)
class ArrayOf:
    """An array: its reference in results, in arguments the samples too. ``dtype`` is None for any."""

    dtype: str | None


@dataclass(frozen=True, slots=True)
class ListOf:
    """A list."""

    item: Shape


@dataclass(frozen=True, slots=True)
class TupleOf:
    """A list of fixed length."""

    items: tuple[Shape, ...]


@dataclass(frozen=True, slots=True)
class MapOf:
    """A map with string keys."""

    value: Shape


@dataclass(frozen=True, slots=True)
class OneOf:
    """A value of one of several shapes."""

    options: tuple[Shape, ...]


@dataclass(frozen=True, slots=True)
class Reference:
    """A structure by its name, with the shapes of its parameters."""

    name: str
    arguments: tuple[Shape, ...] = ()


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter of a generic structure."""

    name: str


Shape = Scalar | Choice | IdOf | ArrayOf | ListOf | TupleOf | MapOf | OneOf | Reference | Parameter

NONE = Scalar("none")
ANY = Scalar("any")


def one_of(options: list[Shape]) -> Shape:
    """Join shapes, each once, None last."""
    flat: dict[Shape, None] = {}
    for option in options:
        flat.update(dict.fromkeys(option.options if isinstance(option, OneOf) else (option,)))
    if NONE in flat:
        del flat[NONE]
        flat[NONE] = None
    return next(iter(flat)) if len(flat) == 1 else OneOf(tuple(flat))


def admits_none(shape: Shape) -> bool:
    """Whether a value of this shape may be None."""
    return shape in (NONE, ANY) or (isinstance(shape, OneOf) and any(map(admits_none, shape.options)))


def without_none(shape: Shape) -> Shape:
    """Give what is left of a shape when a value is there."""
    if not isinstance(shape, OneOf):
        return shape
    return one_of([option for option in shape.options if option != NONE])


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a structure, or an argument.

    Attributes:
        name: As on the wire.
        python: As in Python.
        required: Whether it is always there.
        doc: What it is, in words.
    """

    name: str
    python: str
    shape: Shape
    required: bool
    doc: str = ""


@dataclass(frozen=True, slots=True)
class Structure:
    """A map with known keys.

    Attributes:
        given: It is taken as (part of) an argument, not given as (part of) a result.
    """

    name: str
    parameters: tuple[str, ...]
    fields: tuple[Field, ...]
    given: bool
    doc: str


@dataclass(frozen=True, slots=True)
class Call:
    """A function that clients may call.

    Attributes:
        module: The module's name, the first half of the path.
        doc: Its docstring, cleaned.
    """

    path: str
    module: str
    name: str
    kind: Kind
    doc: str
    arguments: tuple[Field, ...]
    result: Shape


@dataclass(frozen=True, slots=True)
class Api:
    """All that clients may call, and what it takes and gives; everything sorted by name.

    Attributes:
        ids: The classes of tables whose ids appear, with the tables' names.
    """

    name: str
    calls: tuple[Call, ...]
    structures: tuple[Structure, ...]
    ids: tuple[tuple[str, str], ...]

    @property
    def modules(self) -> dict[str, list[Call]]:
        """The calls by module."""
        found: dict[str, list[Call]] = {}
        for call in self.calls:
            found.setdefault(call.module, []).append(call)
        return found
