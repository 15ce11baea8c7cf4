"""Every suite of this repository, and at the end how long each took.

    python tests/suites.py           # all of them
    python tests/suites.py --fast    # style, and what needs neither a MongoDB nor a browser and is not marked as slow

Style is checked first, as that takes a second. Then pytest runs, and is seen as it goes; beside it the other suites run, one
after the other, and each prints what it has to say when it has ended. An interrupt ends them and whatever they have started.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import signal
import sys
import time
from asyncio.subprocess import PIPE, STDOUT, Process
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
BIN = Path(sys.executable).parent
MOST_PROCESSES = 4
GRACE = 15.0
"""Seconds that a suite which is interrupted has to end in good order."""


@dataclass(frozen=True)
class Suite:
    """Commands that are run in a folder one after the other, until one fails.

    Attributes:
        seen: Whether what it prints is seen as it comes, not when it has ended.
    """

    name: str
    commands: Sequence[Sequence[str]]
    folder: str = "."
    seen: bool = False


@dataclass(frozen=True)
class Result:
    """How a suite ended."""

    name: str
    seconds: float
    good: bool

    def __str__(self) -> str:
        minutes, seconds = divmod(round(self.seconds), 60)
        return f"{self.name:<20} {minutes:>3}:{seconds:02}  {'' if self.good else 'FAILED'}".rstrip()


def tool(name: str, *arguments: str) -> list[str]:
    return [str(BIN / name), *arguments]


def pytest(*arguments: str) -> list[str]:
    # One more than there are cores, as many tests wait for databases and for processes of their own.
    processes = min(MOST_PROCESSES, (os.cpu_count() or 1) + 1)
    return tool("pytest", "--numprocesses", str(processes), "--dist", "worksteal", "--durations", "25", *arguments)


STYLE = Suite("style", [tool("ruff", "check", "."), tool("ruff", "format", "--check", ".")])
TYPES = Suite("types", [tool("mypy")])
CLIENT = Suite("JavaScript client", [["npm", "test"], ["npm", "run", "build"], ["npm", "run", "size"]], "clients/js")
DESK = Suite("Motion Desk", [["npm", "test"]], "apps/motion/desk")
DASHBOARD = Suite("dashboard", [["npm", "test"]], "server/dashboard")
BROWSER = Suite("browser", [["npm", "test"]], "tests/browser")
PYTHON = Suite("pytest", [pytest()], seen=True)
QUICK = ["--hypothesis-profile", "fast", "-m", "not mongodb and not torture and not slow", "--ignore", "tests/torture"]
FAST = Suite("pytest, fast", [pytest(*QUICK)], seen=True)


async def run_lanes(*lanes: Iterable[Suite]) -> list[Result]:
    """Run lanes beside each other; in each, one suite after the other, whether or not one before has failed."""
    return [result for results in await asyncio.gather(*map(_run_lane, lanes)) for result in results]


async def _run_lane(suites: Iterable[Suite]) -> list[Result]:
    return [await run(suite) for suite in suites]


async def run(suite: Suite) -> Result:
    """Run a suite.

    Raises:
        asyncio.CancelledError: It was interrupted; its processes have ended.
    """
    began = time.monotonic()
    printed: list[str] = []
    if suite.seen:
        print(f"--- {suite.name}", flush=True)
    good = True
    for command in suite.commands:
        good = good and await _call(command, suite, printed) == 0
    result = Result(suite.name, time.monotonic() - began, good)
    if not suite.seen:
        print(f"\n--- {result}", *printed, sep="\n", flush=True)
    return result


async def _call(command: Sequence[str], suite: Suite, printed: list[str]) -> int:
    """Run a command, in a group of processes of its own; give its exit code."""
    out, errors = (None, None) if suite.seen else (PIPE, STDOUT)
    process = await asyncio.create_subprocess_exec(
        *command, cwd=ROOT / suite.folder, env=environment(), process_group=0, stdout=out, stderr=errors
    )
    try:
        text, _ = await process.communicate()
    finally:
        await _end_group(process)
    if text:
        printed.append(text.decode(errors="replace"))
    return process.returncode or 0


def environment() -> dict[str, str]:
    """Give the variables of this process, but let Python keep what it compiles: the tests start hundreds of processes."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


async def _end_group(process: Process) -> None:
    """End a process that goes on, and what it has left behind: in good order if there is time."""
    for number in (signal.SIGINT, signal.SIGTERM):
        if process.returncode is None:
            _signal_group(process, number)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(process.wait(), GRACE)
    _signal_group(process, signal.SIGKILL)


def _signal_group(process: Process, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, number)


async def run_all(*, fast: bool) -> list[Result]:
    """Run all suites, or the fast ones, as long as the style is good; an end that is asked for is an interrupt."""
    task = asyncio.current_task()
    assert task is not None
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    results = await run_lanes([STYLE])
    if results[0].good:
        results += (
            await run_lanes([FAST]) if fast else await run_lanes([PYTHON], [TYPES, CLIENT, DESK, DASHBOARD, BROWSER])
        )
    return results


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--fast", action="store_true")
    began = time.monotonic()
    try:
        results = asyncio.run(run_all(fast=parser.parse_args().fast))
    except (KeyboardInterrupt, asyncio.CancelledError):
        sys.exit("interrupted")
    good = all(result.good for result in results)
    print("\n".join(map(str, ["", *results, Result("all", time.monotonic() - began, good)])))
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
