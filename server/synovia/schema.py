"""Tables as pydantic models: typed ids, indexes, array fields, and the way between models and documents.

Field names are snake_case in Python and camelCase in the database and on the wire. A field that may be None has None as its
default and is left out of the document while it is None.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any, ClassVar, Generic, Self, TypeVar, cast, get_args, get_origin

from bson import ObjectId
from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    PlainSerializer,
    ValidationInfo,
)
from pydantic.alias_generators import to_camel
from pydantic_core import CoreSchema, core_schema

from synovia.store.base import Document, IndexSpec, TableSpec
from synovia_protocol.messages import ArrayRef

T = TypeVar("T")

_OBJECT_ID = re.compile(r"[0-9a-f]{24}\Z")
_MAX_ID_LENGTH = 256


class SchemaError(TypeError):
    """A table or model is declared in a way that cannot work; raised at import."""


class Id(str, Generic[T]):
    """The id of a document of table ``T``: 24 hexadecimal digits for an ObjectId, else the string that ``_id`` is."""

    __slots__ = ()

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(
            cls._validate, serialization=core_schema.plain_serializer_function_ser_schema(_itself)
        )

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return {"type": "string", "minLength": 1, "maxLength": _MAX_ID_LENGTH}

    @classmethod
    def _validate(cls, value: Any) -> Id[Any]:
        if isinstance(value, ObjectId):
            return cls(str(value))
        if not isinstance(value, str):
            raise ValueError("an id is a string")
        if not 0 < len(value) <= _MAX_ID_LENGTH:
            raise ValueError(f"an id has 1 to {_MAX_ID_LENGTH} characters")
        return value if type(value) is cls else cls(value)


def _itself(value: Any) -> Any:
    return value


def id_to_bson(id_: str) -> ObjectId | str:
    """Turn an id into what ``_id`` holds in the database."""
    return ObjectId(id_) if _OBJECT_ID.match(id_) else str(id_)


_DOCUMENT = "document"
"""The validation context of what the database holds. From a client, a map that looks like a stored reference is no
reference: which arrays a client may name is checked on references alone."""


def _array_from_document(value: Any, info: ValidationInfo) -> Any:
    match value:
        case {"digest": bytes(digest), "dtype": str(dtype), "shape": [*shape]} if info.context == _DOCUMENT:
            return ArrayRef(bytes(digest), dtype, tuple(shape))
    if not isinstance(value, ArrayRef):
        raise ValueError("an array reference is needed here (clients send an array, functions use ctx.arrays.write)")
    return value


def _float64(value: Any, info: ValidationInfo) -> ArrayRef:
    ref = _array_from_document(value, info)
    if ref.dtype != "float64":
        raise ValueError(f"a float64 array is needed here, this one is {ref.dtype}")
    return ref  # type: ignore[no-any-return]


@dataclass(frozen=True, slots=True)
class ArrayField:
    """Marks a field that refers to an array; ``dtype`` is None for any."""

    dtype: str | None = None

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.is_instance_schema(ArrayRef)


Array = Annotated[ArrayRef, ArrayField(), BeforeValidator(_array_from_document), PlainSerializer(_itself)]
"""A field that refers to an array of any dtype and shape."""

Float64Array = Annotated[ArrayRef, ArrayField("float64"), BeforeValidator(_float64), PlainSerializer(_itself)]
"""A field that refers to an array of float64; samples live apart from the document."""


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
        for name, info in cls.model_fields.items():
            if info.is_required() and _allows_none(info.annotation):
                raise SchemaError(f"{cls.__name__}.{name} may be None, so it needs the default None")


def _allows_none(annotation: Any) -> bool:
    return type(None) in getattr(annotation, "__args__", ())


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

    @property
    def spec(self) -> IndexSpec:
        return IndexSpec(self.name, tuple(map(database_name, self.fields)), self.unique)


def database_name(python_name: str) -> str:
    """Turn a Python field name (``contacts.user_id``) into the database's (``contacts.userId``)."""
    return ".".join("_id" if part == "id" else to_camel(part) for part in python_name.split("."))


class Table(Model):
    """A table: a model whose instances are documents.

    Class arguments:
        name: The collection's name; by default the class name in camelCase with an ``s``.
        indexes: Its indexes. ``by_id`` exists always.
        system: Synovia itself keeps it, under a name that begins with an underscore; functions only read it.
    """

    id: Id[Self] = Field(default=Id(""), alias="_id")

    spec: ClassVar[TableSpec]

    def __init_subclass__(
        cls, name: str | None = None, indexes: Sequence[Index] = (), system: bool = False, **kwargs: Any
    ) -> None:
        # Declared so that type checkers know the class arguments; pydantic hands them to the method below.
        super().__init_subclass__(**kwargs)

    @classmethod
    def __pydantic_init_subclass__(
        cls, name: str | None = None, indexes: Sequence[Index] = (), system: bool = False, **kwargs: Any
    ) -> None:
        super().__pydantic_init_subclass__(**kwargs)
        table = name or cls.__name__[0].lower() + cls.__name__[1:] + "s"
        ours = system and cls.__module__.partition(".")[0] == "synovia"
        if table.startswith("_") != ours or system != ours:
            raise SchemaError(f"table {table!r}: names that begin with an underscore are Synovia's own")
        for index in indexes:
            _check_index(cls, index)
        cls.spec = TableSpec(table, tuple(index.spec for index in indexes))

    @classmethod
    def from_document(cls, document: Document) -> Self:
        """Read a document of this table.

        Raises:
            pydantic.ValidationError: The document does not fit the table; another program may have written it.
        """
        return cls.model_validate(document, strict=False, context=_DOCUMENT)

    def to_document(self) -> Document:
        """Give the document of this row, ``_id`` first."""
        document: Document = to_bson(self.model_dump(by_alias=True, exclude_none=True))
        return document


def _check_index(table: type[Table], index: Index) -> None:
    if index.name == "by_id":
        raise SchemaError(f"{table.__name__}: by_id exists always and cannot be declared")
    for field in index.fields:
        if field.split(".")[0] not in table.model_fields:
            raise SchemaError(f"{table.__name__} has no field {field!r}, which index {index.name!r} names")


@cache
def _holds_id(table: type[BaseModel], path: str) -> bool:
    """Tell whether a field (dots reach into embedded models) holds ids, directly or in a list."""
    first, _, rest = path.partition(".")
    if first in ("id", "_id") and not rest:
        return True
    info = table.model_fields.get(first)
    types = [] if info is None else list(_leaf_types(info.annotation))
    if rest:
        return any(isinstance(t, type) and issubclass(t, BaseModel) and _holds_id(t, rest) for t in types)
    return any(isinstance(t, type) and issubclass(t, Id) for t in types)


def _leaf_types(annotation: Any) -> Iterator[Any]:
    origin = get_origin(annotation)
    if origin is None or origin is Id:
        yield origin or annotation
        return
    for argument in get_args(annotation):
        yield from _leaf_types(argument)


def bson_of_field(table: type[Table], field: str, value: Any) -> Any:
    """Turn a value that a field is compared with into the database's; a plain string will do where the field holds ids."""
    if isinstance(value, str) and _holds_id(table, field):
        return id_to_bson(value)
    return to_bson(value)


def to_bson(value: Any) -> Any:
    """Turn a value of the Python side (ids, array references, models) into what the database holds."""
    if isinstance(value, Id):
        return id_to_bson(value)
    if isinstance(value, ArrayRef):
        return {"digest": value.digest, "dtype": value.dtype, "shape": list(value.shape)}
    if isinstance(value, BaseModel):
        return to_bson(value.model_dump(by_alias=True, exclude_none=True))
    if isinstance(value, Mapping):
        return {key: to_bson(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [to_bson(item) for item in value]
    return value
