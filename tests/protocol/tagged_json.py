"""Reads the tagged JSON of protocol/vectors, written apart from the program that writes it."""

from __future__ import annotations

import datetime as dt
import json
import struct
from pathlib import Path
from typing import Any

from synovia_protocol import errors, messages
from synovia_protocol.edits import ListEdit, MapEdit

VECTORS = Path(__file__).parents[2] / "protocol" / "vectors"


def load(name: str) -> dict[str, list[dict[str, Any]]]:
    """Read one file of vectors."""
    content: dict[str, list[dict[str, Any]]] = json.loads((VECTORS / name).read_text(encoding="ascii"))
    return content


def untag(value: Any) -> Any:
    """Turn tagged JSON into the value it stands for."""
    if isinstance(value, list):
        return [untag(item) for item in value]
    if not isinstance(value, dict):
        return value
    if "is" in value:
        return _object(value)
    ((tag, content),) = value.items()
    return READERS[tag](content)


def _object(value: dict[str, Any]) -> Any:
    kind = getattr(messages, value["is"], None) or getattr(errors, value["is"])
    fields = {name: untag(item) for name, item in value.items() if name != "is"}
    for name in ("add", "remove", "updates", "patches", "shape", "here", "moved", "left"):
        if name in fields:
            fields[name] = tuple(fields[name])
    return kind(**fields)


def _map(pairs: Any) -> dict[str, Any]:
    return {key: untag(item) for key, item in pairs}


def _list_edit(content: Any) -> ListEdit:
    runs = [int(run) if isinstance(run, str) else untag(run) for run in content["runs"]]
    return ListEdit(runs, [part for at, item in content["edits"] for part in (int(at), untag(item))])


READERS: dict[str, Any] = {
    "int": int,
    "float": lambda text: struct.unpack(">d", bytes.fromhex(text))[0],
    "bytes": bytes.fromhex,
    "map": _map,
    "time": lambda text: dt.datetime(1970, 1, 1, tzinfo=dt.UTC) + dt.timedelta(milliseconds=int(text)),
    "array": lambda ref: messages.ArrayRef(
        bytes.fromhex(ref["digest"]), ref["dtype"], tuple(int(axis) for axis in ref["shape"])
    ),
    "mapEdit": lambda content: MapEdit(_map(content["edits"]), content["removed"]),
    "listEdit": _list_edit,
}


def join(parts: list[Any]) -> bytes:
    """Make the bytes that a list of parts describes."""
    return b"".join(_part(part) for part in parts)


def _part(part: Any) -> bytes:
    if isinstance(part, str):
        return bytes.fromhex(part)
    if "repeat" in part:
        return bytes.fromhex(part["repeat"]) * int(part["times"])
    return bytes((part["seed"] + 31 * index + index // 256) % 256 for index in range(part["ramp"]))
