"""What generated clients are written from: the calls of an application and the shapes of what they take and give."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

from synovia.functions.function import Kind

ScalarName = Literal[
    "none", "bool", "int", "int64", "bigint", "float", "str", "bytes", "datetime", "file", "upload", "any"
]


@dataclass(frozen=True, slots=True)
class Scalar:
    """A value without parts; ``int64`` is an integer that is declared to go beyond 2^53, ``bigint`` one that is an Int64 to
    clients of Convex."""

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
        nullable: It is sent to clients of Convex as null where it is left out for others.
    """

    name: str
    python: str
    shape: Shape
    required: bool
    doc: str = ""
    nullable: bool = False


@dataclass(frozen=True, slots=True)
class Structure:
    """A map with known keys.

    Attributes:
        given: It is taken as (part of) an argument, not given as (part of) a result.
        table: The table whose rows have it; empty: it is no row.
        of_convex: What npm ``convex`` calls it; empty: it knows nothing of it.
    """

    name: str
    parameters: tuple[str, ...]
    fields: tuple[Field, ...]
    given: bool
    doc: str
    table: str = ""
    of_convex: str = ""


@dataclass(frozen=True, slots=True)
class Call:
    """A function that clients may call.

    Attributes:
        module: The path of its module, the first half of its own.
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
class Module:
    """A module of an application as clients have it.

    Attributes:
        path: As in the paths of its functions; empty for the application itself.
        calls: What can be called there.
        inside: The modules in the folder of its name, by their own names.
    """

    path: str
    calls: list[Call] = field(default_factory=list)
    inside: dict[str, Module] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The last part of the path."""
        return self.path.rpartition("/")[2]

    def child(self, name: str) -> Module:
        """Give the module of this name in it, a new one if there is none yet."""
        return self.inside.setdefault(name, Module(f"{self.path}/{name}" if self.path else name))

    def walk(self) -> Iterator[Module]:
        """List it and all modules below."""
        yield self
        for module in self.inside.values():
            yield from module.walk()


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
    def root(self) -> Module:
        """All modules, those in folders inside the folder's."""
        root = Module("")
        for call in self.calls:
            module = root
            for name in call.module.split("/"):
                module = module.child(name)
            module.calls.append(call)
        return root
