"""From documents to what models can be validated from, and single fields brought to their types."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any

from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic_core import InitErrorDetails, PydanticCustomError

from synovia.schema.annotations import allows_none, alternatives, fields_of, is_untyped, strict_adapter
from synovia.schema.faults import no_such_field, plain
from synovia.schema.ids import Id
from synovia.schema.specs import Document
from synovia.schema.unknown_fields import unknown_in
from synovia.schema.untyped import Untyped, untyped_fields
from synovia.schema.values import readable


@dataclass(frozen=True, slots=True)
class Reading:
    """What is to be done with a document of a table before it is validated.

    Attributes:
        untyped: The fields in which anything may stand.
        never_none: Those for which null counts as missing, as it does for indexes.
    """

    untyped: Untyped
    never_none: frozenset[str]


@cache
def reading_of(table: type[BaseModel]) -> Reading:
    """Tell how the documents of a table are read."""
    table.model_rebuild()
    never_none = (
        info.alias or name
        for name, info in table.model_fields.items()
        if not allows_none(info.annotation) and not any(map(is_untyped, alternatives(info.annotation)))
    )
    return Reading(untyped_fields(table), frozenset(never_none) - {"_id"})


def readable_document(table: type[BaseModel], document: Document) -> Document:
    """Give a document with what its fields can be read from; it stays itself if there is nothing to do."""
    reading = reading_of(table)
    if None in document.values():
        lacking = {name for name, value in document.items() if value is None and name in reading.never_none}
        document = {name: value for name, value in document.items() if name not in lacking}
    if reading.untyped.fields and (found := [name for name in reading.untyped.fields if name in document]):
        document = dict(document)
        for name in found:
            place = reading.untyped.fields[name]
            document[name] = readable(document[name], place, whole=place.whole)
    return document


@cache
def _adapter(model: type[BaseModel], name: str) -> TypeAdapter[Any]:
    info = fields_of(model)[name]
    is_id = name == "id" and info.alias == "_id"
    annotation: Any = Id[model] if is_id else info.annotation  # type: ignore[valid-type]
    return strict_adapter(Annotated[(annotation, *info.metadata)] if info.metadata else annotation)


def field_value(model: type[BaseModel], name: str, value: Any) -> Any:
    """Bring a value to the type of a field, as the model itself would.

    Raises:
        ValidationError: It may not hold that.
    """
    try:
        found = _adapter(model, name).validate_python(value)
    except ValidationError as error:
        raise ValidationError.from_exception_data(model.__name__, _within(name, error), hide_input=True) from None
    if unknown := [*unknown_in(model, name, value)]:
        raise ValidationError.from_exception_data(model.__name__, [_none_of(*each) for each in unknown])
    return found


def _none_of(path: tuple[str | int, ...], known: Iterable[str]) -> InitErrorDetails:
    text = {"text": no_such_field(path, known)}
    return InitErrorDetails(type=PydanticCustomError("field", "{text}", text), loc=path, input=None)


def _within(name: str, error: ValidationError) -> list[InitErrorDetails]:
    """Say of faults in a value that they are in a field."""
    return [
        InitErrorDetails(
            type=PydanticCustomError("field", "{text}", {"text": plain(each["msg"])}),
            loc=(name, *each["loc"]),
            input=each["input"],
        )
        for each in error.errors(include_url=False, include_context=False)
    ]
