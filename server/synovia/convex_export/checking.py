"""A first look at every line of an export, so that nothing is written of one that cannot be imported."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from bson import encode
from bson.errors import BSONError

from synovia.convex_export.archive import Archive, Files, shape_of
from synovia.convex_export.values import BadValue, document_of
from synovia.export.errors import ExportError
from synovia.export.inserting import Line
from synovia.schema import CREATION_TIME, Document, Table, id_to_bson, misfit_of
from synovia.schema.encrypted import sealed_fields

MOST_DOCUMENT_BYTES: Final = 15 * 1024 * 1024
_MOST_FAULTS: Final = 20
_MOST_NAMES: Final = 20
_END_OF_TIME: Final = 1e15
_NO_ID = re.compile(r"[\s\x00-\x1f\x7f]")
_LONGEST_ID: Final = 256
_AMBIGUOUS = re.compile(r"\b(?:int64|bytes|float64|nan|inf|set|map|any|unknown)\b")


@dataclass(slots=True)
class Checked:
    """What an export has for an application.

    Attributes:
        tables: How many documents there are of each table that can be imported.
        undeclared: How many there are of tables that the application does not declare.
        skipped: The same of tables that are not wanted.
        system: Lines of Convex's own tables, and of those of components.
        files: What is in its file storage.
        unseen: The fields that documents have and their table does not declare.
        unordered: Tables whose documents cannot be read in the order of their creation, because no index is over that.
    """

    tables: dict[str, int] = field(default_factory=dict)
    undeclared: dict[str, int] = field(default_factory=dict)
    skipped: dict[str, int] = field(default_factory=dict)
    system: dict[str, int] = field(default_factory=dict)
    files: Files = field(default_factory=Files)
    unseen: dict[str, list[str]] = field(default_factory=dict)
    unordered: list[str] = field(default_factory=list)


def check(archive: Archive, models: Mapping[str, type[Table]] | None, skip: Sequence[str] = ()) -> Checked:
    """Read all of an export.

    Args:
        models: The tables of the application by name; None: any will do.
        skip: Tables that are left out.

    Raises:
        ExportError: It cannot be read, or documents cannot be stored, or do not fit their tables.
    """
    found = Checked(files=archive.contents.files)
    faults: list[str] = []
    for table in archive.contents.tables:
        if table in skip or (models is not None and table not in models):
            counts = found.skipped if table in skip else found.undeclared
            counts[table] = _count(archive, table)
            continue
        found.tables[table] = _check_table(archive, table, None if models is None else models[table], faults, found)
    if faults:
        raise ExportError("\n".join(_told(faults)))
    for name, member in archive.contents.system.items():
        if count := sum(1 for _ in archive.lines(member)):
            found.system[name] = count
    return found


def _told(faults: list[str]) -> list[str]:
    more = [f"and {len(faults) - _MOST_FAULTS:,} more"] if len(faults) > _MOST_FAULTS else []
    return [*faults[:_MOST_FAULTS], *more]


def _count(archive: Archive, table: str) -> int:
    return sum(1 for _ in archive.lines(archive.contents.tables[table]))


def _check_table(archive: Archive, table: str, model: type[Table] | None, faults: list[str], found: Checked) -> int:
    count, unseen = 0, dict[str, None]()
    declared = None if model is None else {info.alias or name for name, info in model.model_fields.items()}
    if model is not None and (encrypted := sealed_fields(model)):
        names = ", ".join(encrypted)
        faults.append(
            f"{table}: {names}: what is encrypted cannot come from Convex; import it unencrypted, and migrate it"
        )
    for line in documents(archive, table, faults):
        count += 1
        if model is None or declared is None:
            continue
        if (misfit := misfit_of(model, line.document)) is not None:
            faults.append(f"{line.place}: {misfit.id} does not fit the table: {misfit.field}: {misfit.reason}")
        if len(unseen) < _MOST_NAMES:
            unseen.update(dict.fromkeys(line.document.keys() - declared - {CREATION_TIME}))
    if unseen:
        found.unseen[table] = sorted(unseen)
    if model is not None and count and not model.spec.keeps_creation_time:
        found.unordered.append(table)
    return count


# --- documents --------------------------------------------------------------------------------------------------------


def documents(archive: Archive, table: str, faults: list[str] | None = None) -> Iterator[Line]:
    """Give the documents of a table, one at a time.

    Args:
        faults: Where lines that are no document are told, which are passed over then; None: they are raised.

    Raises:
        ExportError: The file cannot be read, or a line is no document.
    """
    floats_only = _is_old(archive, table)
    member = archive.contents.tables[table]
    for number, text in archive.lines(member):
        place = f"{member.filename}:{number}"
        try:
            yield _line(place, document_of(text, floats_only=floats_only))
        except BadValue as error:
            if faults is None:
                raise ExportError(f"{place}: {error}") from None
            faults.append(f"{place}: {error}")


def _is_old(archive: Archive, table: str) -> bool:
    """Tell whether the export says what its documents look like instead of marking their values; then all numbers are
    floats, and integers and bytes are texts, which only the whole shape would tell apart from texts."""
    shape = shape_of(archive, table)
    if shape == '"uniform"':
        return False
    if _AMBIGUOUS.search(shape):
        raise ExportError(
            f"{archive.contents.shapes[table].filename}: this export is of a form that Convex has given up, in which"
            " integers and bytes look like texts; make a new one with `npx convex export`"
        )
    return True


def _line(place: str, document: Document) -> Line:
    id_, made = document.get("_id"), document.get(CREATION_TIME)
    if not isinstance(id_, str) or not 0 < len(id_) <= _LONGEST_ID or _NO_ID.search(id_):
        raise BadValue("it has no _id, or one that cannot be an id" if id_ is None else f"{id_!r:.80} can be no _id")
    if not isinstance(made, int | float) or isinstance(made, bool) or not 0 <= made < _END_OF_TIME:
        raise BadValue(f"{id_} has no {CREATION_TIME} that is a time")
    ordered: dict[str, Any] = {"_id": id_to_bson(id_), **{key: each for key, each in document.items() if key != "_id"}}
    try:
        size = len(encode(ordered))
    except (BSONError, OverflowError, UnicodeError) as error:
        raise BadValue(f"{id_} cannot be stored: {error}") from None
    if size > MOST_DOCUMENT_BYTES:
        raise BadValue(f"{id_} has {size:,} bytes; {MOST_DOCUMENT_BYTES:,} are allowed")
    return Line(place, ordered, size)
