"""A process that serves looks for garbage rarely, and not at what is there from its start."""

from __future__ import annotations

import json
from pathlib import Path
from urllib.request import Request, urlopen

import pytest

from cli.command_line import SECONDS, server
from synovia.cli.garbage import ENOUGH, GROWTH_BYTES, PATIENCE_SECONDS, THRESHOLDS, Moment

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


def test_all_are_looked_at_in_a_quiet_second_or_when_that_cannot_wait() -> None:
    busy, quiet, small = 0.9, 0.1, 1 << 20

    def come(now: float, *, looks: int = ENOUGH, share: float = busy, resident: int = small) -> bool:
        moment = Moment(0.0, small)
        moment.has_come(1.0, looks, busy, small)
        return moment.has_come(now, looks, share, resident)

    assert come(2.0, share=quiet)
    assert not come(2.0, share=quiet, looks=ENOUGH - 1), "it is not worth while"
    assert not come(2.0), "somebody would wait for it"
    assert come(2.0 + PATIENCE_SECONDS)
    assert not come(2.0 + PATIENCE_SECONDS, looks=ENOUGH - 1)
    assert come(2.0, resident=small + GROWTH_BYTES + 1)
    assert come(2.0 + PATIENCE_SECONDS, share=quiet)


def test_the_wait_begins_anew_with_each_collection() -> None:
    moment = Moment(0.0, 0)
    assert moment.has_come(PATIENCE_SECONDS + 1, ENOUGH, 0.9, 0)
    moment.collected(PATIENCE_SECONDS + 1, GROWTH_BYTES)
    assert not moment.has_come(PATIENCE_SECONDS + 2, ENOUGH, 0.9, 2 * GROWTH_BYTES)
