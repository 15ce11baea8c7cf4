"""``python -m torture.large_table``: a table of a million documents on the dashboard, in a real Chromium, on both stores.

An operator opens it, scrolls down and up for eight seconds each, sorts, filters with and without an index, and searches
for a text. What is printed of each step: how long it took, and how far apart frames were drawn that went by meanwhile
(16.7 ms are 60 a second): 95 of 100, and the longest. Exit code 1 if a step does not come to its end, if a frame comes later
than 167 ms, or, of a hundred frames and more, one in twenty later than 50 ms: a machine with other work does not draw as
fast either.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import shutil
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from bson import ObjectId

from helpers.mongod import free_port, running_mongod
from synovia.schema import TableSpec
from synovia.store import open_store
from synovia.store.base import Batch, Write

ROOT = Path(__file__).resolve().parents[2]
BATCH = 5_000
STEP = 7_919
"""A prime: names are not in the order of ids."""
MANY = 100
SOON_MS = 50.0
"""So soon 95 of 100 frames come after the ones before, where there are many."""
LONGEST_MS = 167.0


async def fill(url: str, documents: int) -> None:
    """Write the patients of the application ``operated``."""
    store = open_store(url)
    await store.open([TableSpec("patients")])
    try:
        for start in range(0, documents, BATCH):
            made = [_patient(number, documents) for number in range(start, min(start + BATCH, documents))]
            await store.commit(Batch([Write("patients", each["_id"], None, each) for each in made]))
    finally:
        await store.close()


def _patient(number: int, documents: int) -> dict[str, Any]:
    born = ObjectId.from_datetime(datetime.fromtimestamp(1_700_000_000 + number // 1000, UTC)).binary[:4]
    name = f"patient {number * STEP % documents:07}"
    return {
        "_id": ObjectId(born + number.to_bytes(8, "big")),
        "name": name,
        "age": number % 90,
        "city": f"city {number % 50}",
    }


@contextmanager
def hub(store: str) -> Iterator[str]:
    """Run the hub for development; give the address of its dashboard."""
    port = free_port()
    command = [sys.executable, "-m", "synovia.cli", "dev", str(ROOT / "tests" / "apps" / "operated.py"), "--no-reload"]
    with subprocess.Popen([*command, "--port", str(port), "--store", store], stdout=subprocess.DEVNULL) as process:
        try:
            address = f"http://127.0.0.1:{port}/_synovia/"
            asyncio.run(_answering(address))
            yield address
        finally:
            process.terminate()


async def _answering(address: str) -> None:
    """Wait until the hub is there: at first it makes its indexes."""
    async with asyncio.timeout(300):
        while True:
            try:
                await asyncio.to_thread(lambda: urllib.request.urlopen(address).close())
                return
            except OSError:
                await asyncio.sleep(0.2)


def look(store: str) -> bool:
    """Go over the table; tell whether nothing stuttered."""
    chromium = os.environ.get("SYNOVIA_TEST_CHROMIUM") or shutil.which("chromium") or sys.exit("there is no Chromium")
    node = shutil.which("node") or sys.exit("there is no Node.js")
    with hub(store) as address:
        command = [node, "trials/large-table.mjs", chromium, address]
        done = subprocess.run(command, cwd=ROOT / "tests" / "browser", stdout=subprocess.PIPE, text=True, check=False)
    steps = [json.loads(line) for line in done.stdout.splitlines()]
    for each in steps:
        frames = f"frames {each['p95']:.0f} ms apart, at most {each['longest']:.0f} ms"
        print(
            f"{urlsplit(store).scheme}: {each['name']}: {each['seconds']:.2f} s; {frames}  {each['note']}", flush=True
        )
    return done.returncode == 0 and all(_is_smooth(each) for each in steps)


def _is_smooth(step: dict[str, Any]) -> bool:
    return bool(step["longest"] <= LONGEST_MS and (step["frames"] < MANY or step["p95"] <= SOON_MS))


def main() -> None:
    """Do it on both stores."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--documents", type=int, default=1_000_000)
    parser.add_argument(
        "--wait", action="store_true", help="fill both tables, and look at them after a line on standard input"
    )
    arguments = parser.parse_args()
    with running_mongod() as uri, tempfile.TemporaryDirectory(prefix="synovia-table-") as folder:
        mongodb = urlsplit(uri)._replace(path=f"/large_{os.getpid()}").geturl()
        stores = (f"sqlite:///{folder}/large.db", mongodb)
        for store in stores:
            asyncio.run(fill(store, arguments.documents))
        if arguments.wait:
            print("filled", flush=True)
            sys.stdin.readline()
        smooth = [look(store) for store in stores]
    if not all(smooth):
        sys.exit("it stutters, or does not come to its end")


if __name__ == "__main__":
    main()
