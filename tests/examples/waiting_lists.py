"""What the examples' tables are tried with: lists that change at random, and the reception on a real hub."""

from __future__ import annotations

import importlib.util
import random
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

from synovia_client import Change
from synovia_client.changes import NOTHING, Outcome

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
RECEPTION = EXAMPLES / "reception" / "reception.py"
Row = dict[str, Any]


def example(path: str) -> ModuleType:
    """Load a program of the examples."""
    spec = importlib.util.spec_from_file_location(path.replace("/", "_"), EXAMPLES / f"{path}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def changes(seed: int, count: int) -> Iterator[Change[list[Row]]]:
    """Give changes of a list: rows come, go, move and change, several at once."""
    rng = random.Random(seed)
    before = NOTHING
    rows: list[Row] = []
    for number in range(count):
        rows = [dict(row) for row in rows if rng.random() > 0.1]
        for row in rng.sample(rows, min(len(rows), rng.randrange(3))):
            rows.remove(row)
            rows.insert(rng.randint(0, len(rows)), row)
        for come in range(rng.randrange(4)):
            rows.insert(rng.randint(0, len(rows)), a_row(f"{number}-{come}"))
        for row in rng.sample(rows, min(len(rows), rng.randrange(3))):
            row["note"] = f"note {number}"
        after = Outcome(rows)
        yield Change(before, after)
        before = after


def a_row(key: str) -> Row:
    return {"_id": key, "name": f"name {key}", "reason": "", "note": "", "urgent": False}
