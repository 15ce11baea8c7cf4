"""The checker finds what it is there to find: each guarantee is switched off in turn, and the same workload run."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from helpers.mongod import ReplicaSet
from torture.run import Round, fresh_database, torture
from torture.workload import Scale

HOT = Scale(registers=3, counters=1, weights={"append": 4, "peek": 3, "increment": 1}, pause=0.0)
CROWDED = Scale(registers=3, posts=2, weights={"append": 2, "leave": 1, "arrive": 1, "seat": 1}, pause=0.0)
ROUNDS = {
    "validation": Round(1, 1.2, clients=12, hubs=1, scale=CROWDED, faults=()),
    "records": Round(
        2, 1.5, hubs=1, scale=Scale(weights={"increment": 2, "transfer": 1}), faults=("all sockets cut in a frame",)
    ),
    "instants": Round(3, 1.0, hubs=1, faults=()),
    "durability": Round(4, 1.0, hubs=1, faults=()),
    "freshness": Round(
        5,
        1.5,
        clients=2,
        hubs=1,
        readers=4,
        sights=150,
        faults=(),
        scale=Scale(registers=3, counters=1, weights={"place": 4, "append": 1, "increment": 1}),
    ),
    "acknowledgements": Round(6, 1.5, hubs=1, scale=HOT, faults=("hub killed amid a commit",), troubled=True),
    "failures": Round(7, 1.5, clients=16, hubs=1, scale=HOT, faults=(), troubled=True),
    "leaning": Round(8, 1.5, clients=16, hubs=1, scale=HOT, faults=(), troubled=True),
}
FOUND = {
    "validation": {"G2", "write skew", "not unique"},
    "records": {"doubled"},
    "instants": {"torn"},
    "durability": {"lost"},
    "freshness": {"stale", "stale access"},
    "acknowledgements": {"lost"},
    "failures": {"order"},
    "leaning": {"order"},
}


@pytest.mark.parametrize("sabotage", ROUNDS)
async def test_a_guarantee_that_is_switched_off_is_missed(sabotage: str, tmp_path: Path) -> None:
    """On a busy machine little happens in a round, so there are several tries."""
    found, reports = set[str](), ""
    for number in range(6):
        plan = replace(ROUNDS[sabotage], seed=ROUNDS[sabotage].seed + 100 * number, sabotage=sabotage)
        report = await torture(plan, f"sqlite:///{tmp_path / f'torture{number}.sqlite'}")
        found |= report.kinds
        reports += f"{report}\n"
        if found >= FOUND[sabotage]:
            return
    pytest.fail(reports)


@pytest.mark.mongodb
async def test_two_hubs_without_the_fence_are_found_out(members: ReplicaSet) -> None:
    """Chance decides when two hubs meet, so there are several tries."""
    for seed in range(10):
        async with fresh_database(members) as store:
            plan = Round(seed, 1.5, clients=12, scale=CROWDED, faults=(), sabotage="fence")
            report = await torture(plan, store, members)
        if report.kinds & {"G2", "write skew", "not unique"}:
            return
    pytest.fail(str(report))


@pytest.mark.mongodb
async def test_hubs_that_forget_the_names_of_what_others_were_asked_to_run_are_found_out(members: ReplicaSet) -> None:
    """It needs a hub that stands still while it runs something for another one, so there are several tries."""
    reports = ""
    for seed in range(24):
        async with fresh_database(members) as store:
            scale = Scale(registers=3, counters=1, accounts=2, weights={"increment": 3, "transfer": 1}, pause=0.0)
            plan = Round(seed, 2.0, clients=12, scale=scale, faults=("hub paused",), sabotage="forwarding")
            report = await torture(plan, store, members)
        if "doubled" in report.kinds:
            return
        reports += f"{report}\n"
    pytest.fail(reports)


@pytest.mark.parametrize("name", ["validation", "acknowledgements"])
async def test_the_same_rounds_find_nothing_when_nothing_is_switched_off(name: str, tmp_path: Path) -> None:
    report = await torture(ROUNDS[name], f"sqlite:///{tmp_path / 'torture.sqlite'}")
    assert report.anomalies == [], str(report)
