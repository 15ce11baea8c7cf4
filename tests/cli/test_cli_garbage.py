"""A process that serves looks for garbage rarely, and not at what is there from its start."""

from __future__ import annotations

import json
from pathlib import Path
from urllib.request import Request, urlopen

import pytest

from cli.command_line import SECONDS, server
from synovia.cli.garbage import THRESHOLDS

APPLICATION = """
import gc
from synovia import QueryContext, query

@query(public=True)
async def collector(ctx: QueryContext) -> list[int]:
    return [*gc.get_threshold(), gc.get_freeze_count()]
"""


@pytest.mark.parametrize("command", [("serve",), ("dev", "--no-reload")], ids=" ".join)
def test_what_is_there_from_the_start_is_not_looked_at(command: tuple[str, ...], tmp_path: Path) -> None:
    (tmp_path / "about.py").write_text(APPLICATION)
    with server(*command, str(tmp_path), "--port", "0", "--store", "sqlite://:memory:") as process:
        address = process.url().replace("ws://", "http://")
        asked = Request(f"{address}/api/query", json.dumps({"path": "about:collector", "args": {}}).encode())
        asked.add_header("content-type", "application/json")
        with urlopen(asked, timeout=SECONDS) as answer:
            *thresholds, frozen = json.load(answer)["result"]
    assert tuple(thresholds) == THRESHOLDS
    assert frozen > 10_000
