"""Tables as pydantic models, with their indexes, and the way between models and documents.

Field names are snake_case in Python and camelCase in the database and on the wire. A field that may be None has None as its
default and is left out of the document while it is None.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar, Self, cast

from bson import ObjectId
from pydantic import BaseModel, ConfigDict, Field, GetCoreSchemaHandler, ValidationError
from pydantic.alias_generators import to_camel
from pydantic_core import CoreSchema, core_schema

from synovia.errors import SchemaError
from synovia.keys import IndexSpec, encode_value
from synovia.schema.annotations import allows_none
from synovia.schema.faults import refusal
from synovia.schema.fields import levels_of
from synovia.schema.ids import FROM_DOCUMENT, Id, time_of_id
from synovia.schema.reading import field_value, readable_document, reading_of
from synovia.schema.refused_tables import check_fields, check_indexes, check_name
from synovia.schema.specs import CREATION_TIME, Document, TableSpec
from synovia.schema.values import to_bson
from synovia.schema.wire_names import clash_of

_CREATION_TIME = "creation_time"
_END_OF_TIME = 1e15


class Model(BaseModel):
    """A structure inside documents, arguments or results. It does not change: ``model_copy(update=...)`` gives another.

    Values that come from a client are taken strictly (no ``"5"`` for 5); documents are read leniently, because other
    programs write them too (mongosh stores 5e9 as a double).
    """

    model_config = ConfigDict(
        alias_generator=to_camel,
        validate_by_name=True,
        validate_by_alias=True,
        strict=True,
        extra="ignore",
        frozen=True,
    )

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        schema = handler(source)
        target = handler.resolve_ref_schema(schema)
        if target["type"] == "model":
            # Strict fields, but the model itself may come as a map: pydantic's strict mode would insist on an instance.
            cast(core_schema.ModelSchema, target)["strict"] = False
        return schema

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        super().__pydantic_init_subclass__(**kwargs)
        check_fields(cls)
        clash = clash_of(cls)
        if clash is not None:
            raise SchemaError(f"{cls.__name__}: the fields {clash}")
        for name, info in cls.model_fields.items():
            if info.is_required() and allows_none(info.annotation):
                raise SchemaError(f"{cls.__name__}.{name} may be None, so it needs the default None")

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """Make a copy, with some fields changed: by their Python names, to what these may hold.

        Raises:
            ValidationError: A field cannot hold what it is given.
        """
        copy = super().model_copy(deep=deep)
        for name, value in (update or {}).items():
            if name not in type(self).model_fields:
                raise TypeError(f"{type(self).__name__} has no field {name!r}")
            copy.__dict__[name] = field_value(type(self), name, value)
            copy.__pydantic_fields_set__.add(name)
        return copy


@dataclass(frozen=True, slots=True)
class Index:
    """An index of a table, over Python field names in order; dots reach into embedded models (``contacts.user_id``)."""

    name: str
    fields: tuple[str, ...]
    unique: bool

    def __init__(self, name: str, *fields: str, unique: bool = False) -> None:
        if not fields:
            raise SchemaError(f"index {name!r} has no fields")
        object.__setattr__(self, "name", name)
        object.__setattr__(self, "fields", fields)
        object.__setattr__(self, "unique", unique)

    def spec_for(self, table: type[Table]) -> IndexSpec:
        """Describe the index to a database."""
        defaults = tuple(_encoded_defaults(table, field) for field in self.fields)
        some = any(default is not None for each in defaults for default in each)
        return IndexSpec(self.name, tuple(map(database_name, self.fields)), self.unique, defaults if some else ())


def database_name(python_name: str) -> str:
    """Turn a Python field name (``contacts.user_id``) into the database's (``contacts.userId``)."""
    if python_name == _CREATION_TIME:
        return CREATION_TIME
    return ".".join("_id" if part == "id" else to_camel(part) for part in python_name.split("."))


class Table(Model):
    """A table: a model whose instances are documents.

    Class arguments:
        name: The collection's name; by default the class name in camelCase with an ``s``.
        indexes: Its indexes. ``by_id`` exists always.
        text_ids: Its documents may have any text as id, also one with spaces; without this such a text is no id.
        system: Synovia itself keeps it, under a name that begins with an underscore; functions only read it.
    """

    id: Id[Self] = Field(default=Id(""), alias="_id")

    spec: ClassVar[TableSpec]
    text_ids: ClassVar[bool]

    def __init_subclass__(
        cls,
        name: str | None = None,
        indexes: Sequence[Index] = (),
        system: bool = False,
        text_ids: bool = False,
        **kwargs: Any,
    ) -> None:
        # Declared so that type checkers know the class arguments; pydantic hands them to the method below.
        super().__init_subclass__(**kwargs)

    @classmethod
    def __pydantic_init_subclass__(
        cls,
        name: str | None = None,
        indexes: Sequence[Index] = (),
        system: bool = False,
        text_ids: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__pydantic_init_subclass__(**kwargs)
        table = name or cls.__name__[0].lower() + cls.__name__[1:] + "s"
        ours = system and cls.__module__.partition(".")[0] == "synovia"
        if table.startswith("_") != ours or system != ours:
            raise SchemaError(f"table {table!r}: names that begin with an underscore are Synovia's own")
        for field, info in cls.model_fields.items():
            if allows_none(info.annotation) and info.default is not None:
                raise SchemaError(
                    f"{cls.__name__}.{field} may be None, so its default has to be None: it is stored as nothing"
                )
        check_fields(cls, {"spec", "text_ids", "id", *vars(Table)})
        check_name(table)
        for index in indexes:
            _check_index(cls, index)
        check_indexes(cls, indexes)
        cls.spec = TableSpec(table, tuple(index.spec_for(cls) for index in indexes))
        cls.text_ids = text_ids

    if not TYPE_CHECKING:

        def __init__(self, /, **fields: Any) -> None:
            """Make a row that may be inserted.

            Raises:
                InvalidArguments: A field is missing, or cannot hold what it is given.
            """
            try:
                super().__init__(**fields)
            except ValidationError as error:
                raise refusal(self.spec.name, error, type(self)) from error

        __init__.__pydantic_base_init__ = True  # it is no other way of making a row: documents are read without it

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """Make a copy, with some fields changed: by their Python names, to what these may hold.

        Raises:
            InvalidArguments: A field cannot hold what it is given.
        """
        try:
            return super().model_copy(update=update, deep=deep)
        except ValidationError as error:
            raise refusal(self.spec.name, error, type(self)) from error

    @classmethod
    def from_document(cls, document: Document) -> Self:
        """Read a document of this table.

        Raises:
            pydantic.ValidationError: The document does not fit the table; another program may have written it.
        """
        row = cls.model_validate(readable_document(cls, document), strict=False, context=FROM_DOCUMENT)
        row.id.of(cls)
        if CREATION_TIME in document:
            row.note_creation_time(document[CREATION_TIME])
        return row

    def to_document(self, only: Iterable[str] | None = None) -> Document:
        """Give the document of this row, ``_id`` first.

        Args:
            only: The Python names of the fields that are wanted; None: all.

        Raises:
            Unstorable: It holds something that could not be read again.
        """
        untyped = reading_of(type(self)).untyped
        document: Document = to_bson(
            self.model_dump(by_alias=True, exclude_none=True, include=None if only is None else set(only)), untyped
        )
        if only is None and CREATION_TIME in self.__dict__:
            document[CREATION_TIME] = self.__dict__[CREATION_TIME]
        return document

    @property
    def creation_time(self) -> int:
        """When the document was made, in milliseconds since 1970 (UTC).

        It is read off the id, unless the document says it itself, because it came from elsewhere. 0: nobody knows, of a
        document that another program has inserted under an id without a time.
        """
        stored = self.__dict__.get(CREATION_TIME)
        return int(stored) if stored is not None else time_of_id(self.id) or 0

    def note_creation_time(self, time: Any) -> None:
        """Keep what the document itself says of its creation; what is no time is passed over."""
        if isinstance(time, datetime):
            time = time.timestamp() * 1000
        if isinstance(time, int | float) and 0 <= time < _END_OF_TIME:
            self.__dict__[CREATION_TIME] = time  # beside the fields: it is not sent to clients


def _encoded_defaults(table: type[Table], field: str) -> tuple[bytes | None, ...]:
    """Give, for each name on the way to a field, what an index counts a document with that lacks it, if it is a scalar."""
    levels = levels_of(table, field)
    found = []
    for level in levels:
        value = level.default
        for name in levels[-1].name[len(level.name) + 1 :].split(".") if level is not levels[-1] else ():
            value = value.get(name) if isinstance(value, dict) else None
        scalar = isinstance(value, str | int | float | bytes | datetime | ObjectId)
        found.append(encode_value(value) if scalar else None)
    return tuple(found) or (None,) * len(field.split("."))


def _check_index(table: type[Table], index: Index) -> None:
    if index.name == "by_id":
        raise SchemaError(f"{table.__name__}: by_id exists always and cannot be declared")
    for field in index.fields:
        if field != _CREATION_TIME and field.split(".")[0] not in table.model_fields:
            raise SchemaError(f"{table.__name__} has no field {field!r}, which index {index.name!r} names")
