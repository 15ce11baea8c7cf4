"""A short round of everything; the long one is ``python -m torture``."""

from __future__ import annotations

from pathlib import Path

import pytest

from helpers.mongod import ReplicaSet
from torture.run import Report, Round, fresh_database, torture
from torture.workload import Scale

SEED = 20261121
SIGHTS = 200  # a round in which little happened proves little
CRASHES = ("hub killed", "all hubs killed")
SOCKETS = ("all sockets cut in a frame", "socket stalled", "hub restarted")
FAULTS = (
    "hub killed",
    "hub paused",
    "primary killed",
    "primary stepped down",
    "mongod paused",
    "all sockets cut in a frame",
    "socket stalled",
)


HOT = Scale(registers=3, counters=1, accounts=2, pause=0.0)
HUBS_DIE = ("hub killed", "hub paused", "hub killed amid a commit")
TROUBLES = ("hub killed amid a commit", "hub paused", "primary stepped down", "all sockets cut in a frame")


def show(report: Report) -> None:
    """Print the figures; a failed assertion shows them, and ``pytest -s`` always."""
    print(f"\n{report}")


@pytest.mark.mongodb
async def test_two_hubs_on_three_mongods_keep_every_promise_while_everything_dies(members: ReplicaSet) -> None:
    async with fresh_database(members) as store:
        report = await torture(Round(SEED, 3.0, faults=FAULTS, sights=SIGHTS), store, members)
    show(report)
    assert report.anomalies == []
    assert report.history.counts["retries"] > 0
    assert report.history.faults.keys() == set(FAULTS)


@pytest.mark.mongodb
async def test_two_hubs_keep_every_promise_while_their_commits_go_wrong(members: ReplicaSet) -> None:
    async with fresh_database(members) as store:
        report = await torture(Round(SEED, 3.0, faults=TROUBLES, troubled=True, sights=SIGHTS), store, members)
    show(report)
    assert report.anomalies == []
    assert report.history.faults.keys() == set(TROUBLES)


@pytest.mark.mongodb
async def test_hubs_that_run_mutations_for_each_other_keep_every_promise_while_they_die(members: ReplicaSet) -> None:
    async with fresh_database(members) as store:
        plan = Round(SEED, 3.0, hubs=3, clients=12, faults=HUBS_DIE, troubled=True, scale=HOT, sights=SIGHTS)
        report = await torture(plan, store, members)
    show(report)
    assert report.anomalies == []
    assert report.history.counts["forwarded"] > 0
    assert report.history.faults.keys() == set(HUBS_DIE)


async def test_one_hub_on_sqlite_keeps_every_promise_while_its_commits_go_wrong(tmp_path: Path) -> None:
    plan = Round(SEED, 2.0, hubs=1, faults=("hub killed amid a commit",), troubled=True, sights=SIGHTS)
    report = await torture(plan, f"sqlite:///{tmp_path / 'torture.sqlite'}")
    show(report)
    assert report.anomalies == []


async def test_on_sqlite_an_acknowledged_commit_survives_kill_9_and_any_other_is_whole_or_absent(
    tmp_path: Path,
) -> None:
    report = await torture(
        Round(SEED, 2.0, hubs=1, faults=CRASHES, sights=SIGHTS), f"sqlite:///{tmp_path / 'torture.sqlite'}"
    )
    show(report)
    assert report.anomalies == []
    assert sum(report.history.faults[kind] for kind in CRASHES) >= 2


async def test_one_hub_on_sqlite_keeps_every_promise_while_sockets_break(tmp_path: Path) -> None:
    report = await torture(
        Round(SEED, 2.0, hubs=1, faults=SOCKETS, sights=SIGHTS), f"sqlite:///{tmp_path / 'torture.sqlite'}"
    )
    show(report)
    assert report.anomalies == []
    assert report.history.counts["retries"] > 0


@pytest.mark.torture
@pytest.mark.mongodb
async def test_two_hubs_keep_every_promise_and_say_how_they_are_while_the_whole_database_stands_still(
    members: ReplicaSet,
) -> None:
    async with fresh_database(members) as store:
        report = await torture(Round(SEED, 3.0, faults=("database frozen",), sights=SIGHTS // 4), store, members)
    show(report)
    assert report.anomalies == []
    assert report.history.faults["database frozen"] > 0
    assert "cannot be used" not in report.printed, "what passes is not told as if it were for good"


@pytest.mark.torture
@pytest.mark.mongodb
@pytest.mark.parametrize("seed", range(1, 4))
async def test_a_longer_round(members: ReplicaSet, seed: int) -> None:
    async with fresh_database(members) as store:
        report = await torture(Round(seed, 60.0), store, members)
    show(report)
    assert report.anomalies == []
