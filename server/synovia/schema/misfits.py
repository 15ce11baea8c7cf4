"""Documents that do not fit their table: another program wrote them, or the table was declared otherwise once."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, TypeVar

from bson import ObjectId
from pydantic import ValidationError

from synovia.schema.faults import plain
from synovia.schema.specs import Document, Undecodable
from synovia.schema.tables import Table
from synovia.sealing.keyring import Keyring

T = TypeVar("T", bound=Table)

_LONGEST: Final = 80


@dataclass(frozen=True, slots=True)
class Misfit:
    """What is wrong with a document, without any value that it holds but its id.

    Attributes:
        table: The table's name.
        id: The ``_id`` as a text.
        field: The field by its name in the database, as ``contacts.0.userId``; empty: the document as a whole.
        reason: What is wrong there.
        key: The ``_id`` itself.
    """

    table: str
    id: str
    field: str
    reason: str
    key: Any = dataclasses.field(default=None, compare=False, repr=False)

    def __str__(self) -> str:
        return f"the document {self.id} of {self.table} cannot be read: {self.fault}"

    @property
    def fault(self) -> str:
        """Where and what it is."""
        return f"{self.field or 'as a whole'}: {self.reason}"


class Unreadable(ValueError):
    """A document does not fit its table."""

    def __init__(self, misfit: Misfit) -> None:
        super().__init__(str(misfit))
        self.misfit = misfit


def read_document(table: type[T], document: Document, keyring: Keyring | None = None) -> T:
    """Read a document of a table.

    Args:
        keyring: Opens its encrypted fields.

    Raises:
        Unreadable: It does not fit.
    """
    try:
        if type(document) is not dict and isinstance(document, Undecodable):
            raise ValueError(document.reason)
        return table.from_document(document, keyring)
    except Exception as error:  # a validator of the application may stumble over what another program wrote
        raise Unreadable(_misfit(table, document, error)) from error


def misfit_of(table: type[Table], document: Document) -> Misfit | None:
    """Tell what is wrong with a document; None if it fits."""
    try:
        read_document(table, document)
    except Unreadable as error:
        return error.misfit
    return None


def _misfit(table: type[Table], document: Document, error: Exception) -> Misfit:
    place, reason = _first_fault(error)
    id_ = document.get("_id")
    return Misfit(table.spec.name, id_text(id_), place, reason, id_)


def id_text(id_: Any) -> str:
    """Write an ``_id``, whatever it is, in one line."""
    if isinstance(id_, datetime):
        text = id_.isoformat()
    elif id_ is None:
        text = "null"
    else:
        text = str(id_) if isinstance(id_, str | ObjectId) else repr(id_)
    if not text.isprintable():
        text = repr(text)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."


def _first_fault(error: Exception) -> tuple[str, str]:
    if not isinstance(error, ValidationError):
        return "", f"{type(error).__name__}: {error}"
    first = error.errors(include_url=False, include_input=False)[0]
    return ".".join(map(str, first["loc"])), plain(first["msg"])
