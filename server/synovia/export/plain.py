"""One table for other programs: JSON lines or CSV. Types are lost that these have not; ``typed_rows`` finds them again."""

from __future__ import annotations

import asyncio
import base64
import csv
import datetime as dt
import io
import json
import math
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from typing import Any, BinaryIO, Final, Literal

from bson import Binary

from synovia.export.writing import Progress, Told, documents_of
from synovia.schema.encrypted import SEALED_SUBTYPE
from synovia.schema.search import without_terms
from synovia.schema.specs import Document, Undecodable
from synovia.store.base import Snapshot

Format = Literal["jsonl", "csv"]
FORMATS: Final[tuple[Format, ...]] = ("jsonl", "csv")


async def write_table(
    snapshot: Snapshot, table: str, file: BinaryIO, format_: Format, told: Told = lambda _: None
) -> int:
    """Write the documents of a table; tell how many.

    Args:
        format_: ``jsonl``: a map in each line; ``csv``: a column for each field that any document has, in the order in which
            they come, with lists and maps as JSON. The table is read twice, first for its columns.
        told: Called with how many are written, after some hundred each.
    """
    if format_ == "csv":
        fields = await _fields(snapshot, table)
        await asyncio.to_thread(file.write, _row(fields))
        return await _write(
            snapshot, table, file, lambda document: _row([_cell(document.get(name)) for name in fields]), told
        )
    return await _write(snapshot, table, file, _line, told)


async def _fields(snapshot: Snapshot, table: str) -> list[str]:
    found: dict[str, None] = {"_id": None}
    async for page in _readable(snapshot, table):
        for document in page:
            found.update(dict.fromkeys(document))
    return [*found]


async def _readable(snapshot: Snapshot, table: str) -> AsyncGenerator[list[Document], None]:
    async with aclosing(documents_of(snapshot, table)) as pages:
        async for page in pages:
            yield [without_terms(each) for each in page if not isinstance(each, Undecodable)]


async def _write(snapshot: Snapshot, table: str, file: BinaryIO, write: Callable[[Document], bytes], told: Told) -> int:
    progress = Progress(table=table)
    async with aclosing(_readable(snapshot, table)) as pages:
        async for page in pages:
            await asyncio.to_thread(lambda some: file.write(b"".join(map(write, some))), page)
            progress.documents += len(page)
            told(progress)
    return progress.documents


def _line(document: Document) -> bytes:
    return json.dumps(plain(document), ensure_ascii=False, allow_nan=False).encode() + b"\n"


def _row(cells: Sequence[Any]) -> bytes:
    text = io.StringIO()
    csv.writer(text).writerow(cells)
    return text.getvalue().encode()


def _cell(value: Any) -> Any:
    told = plain(value)
    if isinstance(told, dict | list):
        return json.dumps(told, ensure_ascii=False)
    return {True: "true", False: "false"}[told] if isinstance(told, bool) else told


def plain(value: Any) -> Any:
    """Give a value of a database as JSON has it: times as ISO 8601, bytes as base64, what else JSON has not as text."""
    match value:
        case dict():
            return {str(key): plain(item) for key, item in value.items()}
        case list():
            return [plain(item) for item in value]
        case Binary(subtype=subtype) if subtype == SEALED_SUBTYPE:
            return {"$sealed": base64.b64encode(value).decode()}
        case bytes():
            return base64.b64encode(value).decode()
        case dt.datetime():
            return value.isoformat()
        case float() if not math.isfinite(value):
            return str(value)
        case None | bool() | int() | float() | str():
            return value
    return str(value)
