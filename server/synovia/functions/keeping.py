"""What is kept of changes: times in rows with ``Timestamps``, entries in the audit table for those that are ``Audited``."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

from synovia.errors import InvalidArguments
from synovia.functions.audit import AuditEntry
from synovia.schema import CREATION_TIME, SEARCH_TERMS, Document, Table, database_name
from synovia.schema.kept import CREATED_AT, DELETED_AT, UPDATED_AT, Audited, SoftDelete, Timestamps
from synovia.schema.values import readable

_OWN = frozenset({"created_at", "updated_at", "deleted_at"})
_NOT_AUDITED = {"_id", CREATION_TIME, CREATED_AT, UPDATED_AT, SEARCH_TERMS}


@dataclass(slots=True)  # frozen ones take five times as long to make, and there is one for each mutation
class Author:
    """Who changes something.

    Attributes:
        actor: ``Identity.key``, or ``application``; None if nobody is signed in.
        now: When, in milliseconds since 1970 (UTC).
    """

    actor: str | None = None
    now: int = 0


@cache
def kept_fields(table: type[Table]) -> frozenset[str]:
    """Name the fields of a table that only the server sets."""
    bases = [base for base in (Timestamps, SoftDelete) if issubclass(table, base)]
    return _OWN.intersection(name for base in bases for name in base.model_fields)


@cache
def keeps_changes(table: type[Table]) -> bool:
    """Tell whether anything is written about changes of a table's rows: times, or entries in the audit table."""
    return issubclass(table, (Timestamps, Audited))


def check_given(table: type[Table], names: Any) -> None:
    """Refuse to set what is kept by the server.

    Raises:
        InvalidArguments: One of the fields is.
    """
    kept = kept_fields(table)
    if kept and (own := sorted(kept.intersection(names))):
        faults = [{"at": database_name(name), "message": "it is kept by the server"} for name in own]
        raise InvalidArguments(f"{table.spec.name}: {', '.join(own)} cannot be set: it is kept by the server", faults)


def stamp(table: type[Table], before: Document | None, after: Document, now: int) -> bool:
    """Write the times of a change into a document; tell whether the table has them."""
    if not issubclass(table, Timestamps):
        return False
    made = int(after.get(CREATION_TIME, now)) if before is None else before.get(CREATED_AT)
    after[UPDATED_AT] = now
    if made is not None:
        after[CREATED_AT] = made
    return True


def note_kept(row: Table, document: Document) -> None:
    """Write into a row that nobody has seen yet what is kept in its document."""
    for name in kept_fields(type(row)):
        row.__dict__[name] = document.get(database_name(name), type(row).model_fields[name].default)


def entry_of(table: type[Table], before: Document | None, after: Document | None, author: Author) -> AuditEntry | None:
    """Make the entry of a change, with the fields that have changed; None: the table is not audited."""
    if not issubclass(table, Audited):
        return None
    was, now = before or {}, after or {}
    names = sorted(name for name in {*was, *now} - _NOT_AUDITED if was.get(name) != now.get(name))
    some = now or was
    return AuditEntry(
        at=author.now,
        actor=author.actor,
        action=f"{table.spec.name}.{_verb(was, now)}",
        subject=str(some["_id"]),
        scope=_text(some.get(database_name(table.audit_scope))) if table.audit_scope else None,
        data={"before": _values(was, names), "after": _values(now, names)},
    )


def _verb(before: Document, after: Document) -> str:
    if not before:
        return "insert"
    if not after or (DELETED_AT in after and DELETED_AT not in before):
        return "delete"
    return "restore" if DELETED_AT in before and DELETED_AT not in after else "update"


def _values(document: Document, names: list[str]) -> dict[str, Any]:
    return {name: readable(document[name]) for name in names if name in document}


def _text(value: Any) -> str | None:
    return None if value is None else str(value)
