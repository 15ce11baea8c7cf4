"""What a function gives to ``ctx.db``: tables, rows, ids and changes, brought to their types or refused."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any, TypeVar

import bson
from bson.errors import InvalidDocument
from pydantic import BaseModel, ValidationError

from synovia.errors import FunctionError, InvalidArguments
from synovia.schema import Document, Id, Table, Unstorable, field_of, field_value, id_to_bson, refusal, to_bson
from synovia.schema.encrypted import SealedField, sealed_fields
from synovia.schema.faults import no_such_fields
from synovia.schema.plain import plain_fields
from synovia.sealing.keyring import Keyring
from synovia_protocol.references import array_references

T = TypeVar("T", bound=Table)
MAX_DOCUMENT_BYTES = 16 * 1024 * 1024 - 16 * 1024  # MongoDB's limit, less room for what Synovia adds around it


def checked_table(table: Any) -> Any:
    """Refuse what is no table, as the name of one."""
    if isinstance(table, type) and issubclass(table, Table) and table is not Table:
        return table
    raise TypeError(
        f"a table is named by its class, as ctx.db.query(User) or ctx.db.get(User, id), not by {table!r:.80}"
    )


def checked_row(row: Any, told: str = "a row is an instance of its table, as ctx.db.insert(User(name=...))") -> Any:
    """Refuse what is no row, as a map."""
    if isinstance(row, Table):
        return row
    raise TypeError(f"{told}, not {row!r:.80}")


MOST = 2**31 - 1
"""Nobody has more documents than these in one answer."""


def checked_count(n: Any, what: str) -> int:
    """Give how many documents are asked for, at most ``MOST``; the number may be a client's.

    Raises:
        InvalidArguments: It is less than 0.
        TypeError: It is no whole number.
    """
    if not isinstance(n, int) or isinstance(n, bool):
        raise TypeError(f"{what} takes a whole number, not {n!r:.80}")
    if n < 0:
        raise InvalidArguments(f"{what} takes a number that is not negative, not {n}")
    return min(n, MOST)


def ids_in(row: Any, field: str) -> list[Any]:
    """Give the ids that a field of a row holds.

    Raises:
        TypeError: It is no row, has no such field, or that holds no ids.
    """
    checked_row(row, "ctx.db.load takes rows, as ctx.db.query(...) gives them")
    name = type(row).__name__
    if field not in type(row).model_fields:
        raise TypeError(f"ctx.db.load: {name} has no field {field!r}")
    value = getattr(row, field)
    ids = value if isinstance(value, list) else [] if value is None else [value]
    if not all(isinstance(each, Id) for each in ids):
        raise TypeError(f"ctx.db.load: {name}.{field} holds no ids of a table, but {value!r:.80}")
    return ids


def table_of(id_: Any, verb: str) -> Any:
    """Tell the table that an id knows.

    Args:
        id_: As it was given.
        verb: What is to be done with the document.

    Raises:
        TypeError: It knows none; the message says what to write.
    """
    table = getattr(id_, "_table", None) if isinstance(id_, Id) else None
    if table is not None:
        return table
    by_hand = (
        f"ctx.db.{verb}(User, id)"
        if verb in ("get", "get_one")
        else f"row = await ctx.db.get(User, id), then ctx.db.{verb}(row)"
    )
    raise TypeError(f"{id_!r:.80} does not know its table: write {by_hand}, or Id[User](id)")


def key_of(table: type[Table], id_: Any) -> Any:
    """Give the key of a document in the database.

    Raises:
        InvalidArguments: It is known to be another table's, or is no text.
    """
    known = getattr(id_, "_table", None) if isinstance(id_, Id) else None
    if known is table:
        return id_to_bson(id_)
    if not isinstance(id_, str) or (known is not None and known.spec.name != table.spec.name):
        return field_of(table, "id").equal(id_)  # which says what is wrong
    return id_to_bson(id_)


class Given(dict[str, Any]):
    """New values of some fields of a table, by their Python names.

    Attributes:
        are_plain: They may be laid over a row and its document as they are.
    """

    __slots__ = ("are_plain",)

    def __init__(self, values: Mapping[str, Any], *, are_plain: bool = False) -> None:
        super().__init__(values)
        self.are_plain = are_plain


def brought(table: type[Table], changes: Mapping[str, Any]) -> Given:
    """Bring new values of some fields to the types of these.

    Raises:
        InvalidArguments: There is no such field, or it cannot hold that.
    """
    if plain_fields(table).take(changes):
        return Given(changes, are_plain=True)
    if unknown := changes.keys() - table.model_fields.keys():
        raise no_such_fields(table.spec.name, (((name,), table.model_fields) for name in unknown))
    if "id" in changes:
        raise InvalidArguments(f"{table.spec.name}: cannot set id", [{"at": "id", "message": "an id stays"}])
    return Given({name: _brought(table, name, value) for name, value in changes.items()})


def _brought(table: type[Table], name: str, value: Any) -> Any:
    try:
        return field_value(table, name, value)
    except ValidationError as error:
        raise refusal(table.spec.name, error, table) from error


def changed(table: type[T], before: Document, given: Given, keyring: Keyring | None = None) -> tuple[T, Document]:
    """Lay changed fields over a document; give the new row, and the document that is stored of it.

    Raises:
        InvalidArguments: They do not go together, or cannot be stored.
    """
    if given.are_plain:
        after = plain_fields(table).lay_over(before, given)
        return validated(table, after, keyring), after
    after, encrypted = dict(before), sealed_fields(table)
    for name, value in given.items():
        stored_value = _stored(table, name, value)
        if name in encrypted and stored_value is not None:
            was = before.get(_alias(table, name))
            stored_value = _sealed(encrypted[name], stored_value, before["_id"], keyring, was)
        _set(after, table, name, stored_value)
    new = validated(table, after, keyring)
    stored = document_of(new, given, keyring, after)
    for name in given:
        _set(after, table, name, stored.get(_alias(table, name)))
    return new, after


def _sealed(field: SealedField, value: Any, id_: Any, keyring: Keyring | None, was: Any) -> Any:
    try:
        return field.seal(value, id_, keyring, was)
    except Unstorable as error:
        raise InvalidArguments(f"{field.table}: {error}") from error


def validated(table: type[T], document: Document, keyring: Keyring | None = None) -> T:
    """Read a document that is to be written, as whoever reads it later will.

    Raises:
        InvalidArguments: It does not fit the table.
    """
    try:
        return table.from_document(document, keyring)
    except ValidationError as error:
        raise refusal(table.spec.name, error, table) from error


def document_of(
    row: Table,
    only: Iterable[str] | None = None,
    keyring: Keyring | None = None,
    before: Document | None = None,
) -> Document:
    """Give the document of a row, or only some fields of it, with encrypted ones sealed.

    Args:
        before: What is sealed in it, and has not changed, stays.

    Raises:
        InvalidArguments: Something in it cannot be stored.
    """
    try:
        return row.to_document(only, keyring, before)
    except Unstorable as error:
        raise InvalidArguments(f"{row.spec.name}: {error}") from error


def _stored(table: type[Table], name: str, value: Any) -> Any:
    try:
        return to_bson({name: value})[name]
    except Unstorable as error:
        raise InvalidArguments(f"{table.spec.name}: {error}") from error


@cache
def _alias(table: type[Table], name: str) -> str:
    return table.model_fields[name].alias or name


def _set(document: Document, table: type[Table], name: str, value: Any) -> None:
    if value is None:
        document.pop(_alias(table, name), None)
    else:
        document[_alias(table, name)] = value


def check_references(table: type[Table], read: Any, given: Any) -> None:
    """Refuse maps that would be read as references: from a client they come unchecked, and nobody may name an array so."""
    found = set(array_references(read, _opened))
    if found and not found <= set(array_references(given, _opened)):
        raise InvalidArguments(f"{table.spec.name}: a map stands where a reference to an array belongs")


def _opened(value: Any) -> dict[str, Any] | None:
    if isinstance(value, BaseModel):
        return vars(value)
    return dict(value) if isinstance(value, Mapping) else None


def encode(document: Document) -> bytes:
    """Encode a document that is to be stored.

    Raises:
        InvalidArguments: Something in it cannot be stored.
        FunctionError: It is too large.
    """
    try:
        found = bson.encode(document)
    except (InvalidDocument, OverflowError, ValueError) as error:
        raise InvalidArguments(f"this document cannot be stored: {error}") from error
    if len(found) > MAX_DOCUMENT_BYTES:
        raise FunctionError("document_too_large", f"a document has at most {MAX_DOCUMENT_BYTES} bytes")
    return found
