"""Rows of other programs as documents: each value brought to the type that its table declares, or refused.

What ``export --table`` writes is read back: times as ISO 8601, bytes as base64, ``nan`` and ``inf``; in CSV lists and maps
are JSON, values of fields of any type are so if they can be read so (a text ``5`` comes back as a number), and an empty cell
is a field that is not there, or the empty text where a text has to be.
"""

from __future__ import annotations

import base64
import binascii
import re
import time
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final

from bson import ObjectId
from pydantic import BaseModel, ValidationError

from synovia.errors import InvalidArguments
from synovia.export.strict_json import BadJson, StrictDecoder
from synovia.schema import CREATION_TIME, FROM_CLIENT, Document, Id, Table, UnreadableField
from synovia.schema.annotations import allows_none, alternatives, element_of, fields_of, is_untyped, value_of
from synovia.schema.faults import message_of
from synovia.schema.kept import CREATED_AT, UPDATED_AT, Timestamps
from synovia.schema.values import Unstorable
from synovia.sealing.keyring import Keyring
from synovia_protocol.messages import ArrayRef

_DECODER: Final = StrictDecoder()
_INTEGER: Final = re.compile(r"[+-]?\d+\Z", re.ASCII)
_TRUTH: Final = {"true": True, "false": False}


class BadRow(ValueError):
    """The text says what is wrong with a row, and in which field."""


class RowReader:
    """Reads rows of a table.

    Args:
        table: As the application declares it.
        make_id: Makes the ids of rows that have none.
        texts: Whether all values are texts, as in CSV.
        keyring: Seals encrypted fields.
    """

    def __init__(
        self, table: type[Table], make_id: Callable[[], ObjectId], *, texts: bool, keyring: Keyring | None = None
    ) -> None:
        self._table, self._make_id, self._texts, self._keyring = table, make_id, texts, keyring
        self._now = int(time.time() * 1000)
        self._fields = {}
        for name, info in fields_of(table).items():
            self._fields[name] = self._fields[info.alias or name] = info

    def document_of(self, fields: Mapping[str, Any]) -> Document:
        """Give the document of a row.

        Raises:
            BadRow: It does not fit the table.
        """
        created = fields.get(CREATION_TIME)
        values: dict[str, Any] = {}
        for name, value in fields.items():
            if name != CREATION_TIME:
                self._take(values, name, value)
        try:
            row = self._table.model_validate(values, strict=False, context=FROM_CLIENT)
            if created not in (None, ""):
                row.note_creation_time(_creation_time(created))
            if not row.id:
                row.__dict__["id"] = Id(str(self._make_id()))
            document = row.to_document(keyring=self._keyring)
            self._note_times(row, document)
        except ValidationError as error:
            raise BadRow(message_of(error)) from None
        except (InvalidArguments, Unstorable, UnreadableField) as error:
            raise BadRow(str(error)) from None
        return document

    def _note_times(self, row: Table, document: Document) -> None:
        """Keep the times that the file says; a row without them was made when its id says, and not changed since."""
        if isinstance(row, Timestamps):
            document[CREATED_AT] = row.created_at or row.creation_time or self._now
            document[UPDATED_AT] = row.updated_at or document[CREATED_AT]

    def _take(self, values: dict[str, Any], name: str, value: Any) -> None:
        if (info := self._fields.get(name)) is None:
            raise BadRow(f"{name:.80}: the table declares no such field")
        alias = info.alias or name
        if alias in values:
            raise BadRow(f"{name}: it is there under both of its names")
        if self._texts:
            value = _of_cell(name, info.annotation, value)
        if value is not None:
            values[alias] = _brought(name, info.annotation, value)


def _creation_time(value: Any) -> float:
    try:
        return float(value)
    except (TypeError, ValueError):
        raise BadRow(f"{CREATION_TIME}: it is no time in milliseconds since 1970") from None


def _of_cell(name: str, annotation: Any, text: str) -> Any:
    """Read a cell of CSV as what JSON would have had; None: nothing is there."""
    kinds = [*alternatives(annotation)]
    if not text:
        return "" if str in kinds and not allows_none(annotation) else None
    if any(is_untyped(kind) or _is_composed(kind) for kind in kinds):
        try:
            return _DECODER.decode(text.encode())
        except BadJson as error:
            if str in kinds or any(map(is_untyped, kinds)):
                return text
            raise BadRow(f"{name}: {error}") from None
    if str in kinds:
        return text
    if bool in kinds and text in _TRUTH:
        return _TRUTH[text]
    if int in kinds and _INTEGER.match(text):
        return int(text)
    return text


def _is_composed(kind: Any) -> bool:
    if element_of(kind) is not None or value_of(kind) is not None:
        return True
    return isinstance(kind, type) and issubclass(kind, BaseModel)


def _brought(place: str, annotation: Any, value: Any) -> Any:
    """Read what JSON has not: times, bytes, and floats that are no numbers; refuse arrays."""
    kinds = [*alternatives(annotation)]
    if ArrayRef in kinds:
        raise BadRow(f"{place}: arrays do not travel in tables; import an export of the whole database")
    if isinstance(value, list):
        inside = next((element for kind in kinds if (element := element_of(kind)) is not None), Any)
        return [_brought(f"{place}.{number}", inside, each) for number, each in enumerate(value)]
    if isinstance(value, dict):
        return {key: _brought(f"{place}.{key}", _inside(kinds, key), each) for key, each in value.items()}
    if isinstance(value, str) and str not in kinds:
        return _of_text(place, kinds, value)
    return value


def _inside(kinds: list[Any], key: str) -> Any:
    """Give the annotation of what stands under a key."""
    for kind in kinds:
        if (inside := value_of(kind)) is not None:
            return inside
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            for name, info in fields_of(kind).items():
                if key in (name, info.alias):
                    return info.annotation
    return Any


def _of_text(place: str, kinds: list[Any], text: str) -> Any:
    if datetime in kinds:
        return _time(place, text)
    if bytes in kinds:
        try:
            return base64.b64decode(text, validate=True)
        except binascii.Error:
            raise BadRow(f"{place}: {text!r:.40} is no base64") from None
    if float in kinds:
        try:
            return float(text)
        except ValueError:
            raise BadRow(f"{place}: {text!r:.40} is no number") from None
    if int in kinds:
        raise BadRow(f"{place}: {text!r:.40} is no integer")
    if bool in kinds:
        raise BadRow(f"{place}: {text!r:.40} is neither true nor false")
    return text


def _time(place: str, text: str) -> datetime:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise BadRow(f"{place}: {text!r:.40} is no time as ISO 8601 has it") from None
    if found.tzinfo is None:
        raise BadRow(f"{place}: {text!r:.40} says no time zone, as 2026-11-28T12:00:00Z does")
    return found
