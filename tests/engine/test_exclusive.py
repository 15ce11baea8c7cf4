"""Mutations that run alone: whom they hold up, and whom not."""

from __future__ import annotations

import asyncio

import pytest

from helpers.patience import PATIENCE
from synovia import keys
from synovia.engine.exclusive import Claim, Exclusive
from synovia.store.base import Write
from synovia.transaction.keyed import KeyedCommit
from synovia.transaction.readset import ReadSet


def commit_of(*names: str) -> KeyedCommit:
    return KeyedCommit(0, [Write("items", name, None, {"_id": name}) for name in names])


def claim_of(read: str = "", written: str = "") -> Claim:
    """Give what a mutation claims that has read and written items of one letter each; everything, if it has read none."""
    claim = Claim(everything=not read)
    claim.extend(ReadSet({("items", keys.encode_value(name)) for name in read}), commit_of(*written))
    return claim


ANY = commit_of("any")


async def test_they_run_alone_one_after_the_other_and_those_held_up_come_between() -> None:
    alone, order = Exclusive(), list[str]()

    async def run(name: str) -> None:
        async with alone.alone(claim_of("x", "x")):
            order.append(name)
            await asyncio.sleep(0.001)
            order.append(name)

    async def beside() -> None:
        await alone.free(commit_of("x"))
        order.append("beside")

    async with asyncio.timeout(PATIENCE):
        await asyncio.gather(run("a"), run("b"), beside(), run("c"))
    assert order == ["a", "a", "beside", "b", "b", "c", "c"]


async def test_who_writes_nothing_that_was_read_is_staged_beside_one_that_runs_alone() -> None:
    alone = Exclusive()
    async with asyncio.timeout(PATIENCE), alone.alone(claim_of("xy", "x")):
        await alone.free(commit_of("z"))
        held_up = asyncio.create_task(alone.free(commit_of("z", "y")))
        async with alone.alone(claim_of("z", "z")) as turn:
            await alone.free(commit_of("z"), turn)
            later = asyncio.create_task(alone.free(commit_of("z")))
            await asyncio.sleep(0)
            assert not later.done()
        await later
        assert not held_up.done()
    await held_up


@pytest.mark.parametrize(("read", "written"), [("x", "z"), ("z", "y"), ("", "")])
async def test_of_two_that_may_overtake_each_other_the_second_runs_when_the_first_is_done(
    read: str, written: str
) -> None:
    alone, first = Exclusive(), claim_of("xy", "x")

    async def second() -> None:
        async with alone.alone(claim_of(read, written)):
            pass

    async with asyncio.timeout(PATIENCE), alone.alone(first):
        waiting = asyncio.create_task(second())
        await asyncio.sleep(0.001)
        assert not waiting.done()
    await waiting


async def test_who_runs_alone_for_too_long_holds_up_nobody() -> None:
    alone = Exclusive()
    async with asyncio.timeout(PATIENCE), alone.alone(claim_of(), 0.01):
        await alone.free(ANY)
        async with alone.alone(claim_of(), 0.01):
            await alone.free(ANY)
    await alone.free(ANY)


async def test_who_gives_up_waiting_for_its_turn_leaves_it_to_the_next() -> None:
    alone = Exclusive()

    async def run() -> bool:
        async with alone.alone(claim_of()):
            return True

    async with asyncio.timeout(PATIENCE):
        async with alone.alone(claim_of()):
            tasks = [asyncio.create_task(run()) for _ in range(3)]
            await asyncio.sleep(0)
            tasks[0].cancel()
        tasks[1].cancel()
        assert await tasks[2]
        await alone.free(ANY)


async def test_one_of_those_who_waited_that_then_runs_alone_lets_the_others_by() -> None:
    alone, order = Exclusive(), list[str]()

    async def overtaken(name: str) -> None:
        await alone.free(ANY)
        async with alone.alone(claim_of()):
            order.append(name)
            await asyncio.sleep(0)

    async def goes_by() -> None:
        await alone.free(ANY)
        order.append("goes by")

    async with asyncio.TaskGroup() as tasks, alone.alone(claim_of()):
        for work in (overtaken("first"), overtaken("second"), goes_by()):
            tasks.create_task(work)
        await asyncio.sleep(0)
    assert order == ["goes by", "first", "second"]
