"""Encrypted fields: clear to functions, sealed in documents.

A document holds the sealed value as a binary value of a subtype of its own, or a map of it, the token by which a searchable
field is found, and the arrays to which the value refers, so that nobody takes these for forgotten. It is bound to the table,
the id of the document, the field, and the token.
"""

from __future__ import annotations

import sys
import types
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC
from functools import cache
from typing import TYPE_CHECKING, Annotated, Any, Final, TypeVar, Union, get_args, get_origin

import bson
from bson import Binary
from bson.codec_options import CodecOptions, DatetimeConversion
from bson.errors import BSONError
from pydantic import (
    BaseModel,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    SerializerFunctionWrapHandler,
    ValidationError,
    ValidationInfo,
    ValidatorFunctionWrapHandler,
)
from pydantic.fields import FieldInfo
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from synovia.errors import FunctionError
from synovia.keys import encode_value
from synovia.schema.annotations import fields_of
from synovia.schema.files import FROM_RESULT
from synovia.schema.ids import FROM_DOCUMENT
from synovia.schema.specs import Document
from synovia.schema.values import Unstorable
from synovia.sealing.keyring import Keyring, Unopened, Unsealable, key_id_of, place_of
from synovia_protocol.messages import ArrayRef

T = TypeVar("T")

SEALED_SUBTYPE: Final = 0x81
"""Of the binary value that is a sealed one; nobody can write it but what seals."""
TOKEN: Final = "token"
SEALED: Final = "sealed"
ARRAYS: Final = "arrays"
UNREADABLE_FIELD: Final = "unreadable_field"

_TEXT, _BSON = b"\x01", b"\x02"
_CODEC: Final[CodecOptions[Document]] = CodecOptions(
    tz_aware=True, tzinfo=UTC, datetime_conversion=DatetimeConversion.DATETIME_AUTO
)


class UnreadableField(FunctionError):
    """An encrypted field was used whose value cannot be opened: its key is gone, or somebody has changed it.

    Attributes:
        reason: Why; callers are not told.
    """

    def __init__(self, table: str, field: str, reason: str) -> None:
        super().__init__(UNREADABLE_FIELD, f"{table}.{field} of a document that is needed for this cannot be opened")
        self.data = {"table": table, "field": field}
        self.reason = reason


class Sealed:
    """Stands in a row for a value that could not be opened.

    Attributes:
        stored: What the document holds.
    """

    __slots__ = ("field", "reason", "stored", "table")

    def __init__(self, table: str, field: str, reason: str, stored: Any = None) -> None:
        self.table = table
        self.field = field
        self.reason = reason
        self.stored = stored

    def __repr__(self) -> str:
        return f"<{self.table}.{self.field} cannot be opened: {self.reason}>"

    @property
    def error(self) -> UnreadableField:
        """What is raised when somebody uses it."""
        return UnreadableField(self.table, self.field, self.reason)


@dataclass(frozen=True, slots=True)
class EncryptedField:
    """Marks a field whose values are sealed in documents.

    Attributes:
        searchable: Equal values can be found, and seen to be equal.
        if_keys: Only where there are keys; the server's own tables have such fields.
    """

    searchable: bool = False
    if_keys: bool = False

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        inner = handler(source)
        return core_schema.with_info_wrap_validator_function(
            _validated,
            inner,
            serialization=core_schema.wrap_serializer_function_ser_schema(_dumped, schema=inner),
        )

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        told = handler(schema)
        return told if handler.mode == "validation" else {"anyOf": [told, {"type": "null"}]}


def _validated(value: Any, handler: ValidatorFunctionWrapHandler, info: ValidationInfo) -> Any:
    if type(value) is Sealed and info.context == FROM_DOCUMENT:
        return value
    try:
        return handler(value)
    except ValidationError as error:
        if value is None and info.context == FROM_RESULT:
            return Sealed("the result", str(info.field_name), "it could not be opened where it was read")
        fault = error.errors(include_url=False, include_input=False, include_context=False)[0]["type"]
    # The messages of validators may quote what they were given, and so may the exception that is left behind.
    raise PydanticCustomError("encrypted", "it does not fit this encrypted field ({fault})", {"fault": fault})


def _dumped(value: Any, handler: SerializerFunctionWrapHandler) -> Any:
    return None if type(value) is Sealed else handler(value)


Encrypted = Annotated[T, EncryptedField()]
"""A field whose values are sealed in documents: ``date_of_birth: Encrypted[str]``. Nothing can be asked of it in a query."""

EncryptedSearchable = Annotated[T, EncryptedField(searchable=True)]
"""The same, found by equality: whoever reads the database sees which documents have the same value, and not which it is."""


SealedIfKeys = Annotated[T, EncryptedField(if_keys=True)]
"""A field of the server's own tables that may hold anything: it is sealed where there are keys."""

if not TYPE_CHECKING and sys.version_info >= (3, 14):

    class _Marking:
        """``Annotated[T, marker]``, also of a name that is declared further down.

        Annotations are evaluated when they are looked at; typing takes a name that is not there yet for many types.
        """

        def __init__(self, generic: Any) -> None:
            self._markers = generic.__metadata__

        def __getitem__(self, kind: Any) -> Any:
            return Annotated[kind, *self._markers]

    Encrypted, EncryptedSearchable, SealedIfKeys = map(_Marking, (Encrypted, EncryptedSearchable, SealedIfKeys))


class ClearValue:
    """The attribute of an encrypted field: it gives the value, or raises ``UnreadableField``."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __get__(self, row: Any, owner: type) -> Any:
        if row is None:
            raise AttributeError(self._name)  # as for all other fields
        try:
            value = row.__dict__[self._name]
        except KeyError:
            raise AttributeError(self._name) from None
        if type(value) is Sealed:
            raise value.error
        return value

    def __set__(self, row: Any, value: Any) -> None:
        raise AttributeError(f"{self._name} cannot be set: rows do not change")


# --- which fields are ------------------------------------------------------------------------------------------------


def marker_of(info: FieldInfo) -> EncryptedField | None:
    """Tell how a field is encrypted; None: it is not. ``Encrypted[str] | None`` is, too."""
    for each in info.metadata:
        if isinstance(each, EncryptedField):
            return each
    is_union = get_origin(info.annotation) in (Union, types.UnionType)
    for part in get_args(info.annotation) if is_union else ():
        for each in getattr(part, "__metadata__", ()):
            if isinstance(each, EncryptedField):
                return each
    return None


def marked_inside(annotation: Any, *, _seen: frozenset[Any] = frozenset()) -> bool:
    """Tell whether something in an annotation is declared to be encrypted, in models too."""
    if get_origin(annotation) is Annotated and any(
        isinstance(each, EncryptedField) for each in annotation.__metadata__
    ):
        return True
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        if annotation in _seen or hasattr(annotation, "from_document"):  # ids name tables; no document holds a row
            return False
        seen = _seen | {annotation}
        fields = annotation.model_fields.values()
        return any(marker_of(info) is not None or marked_inside(info.annotation, _seen=seen) for info in fields)
    return any(marked_inside(part, _seen=_seen) for part in get_args(annotation))


@dataclass(frozen=True, slots=True)
class SealedField:
    """An encrypted field of a table.

    Attributes:
        table: The table's name.
        name: The field's name in Python.
        database: In the database.
    """

    table: str
    name: str
    database: str
    searchable: bool
    if_keys: bool

    @property
    def token_path(self) -> str:
        """Where documents have the token."""
        return f"{self.database}.{TOKEN}"

    def seal(self, value: Any, id_: Any, keyring: Keyring | None, before: Any = None) -> Any:
        """Give what a document holds of a value.

        Args:
            value: As BSON has it.
            id_: The ``_id`` of the document.
            before: What the document has held: it stays if it is the same, sealed by the newest key.

        Raises:
            UnreadableField: There are no keys.
            Unstorable: It could not be read again.
        """
        if keyring is None:
            if self.if_keys:
                return value
            raise UnreadableField(self.table, self.name, "there are no keys to seal with")
        plain = self._plain(value)
        if self._is_sealed_so(before, plain, id_, keyring):
            return before
        token = self._token(plain, keyring) if self.searchable else b""
        sealed = Binary(keyring.seal(plain, self._place(id_, token)), SEALED_SUBTYPE)
        more: Document = {TOKEN: token} if token else {}
        if arrays := list(_arrays(value)):
            more[ARRAYS] = arrays
        return {SEALED: sealed, **more} if more else sealed

    def _is_sealed_so(self, before: Any, plain: bytes, id_: Any, keyring: Keyring) -> bool:
        sealed = sealed_in(before)
        if sealed is None or key_id_or_none(sealed) != keyring.newest:
            return False
        token = self._token(plain, keyring) if self.searchable else b""
        if token != _token_in(before):
            return False
        try:
            return keyring.open(sealed, self._place(id_, token)) == plain
        except Unopened:
            return False

    def open(self, stored: Any, id_: Any, keyring: Keyring | None) -> Any:
        """Give the value of what a document holds; ``Sealed`` if it does not open."""
        sealed = sealed_in(stored)
        if sealed is None:
            return stored if self.if_keys else self._unopened("it is stored in the clear", stored, id_, keyring)
        if keyring is None:
            return Sealed(self.table, self.name, "there are no keys", stored)
        try:
            return _value(keyring.open(sealed, self._place(id_, _token_in(stored))))
        except (Unopened, BSONError) as error:
            return self._unopened(str(error), stored, id_, keyring)

    def opens_by_the_newest(self, stored: Any, id_: Any, keyring: Keyring) -> bool | None:
        """Tell whether a value that a key with the name of the newest has sealed opens; None: no such key has."""
        sealed = sealed_in(stored)
        if sealed is None or key_id_or_none(sealed) != keyring.newest:
            return None
        try:
            keyring.open(sealed, self._place(id_, _token_in(stored)))
        except Unopened:
            return False
        return True

    def token(self, value: Any, keyring: Keyring | None) -> bytes:
        """Make the token of a value, as BSON has it.

        Raises:
            UnreadableField: There is no key for it.
        """
        if keyring is None:
            raise UnreadableField(self.table, self.name, "there are no keys")
        return self._token(self._plain(value), keyring)

    def _token(self, plain: bytes, keyring: Keyring) -> bytes:
        try:
            return keyring.token(plain, place_of(self.table.encode(), self.database.encode()))
        except Unsealable as error:
            raise UnreadableField(self.table, self.name, str(error)) from None

    def _plain(self, value: Any) -> bytes:
        try:
            return _plain(value)
        except (BSONError, OverflowError, ValueError):  # their texts may quote it
            raise Unstorable(self.database, "it cannot be stored") from None

    def _place(self, id_: Any, token: bytes) -> bytes:
        return place_of(self.table.encode(), encode_value(id_), self.database.encode(), token)

    def _unopened(self, reason: str, stored: Any, id_: Any, keyring: Keyring | None) -> Sealed:
        if keyring is not None:
            keyring.tell(f"{self.table}.{self.name} of {id_} cannot be opened", reason)
        return Sealed(self.table, self.name, reason, stored)


@cache
def sealed_fields(table: Any) -> Mapping[str, SealedField]:
    """Give the encrypted fields of a table by their names in Python."""
    found = {}
    for name, info in fields_of(table).items():
        marker = marker_of(info)
        if marker is not None:
            database = info.serialization_alias or info.alias or name
            found[name] = SealedField(table.spec.name, name, database, marker.searchable, marker.if_keys)
    return found


# --- documents -------------------------------------------------------------------------------------------------------


def opened_document(fields: Mapping[str, SealedField], document: Document, keyring: Keyring | None) -> Document:
    """Give a document with its encrypted fields open; it stays itself if it has none."""
    some = [field for field in fields.values() if document.get(field.database) is not None]
    if not some:
        return document
    document, id_ = dict(document), document.get("_id")
    for field in some:
        document[field.database] = field.open(document[field.database], id_, keyring)
    return document


def sealed_in(stored: Any) -> Binary | None:
    """Give the sealed value in what a document holds in a field; None if there is none."""
    if isinstance(stored, dict):
        stored = stored.get(SEALED)
    return stored if isinstance(stored, Binary) and stored.subtype == SEALED_SUBTYPE else None


def key_id_or_none(sealed: bytes) -> str | None:
    """Tell the id of the key that has sealed a value; None if it is none."""
    try:
        return key_id_of(sealed)
    except Unopened:
        return None


def _token_in(stored: Any) -> bytes:
    token = stored.get(TOKEN) if isinstance(stored, dict) else None
    return bytes(token) if isinstance(token, bytes) else b""


def _plain(value: Any) -> bytes:
    if type(value) is str:
        return _TEXT + value.encode(errors="strict")
    return _BSON + bson.encode({"": value})


def _value(plain: bytes) -> Any:
    if plain[:1] == _TEXT:
        return plain[1:].decode()
    return bson.decode(plain[1:], _CODEC)[""]


def _arrays(value: Any) -> Iterator[Document]:
    """Find the references to arrays, so that they can be seen beside what is sealed."""
    if isinstance(value, ArrayRef):
        yield {"digest": value.digest, "dtype": value.dtype, "shape": list(value.shape)}
    elif isinstance(value, dict):
        if {"digest", "dtype", "shape"} <= value.keys() and isinstance(value["digest"], bytes):
            yield {name: value[name] for name in ("digest", "dtype", "shape")}
        else:
            for item in value.values():
                yield from _arrays(item)
    elif isinstance(value, list):
        for item in value:
            yield from _arrays(item)
