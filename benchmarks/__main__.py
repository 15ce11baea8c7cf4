"""``python -m benchmarks [NAME ...] [--quick]``: run benchmarks, all of them by default, and print a table.

The exit code is 0 whether or not the aims are met, unless ``--strict`` is given.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import platform
from collections.abc import Awaitable, Callable
from pathlib import Path
from time import perf_counter

from rich.console import Console

from benchmarks import (
    aggregates,
    arrays,
    attacks,
    buyers,
    cost,
    fanout,
    floods,
    growth,
    guests,
    hubs,
    latency,
    live,
    mutations,
    nearest,
    operator_pages,
    page,
    presence,
    queries,
    search,
    shared,
    size,
    transfer,
    waits,
    window,
    work,
    workers,
)  # fmt: skip
from benchmarks.peers import comparison
from benchmarks.report import markdown, put_into_documents, table
from benchmarks.results import Result, Setting
from helpers.mongod import running_mongod

BENCHMARKS: dict[str, Callable[[Setting], Awaitable[Result]]] = {
    "latency": latency.run,
    "fanout": fanout.run,
    "cost": cost.run,
    "queries": queries.run,
    "search": search.run,
    "nearest": nearest.run,
    "aggregates": aggregates.run,
    "arrays": arrays.run,
    "mutations": mutations.run,
    "hubs": hubs.run,
    "transfer": transfer.run,
    "buyers": buyers.run,
    "live": live.run,
    "floods": floods.run,
    "work": work.run,
    "attacks": attacks.run,
    "waits": waits.run,
    "workers": workers.run,
    "size": size.run,
    "growth": growth.run,
    "peers": comparison.run,
    "page": page.run,
    "presence": presence.run,
    "shared": shared.run,
    "dashboard": operator_pages.run,
    "window": window.run,
    "guests": guests.run,
}

_DOCS = Path(__file__).parents[1] / "docs"


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
    parser.add_argument("--full", action="store_true", help="the largest sizes of growth too, which take minutes more")
    parser.add_argument(
        "--docs", action="store_true", help="put figures and pictures into docs/, where they have a place"
    )
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
        setting = Setting(uri, quick=arguments.quick, profile=arguments.profile, full=arguments.full)
        results = asyncio.run(_run(arguments.names or list(BENCHMARKS), setting, console))
    if arguments.markdown:
        print(markdown(results))
    else:
        console.print(table(results))
    conditions = f"Python {platform.python_version()}, {os.cpu_count()} cores"
    conditions += f"; other programs kept {busy:.1f} of them busy in the minute before"
    conditions += "; few and short rounds." if setting.quick else "."
    print(conditions)
    if arguments.docs:
        for file in put_into_documents(results, _DOCS, conditions):
            print(f"wrote {file.relative_to(_DOCS.parent)}")
    missed = any(row.met is False for result in results for row in result.rows)
    return 1 if arguments.strict and missed else 0


if __name__ == "__main__":
    raise SystemExit(main())
