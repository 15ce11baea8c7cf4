"""What annotations say of values beyond what the values say themselves: which ints are bigints, what is sent as null."""

from __future__ import annotations

import types
from collections.abc import Iterator
from datetime import datetime
from typing import Annotated, Any, NewType, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel

from synovia.functions.pages import Page
from synovia.schema import Table
from synovia.schema.annotations import element_of, fields_of, value_of
from synovia.schema.convex_types import INT64, NULL, RAW, ConvexMark


class Shape:
    """The places of one annotation at which a value needs more than itself to be told to a Convex client.

    Attributes:
        raw: Here stands any Convex value, and so everywhere inside.
        int64: An int that stands here is a bigint.
        datetime: A number that stands here is meant as a time.
        row: Here stands a row of a table, which has ``_creationTime``.
        page: Here stands a ``Page``.
        each: In each element of the list, or each value of the map, that stands here.
        fields: In the fields of the structure that stands here, by their names on the wire.
        nulls: The fields that are sent as null while they are not there.
        required: The fields that are always there.
        choices: If several structures may stand here, each of them.
    """

    __slots__ = ("choices", "datetime", "each", "fields", "int64", "nulls", "page", "raw", "required", "row")

    def __init__(self) -> None:
        self.raw = self.int64 = self.datetime = self.row = self.page = False
        self.each: Shape | None = None
        self.fields: dict[str, Shape] = {}
        self.nulls: list[str] = []
        self.required: list[str] = []
        self.choices: list[Shape] = []

    @property
    def matters(self) -> bool:
        """Whether it says anything of what stands right here."""
        return self.raw or self.int64 or self.datetime or self.row or self.page or bool(self.nulls)

    @property
    def inside(self) -> list[Shape]:
        """The shapes of what is inside."""
        return [*self.fields.values(), *self.choices, *([] if self.each is None else [self.each])]

    def chosen(self, value: dict[str, Any]) -> Shape:
        """Tell which of the structures that may stand here this is."""
        for choice in self.choices:
            if all(name in value for name in choice.required) and all(name in choice.fields for name in value):
                return choice
        return self


ANYTHING = Shape()
ANYTHING.raw = True


def shape_of(annotation: Any) -> Shape | None:
    """Give the shape of an annotation; None if values say all there is."""
    shape = _of(annotation, {})
    return shape if _says_anything(shape) else None


def shape_of_fields(model: type[BaseModel]) -> Shape | None:
    """Give the shape of a model, as of the arguments of a function."""
    shape = _of_model(model, {})
    return shape if _says_anything(shape) else None


def _says_anything(shape: Shape) -> bool:
    seen: set[int] = set()
    waiting = [shape]
    while waiting:
        each = waiting.pop()
        if each.matters:
            return True
        if id(each) not in seen:
            seen.add(id(each))
            waiting += each.inside
    return False


_Known = dict[type[BaseModel], Shape]


def _of(annotation: Any, known: _Known) -> Shape:
    kinds = list(_alternatives(annotation))
    found = [_of_alternative(kind, marks, known) for kind, marks in kinds]
    if len(found) == 1:
        return found[0]
    structures = [each for each in found if each.fields]
    shape = Shape()
    if len(structures) == 1:
        only = structures[0]
        shape.fields, shape.nulls, shape.required = only.fields, only.nulls, only.required
        shape.row, shape.page = only.row, only.page
    shape.choices = structures if len(structures) > 1 else []
    shape.raw = any(each.raw for each in found)
    shape.int64 = any(each.int64 for each in found)
    shape.datetime = any(each.datetime for each in found) and not any(kind in (int, float, Any) for kind, _ in kinds)
    shape.each = next((each.each for each in found if each.each is not None), None)
    return shape


def _of_alternative(kind: Any, marks: frozenset[ConvexMark], known: _Known) -> Shape:
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return _of_model(kind, known)
    shape = Shape()
    shape.raw, shape.int64 = RAW in marks, INT64 in marks
    shape.datetime = kind is datetime
    inside = element_of(kind) or value_of(kind)
    if inside is not None:
        shape.each = _of(inside, known)
    return shape


def _of_model(model: type[BaseModel], known: _Known) -> Shape:
    if model not in known:
        shape = known[model] = Shape()
        shape.row, shape.page = issubclass(model, Table), issubclass(model, Page)
        for name, info in fields_of(model).items():
            wire = info.serialization_alias or info.alias or name
            annotation = info.rebuild_annotation()
            shape.fields[wire] = _of(annotation, known)
            if any(NULL in marks for _, marks in _alternatives(annotation)):
                shape.nulls.append(wire)
            if info.is_required():
                shape.required.append(wire)
    return known[model]


def _alternatives(
    annotation: Any, marks: frozenset[ConvexMark] = frozenset()
) -> Iterator[tuple[Any, frozenset[ConvexMark]]]:
    """Give what a value may be, with the marks of each: unions taken apart, names of types opened."""
    origin = get_origin(annotation)
    if origin is Annotated:
        inner, *metadata = get_args(annotation)
        yield from _alternatives(inner, marks | {each for each in metadata if isinstance(each, ConvexMark)})
    elif origin in (Union, types.UnionType):
        for each in get_args(annotation):
            yield from _alternatives(each, marks)
    elif isinstance(annotation, NewType):
        yield from _alternatives(annotation.__supertype__, marks)
    elif isinstance(annotation, TypeVar):
        yield from _alternatives(annotation.__bound__ or Any, marks)
    elif hasattr(annotation, "__value__"):  # type Name = ...
        yield from _alternatives(annotation.__value__, marks)
    else:
        yield annotation, marks
