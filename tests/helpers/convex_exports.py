"""Exports as `npx convex export` writes them."""

from __future__ import annotations

import base64
import hashlib
import json
import struct
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

_DIGITS = "0123456789abcdefghjkmnpqrstvwxyz"


def convex_id(table: int, seed: object) -> str:
    """Make an id as Convex does: the table's number, 16 random bytes, and Fletcher's checksum, in Crockford's base 32."""
    data = _varint(table) + hashlib.sha256(repr((table, seed)).encode()).digest()[:16]
    data += struct.pack("<H", _fletcher16(data))
    number, bits = int.from_bytes(data), len(data) * 8
    padded = number << (-bits % 5)
    count = (bits + 4) // 5
    return "".join(_DIGITS[padded >> 5 * (count - 1 - place) & 31] for place in range(count))


def _varint(number: int) -> bytes:
    made = bytearray()
    while number > 127:
        made.append(number & 127 | 128)
        number >>= 7
    return bytes([*made, number])


def _fletcher16(data: bytes) -> int:
    first = second = 0
    for byte in data:
        first = (first + byte) % 255
        second = (second + first) % 255
    return second << 8 | first


def int64(value: int) -> Any:
    """Write an Int64, which has no point."""
    return int(value)


def as_bytes(data: bytes) -> dict[str, str]:
    return {"$bytes": base64.b64encode(data).decode()}


def as_float(value: float) -> dict[str, str]:
    """Write a float that JSON has not."""
    return {"$float": base64.b64encode(struct.pack("<d", value)).decode()}


def lines(documents: Iterable[Mapping[str, Any]]) -> str:
    return "".join(json.dumps(each, ensure_ascii=False, allow_nan=False) + "\n" for each in documents)


def write_export(path: Path, tables: Mapping[str, Iterable[Mapping[str, Any]] | str], prefix: str = "") -> Path:
    """Write an export of these tables; a text is written as it is."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        numbers = [{"name": name, "id": 10_000 + place} for place, name in enumerate(tables, 1)]
        archive.writestr(f"{prefix}README.md", "# Convex snapshot\n")
        archive.writestr(f"{prefix}_tables/documents.jsonl", lines(numbers))
        for name, documents in tables.items():
            text = documents if isinstance(documents, str) else lines(documents)
            archive.writestr(f"{prefix}{name}/documents.jsonl", text)
            archive.writestr(f"{prefix}{name}/generated_schema.jsonl", '"uniform"\n')
    return path


def add_files(path: Path, files: Mapping[str, bytes]) -> None:
    """Put more files into an export."""
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)


USERS = [convex_id(10_001, name) for name in ("ada", "ben")]
MESSAGES = [convex_id(10_002, number) for number in range(5)]
BEGIN = 1_700_000_000_000.0


def chat() -> dict[str, list[dict[str, Any]]]:
    """Give two users and five messages, in the order of their ids, as an export has them."""
    users = [
        {"_creationTime": BEGIN + place, "_id": id_, "name": name, "tokenIdentifier": f"https://issuer|{name}"}
        for place, (id_, name) in enumerate(zip(USERS, ("Ada", "Ben"), strict=True))
    ]
    messages = [
        {
            "_creationTime": BEGIN + 1000 + number / 4,  # within one millisecond there are several
            "_id": id_,
            "author": USERS[number % 2],
            "body": f"message {number}",
            "channel": "general",
            "likes": float(number),
            "weight": 0.5,
        }
        for number, id_ in enumerate(MESSAGES)
    ]
    return {name: sorted(rows, key=lambda row: row["_id"]) for name, rows in (("users", users), ("messages", messages))}
