"""What functions log is shown to clients in development, once, whichever way they are called."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from importlib import import_module
from typing import Any

import pytest
from httpx2 import AsyncClient

from helpers.convex_wire import KIT, add, convex_wire
from helpers.sync_server import Running, serving
from synovia import MutationContext
from synovia.functions.log_lines import MOST_LINES, LogLine, collected, note

NOISY = ["[INFO] 'one line {\\'a\\': 1}'", "[WARN] 'another line'"]
NPM = {"Convex-Client": "npm-1.48.0"}


@pytest.fixture(params=[True, False], ids=["development", "production"])
def development(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


@pytest.fixture
async def logging_hub(development: bool, caplog: pytest.LogCaptureFixture) -> AsyncIterator[Running]:
    caplog.set_level(logging.INFO, "convex_kit.logs")
    async with serving(application=KIT, settings={"convex": True}, development=development) as running:
        yield running


def shown(development: bool, *lines: str) -> list[str]:
    return list(lines) if development else []


async def test_mutations_and_actions(logging_hub: Running, development: bool) -> None:
    async with convex_wire(logging_hub.port) as wire:
        await wire.follow()
        assert (await wire.mutate("logs:noisy"))["logLines"] == shown(development, *NOISY)
        failed = await wire.mutate("logs:noisyFailure")
        assert failed["logLines"] == shown(development, "[ERROR] 'about to fail'")
        await wire.call("Action", "logs:noisyAction")
        answer = await wire.until("ActionResponse")
        assert answer["logLines"] == shown(development, "[INFO] 'before'", *NOISY, "[INFO] 'after'")


async def test_queries_in_transitions(logging_hub: Running, development: bool) -> None:
    async with convex_wire(logging_hub.port) as wire:
        first = await wire.follow(add(0, "logs:noisyQuery", {"name": "n"}))
        assert first["modifications"][0]["logLines"] == shown(development, "[INFO] 'n is 0'")
        await wire.call("Mutation", "counter:increment", {"name": "n"})
        while wire.results[0] == 0:
            last = await wire.next()
        assert last["modifications"][0]["logLines"] == shown(development, "[INFO] 'n is 1'")


@pytest.mark.parametrize(
    ("kind", "path", "args", "lines"),
    [
        ("query", "logs:noisyQuery", {"name": "n"}, ["[INFO] 'n is 0'"]),
        ("mutation", "logs:noisy", {}, NOISY),
        ("mutation", "logs:noisyFailure", {}, ["[ERROR] 'about to fail'"]),
        ("action", "logs:noisyAction", {}, ["[INFO] 'before'", *NOISY, "[INFO] 'after'"]),
        ("mutation", "counter:increment", {"name": "n"}, []),
    ],
)
async def test_single_calls(
    logging_hub: Running, development: bool, kind: str, path: str, args: dict[str, Any], lines: list[str]
) -> None:
    async with AsyncClient(base_url=f"http://127.0.0.1:{logging_hub.port}") as web:
        answer = (await web.post(f"/api/{kind}", json={"path": path, "args": args}, headers=NPM)).json()
    assert answer.get("logLines", []) == shown(development, *lines)
    assert answer["status"] == ("error" if path.endswith("Failure") else "success")


async def test_a_run_that_was_overtaken_leaves_no_lines(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "convex_kit.logs")
    runs = 0
    async with serving(application=KIT, development=True) as running:
        engine = running.app.engine
        add_one = import_module("convex_kit.counter").add_one

        async def work(ctx: MutationContext) -> None:
            nonlocal runs
            runs += 1
            logging.getLogger("convex_kit.logs").info("run %d", runs)
            await add_one(ctx, "n")
            if runs == 1:
                await engine.mutate("counter:increment", {"name": "n"}, None)

        outcome = await engine.transact(work)
    assert outcome.log_lines == (LogLine(logging.INFO, f"run {runs}"),)
    assert runs == 2


def test_a_run_keeps_a_bounded_number_of_lines() -> None:
    with collected() as lines:
        for number in range(3):
            note([LogLine(logging.INFO, str(number))] * (MOST_LINES - 1))
    assert len(lines) == MOST_LINES
