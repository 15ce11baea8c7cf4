"""A process that serves looks for garbage rarely, and not at what is there from its start."""

from __future__ import annotations

import json
from pathlib import Path
from urllib.request import Request, urlopen

import pytest

from cli.command_line import SECONDS, server
from synovia.cli.garbage import (
    ENOUGH,
    GROWTH_BYTES,
    LOOK_SECONDS,
    OVERDUE_SECONDS,
    PATIENCE_SECONDS,
    THRESHOLDS,
    Extent,
    Moment,
    is_quiet,
)

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


def due(now: float, *, looks: int = ENOUGH, quiet: bool = False, resident: int = 1) -> Extent | None:
    moment = Moment(0.0, 1)
    moment.due(1.0, looks, 1, quiet=False)
    return moment.due(now, looks, resident, quiet=quiet)


def test_all_are_looked_at_in_a_quiet_second_and_what_is_recent_when_it_cannot_wait() -> None:
    assert due(2.0, quiet=True) is Extent.ALL
    assert due(2.0, quiet=True, looks=ENOUGH - 1) is None, "it is not worth while"
    assert due(2.0) is None, "somebody would wait for it"
    assert due(2.0 + PATIENCE_SECONDS) is Extent.RECENT
    assert due(2.0 + PATIENCE_SECONDS, looks=ENOUGH - 1) is None
    assert due(2.0, resident=GROWTH_BYTES + 2) is Extent.RECENT
    assert due(2.0 + PATIENCE_SECONDS, quiet=True) is Extent.ALL
    assert due(2.0 + OVERDUE_SECONDS) is Extent.RECENT, "it has not grown"
    assert due(2.0 + OVERDUE_SECONDS, resident=GROWTH_BYTES + 2) is Extent.ALL, "no second was quiet, and it grows"


def test_the_wait_begins_anew_with_each_collection() -> None:
    moment = Moment(0.0, 0)
    assert moment.due(PATIENCE_SECONDS + 1, ENOUGH, 0, quiet=False) is Extent.RECENT
    moment.collected(Extent.RECENT, PATIENCE_SECONDS + 1, GROWTH_BYTES)
    assert moment.due(PATIENCE_SECONDS + 2, ENOUGH, 2 * GROWTH_BYTES, quiet=False) is None
    assert moment.due(OVERDUE_SECONDS + 1, ENOUGH, 2 * GROWTH_BYTES, quiet=False) is Extent.ALL
    moment.collected(Extent.ALL, OVERDUE_SECONDS + 1, 2 * GROWTH_BYTES)
    assert moment.due(OVERDUE_SECONDS + 2 + PATIENCE_SECONDS, ENOUGH, 3 * GROWTH_BYTES, quiet=False) is Extent.RECENT


def test_a_process_that_others_keep_from_its_work_is_not_quiet() -> None:
    assert is_quiet(LOOK_SECONDS, 0.1)
    assert not is_quiet(LOOK_SECONDS, 0.9)
    assert not is_quiet(2 * LOOK_SECONDS, 0.1), "the core was not to be had"
