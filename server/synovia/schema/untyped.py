"""Where in a field anything may stand: in the fields of type ``Any``, deep inside models and lists too."""

from __future__ import annotations

from typing import Any, Final

from pydantic import BaseModel

from synovia.schema.annotations import alternatives, element_of, fields_of, is_untyped, value_of


class Untyped:
    """The places of one annotation at which values have no type.

    Attributes:
        whole: Here, and so everywhere inside.
        each: In each element of the list, or each value of the map, that stands here.
        fields: In the fields of the structure that stands here, by their names in the database.
    """

    __slots__ = ("each", "fields", "whole")

    def __init__(self) -> None:
        self.whole = False
        self.each: Untyped | None = None
        self.fields: dict[str, Untyped] = {}

    def is_empty(self) -> bool:
        """Tell whether there is no such place."""
        seen: set[int] = set()
        waiting = [self]
        while waiting:
            place = waiting.pop()
            if place.whole:
                return False
            if id(place) not in seen:
                seen.add(id(place))
                waiting += [*place.fields.values(), *([] if place.each is None else [place.each])]
        return True


def _anything() -> Untyped:
    place = Untyped()
    place.whole = True
    return place


ANYTHING: Final = _anything()
"""Of a value that has no type at all."""


def untyped_fields(model: type[BaseModel]) -> Untyped:
    """Give the fields of a model in which anything may stand somewhere, by their names in the database."""
    found = Untyped()
    found.fields = {name: place for name, place in _of_model(model, {}).fields.items() if not place.is_empty()}
    return found


def untyped_in(annotation: Any) -> Untyped:
    """Give the places of an annotation at which values have no type."""
    return _of(annotation, {})


def _of(annotation: Any, known: dict[type[BaseModel], Untyped]) -> Untyped:
    found = [_of_alternative(kind, known) for kind in alternatives(annotation)]
    if len(found) == 1:
        return found[0]
    both = Untyped()
    for each in found:
        both.whole |= each.whole
        both.each = both.each or each.each
        both.fields |= {name: place for name, place in each.fields.items() if name not in both.fields or place.whole}
    return both


def _of_alternative(kind: Any, known: dict[type[BaseModel], Untyped]) -> Untyped:
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return _of_model(kind, known)
    place = Untyped()
    place.whole = is_untyped(kind)
    inside = element_of(kind) or value_of(kind)
    if inside is not None:
        place.each = _of(inside, known)
    return place


def _of_model(model: type[BaseModel], known: dict[type[BaseModel], Untyped]) -> Untyped:
    if model not in known:
        place = known[model] = Untyped()
        for name, info in fields_of(model).items():
            place.fields[info.serialization_alias or info.alias or name] = _of(info.annotation, known)
    return known[model]
