"""A process that serves looks for garbage rarely, and not at what is there from its start."""

from __future__ import annotations

import json
from pathlib import Path
from urllib.request import Request, urlopen

import pytest

from cli.command_line import SECONDS, server
from synovia.cli.garbage import (
    ENOUGH,
    FEW,
    GROWTH_BYTES,
    LOOK_SECONDS,
    MOST_SECONDS,
    OVERDUE_SECONDS,
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


def due(
    now: float, *, looks: int = ENOUGH, quiet: bool = False, resident: int = 1, seconds: float = MOST_SECONDS
) -> Extent | None:
    return Moment(0.0, 1).due(now, looks, resident, quiet=quiet, seconds=lambda: seconds)


def test_all_are_looked_at_in_a_quiet_second_and_what_is_recent_a_little_at_a_time() -> None:
    assert due(2.0, quiet=True) is Extent.ALL
    assert due(2.0, quiet=True, looks=FEW - 1) is None, "it is not worth while"
    assert due(2.0, quiet=True, looks=ENOUGH - 1) is Extent.RECENT
    assert due(2.0, looks=FEW) is Extent.RECENT, "somebody would wait for all"
    assert due(2.0, quiet=True, seconds=2 * MOST_SECONDS) is Extent.RECENT, "somebody may come"
    assert due(2.0 + OVERDUE_SECONDS) is Extent.RECENT, "it has not grown"
    assert due(2.0, resident=GROWTH_BYTES + 2) is Extent.RECENT
    assert due(2.0 + OVERDUE_SECONDS, resident=GROWTH_BYTES + 2) is Extent.ALL, "there was no such second, and it grows"


def test_all_are_worth_while_by_what_has_come_since_they_were() -> None:
    moment = Moment(0.0, 0)

    def next_due(looks: int) -> Extent | None:
        return moment.due(1.0, looks, 0, quiet=True, seconds=lambda: 0.0)

    moment.collected(Extent.RECENT, 1.0, ENOUGH - FEW, 0)
    assert next_due(FEW) is Extent.ALL
    moment.collected(Extent.ALL, 1.0, FEW, 0)
    assert next_due(FEW) is Extent.RECENT


def test_a_process_that_others_keep_from_its_work_is_not_quiet() -> None:
    assert is_quiet(LOOK_SECONDS, 0.1)
    assert not is_quiet(LOOK_SECONDS, 0.9)
    assert not is_quiet(2 * LOOK_SECONDS, 0.1), "the core was not to be had"
