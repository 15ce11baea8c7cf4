"""Several hubs, real processes on one MongoDB, killed and started again: each call once, each time of a cron once."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from helpers.patience import PATIENCE
from synovia_client import Client
from torture.processes import HubProcess, running_hubs

APPLICATION = Path(__file__).parents[1] / "apps" / "racing.py"
LEASE_SECONDS = 2
NEVER_OVER = 3_600

pytestmark = pytest.mark.mongodb


@pytest.fixture
async def hubs(
    mongodb_uri: str, database_name: str, tmp_path: Path, request: pytest.FixtureRequest
) -> AsyncIterator[tuple[HubProcess, HubProcess]]:
    store = urlsplit(mongodb_uri)._replace(path=f"/{database_name}").geturl()
    lease = {"SYNOVIA_SCHEDULER_LEASE": str(getattr(request, "param", LEASE_SECONDS))}
    pair = [HubProcess(store, tmp_path / f"hub{n}.log", application=APPLICATION, **lease) for n in (1, 2)]
    async with running_hubs(*pair):
        yield pair[0], pair[1]


@asynccontextmanager
async def client_of(hub: HubProcess) -> AsyncIterator[Client]:
    async with Client(hub.url, proxy=None) as client:
        yield client


async def plan(client: Client, path: str, first: int, count: int, *, milliseconds: int) -> None:
    """Schedule ``count`` calls, spread over so many milliseconds."""
    await client.mutation("racing:plan", {"path": path, "first": first, "count": count, "milliseconds": milliseconds})


async def reached(client: Client, condition: Callable[[dict[str, int]], bool]) -> dict[str, int]:
    """Wait until the schedule is where it should be."""
    async with asyncio.timeout(PATIENCE):
        async for progress in client.subscribe("racing:progress"):
            if condition(progress):
                return dict(progress)
    raise AssertionError("the subscription has ended")


async def all_runs(client: Client) -> tuple[Counter[str], list[int]]:
    """Give how often each call was run, and when the cron was."""
    found: list[dict[str, Any]] = await client.query("racing:runs")
    names = Counter(run["name"] for run in found)
    del names["tick"]
    return names, sorted(run["at"] for run in found if run["name"] == "tick")


async def assert_each_told_once(client: Client, expected: Counter[str]) -> None:
    """Each call is said to be over exactly once, however often an action was run."""
    ends: list[dict[str, Any]] = await client.query("racing:ends")
    assert Counter(end["name"] for end in ends) == expected
    assert {end["status"] for end in ends} == {"done"}


def calls(path: str, first: int, count: int) -> Counter[str]:
    return Counter({f"{path} {number}": 1 for number in range(first, first + count)})


async def assert_each_second_once(client: Client, ticks: list[int]) -> None:
    """A cron that runs late begins no second but its own: so no two runs are in one second of its rhythm."""
    beat = await client.query("racing:beat")
    assert len({(at - beat) // 1000 for at in ticks}) == len(ticks)


async def test_two_hubs_run_each_call_once(hubs: tuple[HubProcess, HubProcess]) -> None:
    async with client_of(hubs[0]) as one, client_of(hubs[1]) as two:
        await asyncio.gather(
            plan(one, "racing:leave", 0, 100, milliseconds=500), plan(two, "racing:leave", 100, 100, milliseconds=500)
        )
        end = await reached(two, lambda progress: progress["done"] >= 200 and progress["tick"] >= 3)
        runs, ticks = await all_runs(two)
        assert (end["failed"], end["pending"]) == (0, 0)
        assert runs == calls("racing:leave", 0, 200)
        await assert_each_told_once(two, runs)
        await assert_each_second_once(two, ticks)


async def test_each_call_is_run_once_though_hubs_are_killed_and_started_again(
    hubs: tuple[HubProcess, HubProcess],
) -> None:
    first, second = hubs
    async with client_of(second) as client:
        async with client_of(first) as planner:
            await plan(planner, "racing:leave", 0, 200, milliseconds=2_000)
        await reached(client, lambda progress: progress["done"] >= 50)
        first.kill()
        await reached(client, lambda progress: progress["done"] >= 120)
        await first.start()
        await reached(client, lambda progress: progress["done"] >= 200)
    second.kill()
    async with client_of(first) as client:
        ticks_before = len((await all_runs(client))[1])
        await plan(client, "racing:leave", 200, 20, milliseconds=100)
        end = await reached(client, lambda now: now["done"] >= 220 and now["tick"] > ticks_before + 2)
        runs, ticks = await all_runs(client)
        assert (end["failed"], end["pending"]) == (0, 0)
        assert runs == calls("racing:leave", 0, 220)
        await assert_each_told_once(client, runs)
        await assert_each_second_once(client, ticks)


async def test_what_came_due_while_no_hub_was_there_runs_when_one_is(hubs: tuple[HubProcess, HubProcess]) -> None:
    first, second = hubs
    second.kill()
    async with client_of(first) as client:
        await plan(client, "racing:leave", 0, 200, milliseconds=1_000)
        before = await reached(client, lambda progress: progress["done"] >= 5)
    first.kill()
    assert before["done"] < 200
    await second.start()
    async with client_of(second) as client:
        await reached(client, lambda progress: progress["done"] >= 200)
        assert (await all_runs(client))[0] == calls("racing:leave", 0, 200)


async def test_actions_of_a_killed_hub_are_taken_over_by_their_policy(hubs: tuple[HubProcess, HubProcess]) -> None:
    first, second = hubs
    async with client_of(second) as client:
        async with client_of(first) as planner:
            await plan(planner, "racing:leave_by_action", 0, 100, milliseconds=500)
        await reached(client, lambda progress: progress["done"] >= 10)
        first.kill()
        end = await reached(client, lambda progress: progress["done"] >= 100)
        runs, _ = await all_runs(client)
        assert (end["failed"], end["running"]) == (0, 0)
        assert set(calls("racing:leave_by_action", 0, 100)) <= set(runs)  # at least once: that is what the policy says
        await assert_each_told_once(client, calls("racing:leave_by_action", 0, 100))


@pytest.mark.parametrize("hubs", [NEVER_OVER], indirect=True, ids=["whatever its lease"])
async def test_a_hub_that_stops_gives_back_what_it_was_to_run(hubs: tuple[HubProcess, HubProcess]) -> None:
    first, second = hubs
    async with client_of(second) as client:
        async with client_of(first) as planner:
            await plan(planner, "racing:leave_by_action", 0, 100, milliseconds=500)
        await reached(client, lambda progress: progress["done"] >= 10)
        await asyncio.to_thread(first.stop)
        end = await reached(client, lambda progress: progress["done"] >= 100)
        assert (end["failed"], end["running"]) == (0, 0)
        assert (await all_runs(client))[0] == calls("racing:leave_by_action", 0, 100)
        await assert_each_told_once(client, calls("racing:leave_by_action", 0, 100))
