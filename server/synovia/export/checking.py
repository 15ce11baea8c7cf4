"""A first look at every byte of an export, so that nothing is written of one that cannot be imported."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from synovia.export.archive import Archive, ArrayFile
from synovia.export.errors import ExportError
from synovia.export.inserting import MOST_DOCUMENT_BYTES, Line, is_too_large, size_of
from synovia.export.lines import BadLine, document_of
from synovia.export.writing import Progress, Told, is_in
from synovia.keys import encode_value
from synovia.schema import Table, misfit_of
from synovia.schema.misfits import id_text
from synovia.store.base import ArrayManifest
from synovia.store.references import Digests, references_of
from synovia_protocol.arrays import array_digest, chunk_digest

_MOST_FAULTS: Final = 20
_SOME: Final = 1000


@dataclass(slots=True)
class Faults:
    """What is wrong; of many the first are kept, and all are counted."""

    first: list[str] = field(default_factory=list)
    count: int = 0

    def add(self, text: str) -> None:
        self.count += 1
        if len(self.first) < _MOST_FAULTS:
            self.first.append(text)

    def check(self) -> None:
        """Raise ExportError if there are any."""
        if self.count:
            more = [f"and {self.count - len(self.first):,} more"] if self.count > len(self.first) else []
            raise ExportError("\n".join([*self.first, *more]))


def check(
    archive: Archive,
    models: Mapping[str, type[Table]] | None = None,
    skip: Sequence[str] = (),
    told: Told = lambda _: None,
) -> None:
    """Read all of an export.

    Args:
        models: The tables of the application by name, which the documents have to fit; None: any will do.
        skip: Tables that are left out, and not looked at.
        told: Called now and then.

    Raises:
        ExportError: It cannot be read, is not what its manifest says, documents do not fit their tables or refer to arrays
            that it does not hold.
    """
    faults, progress = Faults(), Progress()
    stored = _check_arrays(archive, faults, progress, told)
    for table in archive.manifest.tables:
        progress.table = table
        if table in skip:
            continue
        if not is_in(table, archive.manifest.kind):
            faults.add(
                f"{table}: no {archive.manifest.kind} has this table of Synovia's own (leave it out with --skip {table})"
            )
            continue
        if models is not None and table not in models and not table.startswith("_"):
            faults.add(f"{table}: the application declares no such table (leave it out with --skip {table})")
            continue
        _check_table(archive, table, (models or {}).get(table), stored, faults, progress, told)
    faults.check()


def _check_table(
    archive: Archive,
    table: str,
    model: type[Table] | None,
    stored: Digests,
    faults: Faults,
    progress: Progress,
    told: Told,
) -> None:
    count, digest, before = 0, hashlib.sha256(), b""
    for place, text in archive.lines(table):
        count += 1
        progress.documents += 1
        digest.update(text + b"\n")
        try:
            line = line_at(place, text)
        except BadLine as error:
            faults.add(f"{place}: {error}")
            continue
        key = encode_value(line.document["_id"])
        if key <= before:
            faults.add(f"{place}: {id_text(line.document['_id'])} is there twice, or not in the order of ids")
        before = key
        if model is not None and (misfit := misfit_of(model, line.document)) is not None:
            faults.add(f"{place}: {misfit.id} does not fit the table: {misfit.fault}")
        if (needed := references_of(line.document)) and (lacking := stored.without(needed)):
            faults.add(f"{place}: the array {lacking[0].hex()} is not in the export")
        if count % _SOME == 0:
            told(progress)
    contents = archive.manifest.tables[table]
    if (count, digest.hexdigest()) != (contents.documents, contents.sha256):
        faults.add(f"{table}: its {count:,} documents are not the {contents.documents:,} that the manifest tells of")


def line_at(place: str, text: bytes) -> Line:
    """Read a line.

    Raises:
        BadLine: It is no document that a database takes.
    """
    if is_too_large(text):
        raise BadLine(f"it has more than the {MOST_DOCUMENT_BYTES:,} bytes that a document may have")
    document = document_of(text)
    return Line(place, document, size_of(document))


def documents(archive: Archive, table: str) -> Iterator[Line]:
    """Give the documents of a table that has been checked.

    Raises:
        ExportError: It is not what was checked.
    """
    for place, text in archive.lines(table):
        try:
            yield line_at(place, text)
        except BadLine as error:
            raise ExportError(f"{place}: {error}") from None


# --- arrays -----------------------------------------------------------------------------------------------------------


def _check_arrays(archive: Archive, faults: Faults, progress: Progress, told: Told) -> Digests:
    """Compare every array with its name, and all of them with the manifest."""
    found, digests, before = Digests(), hashlib.sha256(), b""
    arrays = archive.arrays()
    while some := [*itertools.islice(arrays, _SOME)]:
        for array in some:
            if array.digest <= before:
                faults.add(f"{array.member.name}: it is there twice, or not in the order of digests")
            before = array.digest
            if manifest_of(archive, array).digest != array.digest:
                faults.add(f"{array.member.name}: its bytes are not those of this digest")
            digests.update(array.digest)
            progress.arrays += 1
            progress.bytes += array.member.size
            told(progress)
        found.add(array.digest for array in some)
    contents = archive.manifest.arrays
    if (progress.arrays, progress.bytes, digests.hexdigest()) != (contents.count, contents.bytes, contents.sha256):
        faults.add(f"its {progress.arrays:,} arrays are not the {contents.count:,} that the manifest tells of")
    return found


def manifest_of(archive: Archive, array: ArrayFile) -> ArrayManifest:
    """Make the manifest of an array from its bytes."""
    chunks = tuple(map(chunk_digest, archive.chunks(array)))
    return ArrayManifest(array_digest(array.dtype, chunks), array.dtype, array.length, chunks)
