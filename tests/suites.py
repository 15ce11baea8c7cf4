"""Every suite of this repository, and at the end how long each took.

    python tests/suites.py           # all of them
    python tests/suites.py --fast    # style, and what needs neither a MongoDB nor a browser and is not marked as slow

Style is checked first, as that takes a second. Then pytest runs, and is seen as it goes; beside it the other suites run, one
after the other, and each prints what it has to say when it has ended. An interrupt ends them and whatever they have started.

A few tests that fail while everything else runs are tried once more when it has ended, alone: what passes then depends on
how busy the machine is. That is a fault, too, and its names are printed, but it does not turn the run away.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import signal
import sys
import time
from asyncio.subprocess import PIPE, STDOUT, Process
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
BIN = Path(sys.executable).parent
MOST_PROCESSES = 4
GRACE = 15.0
"""Seconds that a suite which is interrupted has to end in good order."""
TESTS_FAILED = 1
"""The exit code of pytest and Vitest if they have run to their end and a test has failed."""
TIMED_OUT = 124
LIMIT = 55 * 60.0
"""Seconds that a command may take: several times what the longest one needs, and less than continuous integration gives."""


@dataclass(frozen=True)
class Suite:
    """Commands that are run in a folder one after the other, until one fails.

    Attributes:
        seen: Whether what it prints is seen as it comes, not when it has ended.
        again: Gives what tries once more the tests that have failed; None if what failed is no test.
    """

    name: str
    commands: Sequence[Sequence[str]]
    folder: str = "."
    seen: bool = False
    again: Callable[[], Suite | None] = lambda: None


@dataclass(frozen=True)
class Result:
    """How a suite ended.

    Attributes:
        again: What tries once more what has failed, if that may be an accident.
    """

    name: str
    seconds: float
    good: bool
    again: Suite | None = None

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
SMALL = Suite("small pages", [["npm", "test"]], "apps/pages")
DASHBOARD = Suite("dashboard", [["npm", "test"]], "server/dashboard")
REPORT = ROOT / "build" / "browser.json"
REPORTERS = ["--reporter", "default", "--reporter", "json", f"--outputFile.json={REPORT}"]
PYTHON_AGAIN = Suite(
    "pytest, again",
    [tool("pytest", "--verbose", "--last-failed", "--last-failed-no-failures", "none", "--maxfail", "3")],
)
PYTHON = Suite("pytest", [pytest("--cache-clear")], seen=True, again=lambda: PYTHON_AGAIN)
BROWSER = Suite("browser", [["npm", "test", "--", *REPORTERS]], "tests/browser", again=lambda: browser_again(REPORT))
QUICK = ["--hypothesis-profile", "fast", "-m", "not mongodb and not torture and not slow", "--ignore", "tests/torture"]
FAST = Suite("pytest, fast", [pytest(*QUICK)], seen=True)


def browser_again(report: Path) -> Suite | None:
    """Give a suite of the files in which a test failed, of which a report of Vitest tells."""
    files = json.loads(report.read_text())["testResults"] if report.exists() else []
    failed = sorted({Path(each["name"]).name for each in files if each["status"] == "failed"})
    return Suite("browser, again", [["npx", "vitest", "run", *failed]], BROWSER.folder) if failed else None


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
    code = 0
    for command in suite.commands:
        code = code or await _call(command, suite, printed)
    again = suite.again() if code == TESTS_FAILED else None
    result = Result(suite.name, time.monotonic() - began, code == 0, again)
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
        async with asyncio.timeout(LIMIT):
            text, _ = await process.communicate()
    except TimeoutError:
        print(f"{suite.name}: {' '.join(command)} has not ended within {LIMIT:.0f} s", flush=True)
        return TIMED_OUT
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
    REPORT.unlink(missing_ok=True)
    results = await run_lanes([STYLE])
    if results[0].good:
        results += (
            await run_lanes([FAST])
            if fast
            else await run_lanes([PYTHON], [TYPES, CLIENT, DESK, SMALL, DASHBOARD, BROWSER])
        )
    return await tried_again(results)


async def tried_again(results: Sequence[Result]) -> list[Result]:
    """Try once more, alone, what has failed and may pass; the attempt stands in for what failed, and is named."""
    return [await run(each.again) if each.again else each for each in results]


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
