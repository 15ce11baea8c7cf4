"""Every suite of this repository, and at the end how long each took.

    python tests/suites.py           # all of them
    python tests/suites.py --fast    # style, and what needs neither a MongoDB nor a browser nor minutes

Short suites run beside each other, and each prints what it has to say when it has ended; then the long ones, one by one.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
BIN = Path(sys.executable).parent
BESIDE_EACH_OTHER = 2
MOST_PROCESSES = 4


@dataclass(frozen=True)
class Suite:
    """Commands that are run in a folder one after the other, until one fails."""

    name: str
    commands: Sequence[Sequence[str]]
    folder: str = "."


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
PYTHON = Suite("pytest", [pytest()])
FAST = Suite("pytest, fast", [pytest("-m", "not mongodb and not torture", "--ignore", "tests/torture")])
BROWSER = Suite("browser", [["npm", "test"]], "tests/browser")


def at_length(suite: Suite) -> Result:
    """Run a suite; what it prints is seen as it comes."""
    print(f"--- {suite.name}", flush=True)
    return _timed(suite, lambda command: subprocess.call(command, cwd=ROOT / suite.folder))


def in_short(suite: Suite) -> Result:
    """Run a suite beside others; what it prints is seen in one piece."""
    printed: list[str] = []

    def run(command: Sequence[str]) -> int:
        done = subprocess.run(
            command, cwd=ROOT / suite.folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
        )
        printed.append(done.stdout)
        return done.returncode

    result = _timed(suite, run)
    print(f"--- {suite.name}", *printed, sep="\n", flush=True)
    return result


def _timed(suite: Suite, run: Callable[[Sequence[str]], int]) -> Result:
    began = time.monotonic()
    good = all(run(command) == 0 for command in suite.commands)
    return Result(suite.name, time.monotonic() - began, good)


def run_all(short: Iterable[Suite], long: Iterable[Suite]) -> list[Result]:
    """Run short suites beside each other, and then long ones as long as all goes well."""
    with ThreadPoolExecutor(BESIDE_EACH_OTHER) as threads:
        results = list(threads.map(in_short, short))
    for suite in long:
        if all(result.good for result in results):
            results.append(at_length(suite))
    return results


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--fast", action="store_true")
    fast = parser.parse_args().fast
    began = time.monotonic()
    results = run_all([STYLE], [FAST]) if fast else run_all([TYPES, CLIENT, DESK, DASHBOARD, STYLE], [PYTHON, BROWSER])
    print("\n".join(map(str, [*results, Result("all", time.monotonic() - began, all(each.good for each in results))])))
    sys.exit(0 if all(result.good for result in results) else 1)


if __name__ == "__main__":
    main()
