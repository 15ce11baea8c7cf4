"""``python -m torture.large_export``: a large database out of one store and into the other one, imports being killed.

Documents and arrays are made in MongoDB, exported, and restored into a SQLite file by a command that is killed twice and
run again; then the same from SQLite into MongoDB. Each restore compares the database with the file; then both databases are
read side by side, document by document and chunk by chunk of the arrays, and the digests of an export of the second have to
be those of the first, table by table. What is printed of memory is the most that the process of each command had
(``VmHWM``; Linux only). Exit code 1 if something is not so.
"""

from __future__ import annotations

import argparse
import asyncio
import datetime as dt
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import bson
import numpy as np
from pymongo import MongoClient

from helpers.exported_store import reference
from helpers.mongod import running_mongod
from synovia.export.writing import documents_of
from synovia.schema import TableSpec
from synovia.store import open_store
from synovia.store.arrays import write_array
from synovia.store.base import Batch, Store, Write

BATCH = 1000
ARRAY_MEGABYTES = 100
MEGABYTE = 1_000_000
BYTES_OF_A_DOCUMENT = 60
"""Less than it takes in either store: an import that has written half of them by this is amid the documents."""


@dataclass
class Ended:
    """A command that has come to its end.

    Attributes:
        peak: The most memory it had, in bytes.
    """

    code: int
    seconds: float
    peak: int
    out: str


def run(*arguments: str, until: Callable[[], bool] | None = None) -> Ended:
    """Run a command of Synovia's; kill it as soon as ``until`` holds."""
    began = time.monotonic()
    with tempfile.TemporaryFile("w+") as out:
        process = subprocess.Popen([sys.executable, "-m", "synovia.cli", *arguments], stdout=out, stderr=out)
        peak = 0
        while process.poll() is None:
            peak = max(peak, peak_of(process.pid))
            if until is not None and until():
                os.kill(process.pid, signal.SIGKILL)
                until = None
            time.sleep(0.05)
        out.seek(0)
        return Ended(process.returncode, time.monotonic() - began, peak, out.read())


def peak_of(process: int) -> int:
    """Give the most memory that a process has had, in bytes; 0 if it has gone."""
    try:
        text = Path(f"/proc/{process}/status").read_text(encoding="ascii")
    except ProcessLookupError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in text.splitlines() if line.startswith("VmHWM")), 0)


def told(what: str, ended: Ended) -> None:
    """Say how a command has ended."""
    print(f"{what}: {ended.seconds:,.0f} s, at most {ended.peak / MEGABYTE:,.0f} MB of memory", flush=True)


def check(ended: Ended, code: int = 0) -> None:
    """Stop everything unless a command ended as it should."""
    if ended.code != code:
        sys.exit(f"exit code {ended.code}, not {code}: {ended.out}")


# --- filling ------------------------------------------------------------------------------------------------------------


async def fill(url: str, documents: int, megabytes: int) -> None:
    """Write documents of several types, and arrays of random numbers to which some of them refer."""
    store = open_store(url)
    await store.open([TableSpec("notes"), TableSpec("recordings")])
    try:
        for start in range(0, documents, BATCH):
            made = [_note(number) for number in range(start, min(start + BATCH, documents))]
            await _insert(store, "notes", made)
        generator = np.random.default_rng(1)
        for number in range(-(-megabytes // ARRAY_MEGABYTES)):
            ref = await write_array(store.arrays, generator.random(ARRAY_MEGABYTES * MEGABYTE // 8))
            await _insert(store, "recordings", [{"_id": f"r{number:04}", "samples": reference(ref)}])
    finally:
        await store.close()


def _note(number: int) -> dict[str, Any]:
    at = dt.datetime(2026, 1, 1, tzinfo=dt.UTC) + dt.timedelta(seconds=number)
    return {
        "_id": f"n{number:09}",
        "text": f"note {number} é",
        "number": number,
        "value": number / 7,
        "at": at,
        "tags": ["a", number % 10],
    }


async def _insert(store: Store, table: str, documents: Sequence[dict[str, Any]]) -> None:
    await store.commit(Batch([Write(table, each["_id"], None, each) for each in documents]))


# --- over and back --------------------------------------------------------------------------------------------------------


def export(url: str, file: Path) -> dict[str, Any]:
    """Export a database; give the manifest."""
    ended = run("backup", str(file), "--store", url, "--json")
    check(ended)
    told(f"export from {urlsplit(url).scheme} ({file.stat().st_size / MEGABYTE:,.0f} MB)", ended)
    found: dict[str, Any] = json.loads(ended.out)
    return found


def restore(url: str, file: Path, size: Callable[[], int], marks: Sequence[int]) -> None:
    """Restore a file by a command that is killed each time the database has reached a mark of bytes."""
    command = "restore", str(file), "--store", url
    for mark in marks:
        ended = run(*command, until=lambda mark=mark: size() >= mark)  # type: ignore[misc]
        check(ended, -signal.SIGKILL)
        told(f"import into {urlsplit(url).scheme}, killed with {size() / MEGABYTE:,.0f} MB there", ended)
    ended = run(*command)
    check(ended)
    told(f"import into {urlsplit(url).scheme}, going on to its end, and compared", ended)
    print("\n".join(f"    {line}" for line in ended.out.splitlines()), flush=True)
    if "going on with an import" not in ended.out:
        sys.exit("it did not go on where the killed one had been")


async def compare(first: str, second: str) -> tuple[int, int]:
    """Read two databases side by side; give how many documents and bytes of arrays are the same, or exit.

    The documents are compared as BSON, in the order of their ids, and the arrays by their bytes.
    """
    one, other = open_store(first), open_store(second)
    for store in (one, other):
        await store.open([TableSpec("notes"), TableSpec("recordings")])
    try:
        documents = 0
        for table in ("notes", "recordings"):
            theirs = _documents(other, table)
            async for document in _documents(one, table):
                if document != await anext(theirs, None):
                    sys.exit(f"{table} {bson.decode(document)['_id']} is not the same")
                documents += 1
            if (left := await anext(theirs, None)) is not None:
                sys.exit(f"{table} has {bson.decode(left)['_id']} in one only")
        return documents, await _compare_arrays(one, other)
    finally:
        await one.close()
        await other.close()


async def _documents(store: Store, table: str) -> AsyncIterator[bytes]:
    ts, _ = await store.newest()
    async for page in documents_of(store.snapshot(ts), table):
        for document in page:
            yield bson.encode(document)


async def _compare_arrays(one: Store, other: Store) -> int:
    after, size = b"", 0
    while manifests := await one.arrays.manifests(after, BATCH):
        if manifests != await other.arrays.manifests(after, BATCH):
            sys.exit(f"the arrays after {after.hex()} are not the same")
        for chunk in (chunk for manifest in manifests for chunk in manifest.chunks):
            data = await one.arrays.get_chunk(chunk)
            if data is None or data != await other.arrays.get_chunk(chunk):
                sys.exit(f"chunk {chunk.hex()} is not the same")
            size += len(data)
        after = manifests[-1].digest
    return size


def _sizes_of_files(file: Path) -> int:
    return sum(each.stat().st_size for each in file.parent.glob(f"{file.name}*"))


def _size_of_database(uri: str, name: str) -> int:
    with MongoClient[dict[str, Any]](uri) as client:
        return int(client[name].command("dbStats")["dataSize"])


def over(source: str, target: str, size: Callable[[], int], folder: Path, documents: int, megabytes: int) -> None:
    """Bring a database that is filled first into another store, and compare what an export of that says."""
    began = time.monotonic()
    asyncio.run(fill(source, documents, megabytes))
    where, seconds = urlsplit(source).scheme, time.monotonic() - began
    print(f"{where} filled in {seconds:,.0f} s: {documents:,} documents, {megabytes:,} MB of arrays", flush=True)
    first = export(source, folder / "first.synovia")
    marks = megabytes * MEGABYTE // 2, megabytes * MEGABYTE + documents * BYTES_OF_A_DOCUMENT // 2
    restore(target, folder / "first.synovia", size, marks)
    (folder / "first.synovia").unlink()
    began = time.monotonic()
    same, read = asyncio.run(compare(source, target))
    print(
        f"side by side in {time.monotonic() - began:,.0f} s: {same:,} documents, {read / MEGABYTE:,.0f} MB of arrays",
        flush=True,
    )
    second = export(target, folder / "second.synovia")
    if (second["tables"], second["arrays"]) != (first["tables"], first["arrays"]):
        sys.exit(f"not the same: {second} and {first}")
    print("every document and every array is the same in both, by their digests", flush=True)


def main() -> None:
    """Do it, and print what each step took."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--documents", type=int, default=1_000_000)
    parser.add_argument("--megabytes", type=int, default=2_000, help="of arrays")
    parser.add_argument("--source", choices=["mongodb", "sqlite"], help="by default one after the other")
    given = parser.parse_args()
    for source in [given.source] if given.source else ["mongodb", "sqlite"]:
        with running_mongod() as uri, tempfile.TemporaryDirectory(prefix="synovia-export-") as name:
            folder, database = Path(name), f"large_{os.getpid()}"
            file, url = folder / "large.db", urlsplit(uri)._replace(path=f"/{database}").geturl()
            if source == "mongodb":
                sizes = partial(_sizes_of_files, file)
                over(url, f"sqlite:///{file}", sizes, folder, given.documents, given.megabytes)
            else:
                size = partial(_size_of_database, uri, database)
                over(f"sqlite:///{file}", url, size, folder, given.documents, given.megabytes)


if __name__ == "__main__":
    main()
