"""A process that serves looks for garbage rarely, and not at what is there from its start."""

from __future__ import annotations

import gc
import json
import weakref
from collections.abc import Iterator
from pathlib import Path
from urllib.request import Request, urlopen

import pytest

from cli.command_line import server
from helpers.patience import PATIENCE
from synovia.cli.garbage import (
    ENOUGH,
    GROWTH_BYTES,
    LOOK_SECONDS,
    MOST_SECONDS,
    OVERDUE_SECONDS,
    THRESHOLDS,
    Looks,
    Moment,
    collect,
    is_quiet,
    tuned,
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
        with urlopen(asked, timeout=PATIENCE) as answer:
            *thresholds, frozen = json.load(answer)["result"]
    assert tuple(thresholds[:2]) == THRESHOLDS[:2]  # Python 3.14.0 to 3.14.4 have no third
    assert frozen > 10_000


def is_due(
    now: float, *, looks: int = ENOUGH, quiet: bool = False, resident: int = 1, seconds: float = MOST_SECONDS
) -> bool:
    return Moment(0.0, 1).is_due(now, looks, resident, quiet=quiet, seconds=lambda: seconds)


def test_all_are_looked_at_in_a_quiet_second_or_when_it_cannot_wait() -> None:
    assert is_due(2.0, quiet=True)
    assert not is_due(2.0, quiet=True, looks=ENOUGH - 1), "it is not worth while"
    assert not is_due(2.0), "somebody would wait for it"
    assert not is_due(2.0, quiet=True, seconds=2 * MOST_SECONDS), "somebody may come"
    assert not is_due(2.0 + OVERDUE_SECONDS), "it has not grown"
    assert not is_due(2.0, resident=GROWTH_BYTES + 2)
    assert is_due(2.0 + OVERDUE_SECONDS, resident=GROWTH_BYTES + 2), "there was no such second, and it grows"


class Ring:
    """Something that leads to itself, so that only the collector frees it."""

    def __init__(self) -> None:
        self.self = self


@pytest.fixture
def looks() -> Iterator[Looks]:
    looks = Looks()
    gc.callbacks.append(looks)
    yield looks
    gc.callbacks.remove(looks)
    gc.unfreeze()


def test_what_is_new_is_looked_at_once_and_then_kept_from_being_looked_at(looks: Looks) -> None:
    before = looks.count
    lost, kept = weakref.ref(Ring()), Ring()
    gc.collect(0)
    assert lost() is None
    assert not any(each is kept for each in gc.get_objects())
    assert looks.count > before


def test_what_becomes_garbage_after_that_is_found_when_all_are_looked_at(looks: Looks) -> None:
    ring = Ring()
    gc.collect(0)
    lost = weakref.ref(ring)
    del ring
    gc.collect()
    assert lost() is not None
    gc.unfreeze()
    collect()
    assert lost() is None


async def test_a_busy_server_frees_rings_as_they_come() -> None:
    async with tuned():
        rings = [weakref.ref(Ring()) for _ in range(3 * THRESHOLDS[0])]
        assert sum(ring() is None for ring in rings) > len(rings) // 3


async def test_looks_that_come_by_themselves_count(looks: Looks) -> None:
    async with tuned():
        before = looks.count
        kept = [Ring() for _ in range(3 * THRESHOLDS[0])]
        assert looks.count > before
        assert not any(each is kept[0] for each in gc.get_objects())


def test_a_process_that_others_keep_from_its_work_is_not_quiet() -> None:
    assert is_quiet(LOOK_SECONDS, 0.1)
    assert not is_quiet(LOOK_SECONDS, 0.9)
    assert not is_quiet(2 * LOOK_SECONDS, 0.1), "the core was not to be had"
