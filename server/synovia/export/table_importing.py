"""A CSV file or JSON lines into one table: every row is read before any is written."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from synovia.export.checking import Faults
from synovia.export.errors import ExportError
from synovia.export.inserting import Imported, Line, batches, insert, size_of
from synovia.export.lines import BadLine
from synovia.export.plain import FORMATS, Format
from synovia.export.table_lines import rows_of
from synovia.export.typed_rows import BadRow, RowReader
from synovia.export.writing import Progress, Told
from synovia.functions.registry import Registry
from synovia.keys import encode_value
from synovia.schema import IdClock, RunIds, Table
from synovia.schema.misfits import id_text
from synovia.sealing.keyring import Keyring
from synovia.store.base import Store

_SOME: Final = 1000


class TableFile:
    """A file whose rows are to become documents of a table.

    Args:
        file: What is read; twice, so it cannot be a pipe.
        table: As the application declares it.
        keyring: Seals encrypted fields.
    """

    def __init__(self, file: Path, format_: Format, table: type[Table], keyring: Keyring | None = None) -> None:
        self._file, self._format = file, format_
        self._ids = RunIds(IdClock(lambda: int(time.time() * 1000)))
        self._reader = RowReader(table, self._ids.make, texts=format_ == "csv", keyring=keyring)

    @property
    def clock(self) -> int:
        """The newest reading of the clock from which ids were made."""
        return self._ids.last or 0

    def check(self, told: Told = lambda _: None) -> int:
        """Read all of it, and tell how many rows there are.

        Raises:
            ExportError: Some cannot be imported; each is named by its line.
        """
        faults, progress, seen = Faults(), Progress(), dict[bytes, int]()
        for row in rows_of(self._file, self._format):
            progress.documents += 1
            try:
                line = self._line(row.line, row.fields, row.fault)
            except (BadRow, BadLine) as error:
                faults.add(f"{self._file.name}:{row.line}: {error}")
                continue
            if "_id" in row.fields and (first := seen.setdefault(_key(line), row.line)) != row.line:
                faults.add(f"{self._file.name}:{row.line}: {id_text(line.document['_id'])} is in line {first} too")
            if progress.documents % _SOME == 0:
                told(progress)
        faults.check()
        return progress.documents

    def lines(self) -> Iterator[Line]:
        """Give the documents of a file that has been checked.

        Raises:
            ExportError: It is not what was checked.
        """
        for row in rows_of(self._file, self._format):
            try:
                yield self._line(row.line, row.fields, row.fault)
            except (BadRow, BadLine) as error:
                raise ExportError(f"{self._file.name}:{row.line}: {error}") from None

    def _line(self, number: int, fields: Mapping[str, Any], fault: str) -> Line:
        if fault:
            raise BadRow(fault)
        document = self._reader.document_of(fields)
        return Line(f"{self._file.name}:{number}", document, size_of(document))


def _key(line: Line) -> bytes:
    return encode_value(line.document["_id"])


async def import_table(
    store: Store | None,
    registry: Registry,
    given: Mapping[str, Any],
    told: Told = lambda _: None,
    keyring: Keyring | None = None,
) -> dict[str, Any]:
    """Read a file, and write its rows; what has an ``_id`` that is there already stays as it is.

    Args:
        store: It is open; None: nothing is written.
        given: ``file``, ``table``, ``format``.
        keyring: Seals encrypted fields.

    Raises:
        ExportError: The application declares no such table, or rows cannot be imported; nothing is written then.
        StoreError: The database does not take it.
    """
    name: str = given["table"]
    if (model := registry.models.get(name)) is None:
        raise ExportError(f"the application declares no table {name!r}; it has {', '.join(sorted(registry.models))}")
    if given["format"] not in FORMATS:
        raise ExportError(f"a table is imported from {' or '.join(FORMATS)}")
    file = TableFile(Path(given["file"]), given["format"], model, keyring)
    rows = await asyncio.to_thread(file.check, told)
    found, progress = Imported(name), Progress(table=name)
    if store is not None:
        rest = batches(file.lines())
        while (lines := await asyncio.to_thread(next, rest, None)) is not None:
            await insert(store, name, lines, found, clock=file.clock)
            progress.documents += len(lines)
            told(progress)
    return {"table": name, "rows": rows, "imported": found.made, "there": found.there, "changed": found.changed}
