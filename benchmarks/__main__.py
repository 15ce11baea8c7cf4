"""``python -m benchmarks [NAME ...] [--quick]``: run benchmarks, all of them by default, and print a table.

The exit code is 0 whether or not the aims are met, unless ``--strict`` is given.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from time import perf_counter

from rich.console import Console

from benchmarks import (
    arrays,
    cost,
    fanout,
    floods,
    guests,
    hubs,
    latency,
    live,
    mutations,
    operator_pages,
    page,
    queries,
    size,
    transfer,
    waits,
    window,
    work,
)  # fmt: skip
from benchmarks.report import markdown, table
from benchmarks.results import Result, Setting
from helpers.mongod import running_mongod

BENCHMARKS: dict[str, Callable[[Setting], Awaitable[Result]]] = {
    "latency": latency.run,
    "fanout": fanout.run,
    "cost": cost.run,
    "queries": queries.run,
    "arrays": arrays.run,
    "mutations": mutations.run,
    "hubs": hubs.run,
    "transfer": transfer.run,
    "live": live.run,
    "floods": floods.run,
    "work": work.run,
    "waits": waits.run,
    "size": size.run,
    "page": page.run,
    "dashboard": operator_pages.run,
    "window": window.run,
    "guests": guests.run,
}


async def _run(names: list[str], setting: Setting, console: Console) -> list[Result]:
    results = []
    for name in names:
        start = perf_counter()
        with console.status(f"{name} ..."):
            results.append(await BENCHMARKS[name](setting))
        skipped = results[-1].skipped
        console.print(f"[dim]{name}: {perf_counter() - start:.0f} s[/]", highlight=False)
        if skipped:
            console.print(f"{name}: {skipped}", highlight=False)
    return results


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(BENCHMARKS))
    parser.add_argument("--quick", action="store_true", help="few and short rounds; rough figures")
    parser.add_argument("--strict", action="store_true", help="exit code 1 if an aim is not met")
    parser.add_argument("--markdown", action="store_true", help="print the table as Markdown")
    parser.add_argument(
        "--profile", metavar="DIR", help="leave a profile of every hub there; figures are then too slow"
    )
    arguments = parser.parse_args()
    for name in arguments.names:
        if name not in BENCHMARKS:
            parser.error(f"there is no benchmark {name!r}: {', '.join(BENCHMARKS)}")
    return arguments


def main() -> int:
    """Run what the command line asks for; give the exit code."""
    arguments = _arguments()
    logging.basicConfig(level=logging.WARNING)
    console = Console()
    console = console if console.is_terminal else Console(width=140)
    if arguments.profile:
        Path(arguments.profile).mkdir(parents=True, exist_ok=True)
    busy = os.getloadavg()[0]
    with running_mongod() as uri:
        setting = Setting(uri, quick=arguments.quick, profile=arguments.profile)
        results = asyncio.run(_run(arguments.names or list(BENCHMARKS), setting, console))
    if arguments.markdown:
        print(markdown(results))
    else:
        console.print(table(results))
    print(f"{os.cpu_count()} cores; other programs kept {busy:.1f} of them busy in the minute before")
    missed = any(row.met is False for result in results for row in result.rows)
    return 1 if arguments.strict and missed else 0


if __name__ == "__main__":
    raise SystemExit(main())
