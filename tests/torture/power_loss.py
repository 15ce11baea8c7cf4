"""``python -m torture.power_loss --minutes 5``: the power fails under the embedded store, its process is killed, its disk
refuses what it is handed; at any moment, and one after the other.

Everything that SQLite and the store do to their files is noted. Of any moment of that the disk may be left with what was
synced, and with any part of the rest, in any order (``helpers.lost_power``). Whatever it is left with is opened: everything
that was acknowledged, or read by anybody, is there, nothing is there by half, and it goes on. Exit code 1 if it is not so.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import shutil
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import bson
import pytest

from helpers.lost_power import Disk
from helpers.recorded_disk import (
    FULL,
    NOT_SYNCED,
    NOT_WRITTEN,
    Event,
    FolderMade,
    NamesSynced,
    Noted,
    RecordedDisk,
    Synced,
    Written,
    recorded,
)
from synovia.keys import IndexSpec
from synovia.schema.specs import Document, TableSpec
from synovia.store.base import (
    ArrayManifest,
    Batch,
    NothingWritten,
    RequestRecord,
    StoreError,
    StoreUnavailable,
    StoreUnusable,
    Write,
)
from synovia.store.sqlite import SQLiteStore, write_ahead_log
from synovia.store.sqlite.history import Retention
from synovia.testing.stores.steps import EVERYTHING, everything
from synovia_protocol.arrays import chunk_digest

BY_RANK, BY_TAG = IndexSpec("by_rank", ("rank",)), IndexSpec("by_tag", ("tags",))
NOTES: Final = TableSpec("notes", (BY_RANK, BY_TAG))
SESSION: Final = b"p" * 16
NAME: Final = "data.db"
_MEMORY: Final = "/dev/shm" if Path("/dev/shm").exists() else None
SOME, MANY = 20, 60
"""Pages of the log that are copied in a lull, and in any case: there are many checkpoints."""


@dataclass(frozen=True, slots=True)
class Plan:
    """So many commits, and how often something goes wrong.

    Attributes:
        kills: A share of what is done to the files, before which the process is killed,
        refusals: and likewise a share that the disk refuses.
        images: A share of what is done to the files, behind which one looks at what may be left; more often ahead of syncs.
        large: Whether some commits have more than goes into one statement.
    """

    seed: int
    commits: int
    kills: float = 0.0
    refusals: float = 0.0
    images: float = 0.02
    large: bool = False


@dataclass(slots=True)
class Trial:
    """Commits of one database over several lives of its process.

    Attributes:
        history: What each commit leaves, by its number.
        events: What was done to its files; what is known for certain, and what has been begun, is noted between.
        counts: What went wrong how often, and what was looked at.
    """

    plan: Plan
    directory: Path
    rng: random.Random = field(init=False)
    history: list[dict[int, Document]] = field(default_factory=lambda: [{}])
    events: list[Event] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    known: int = 0
    _lives: int = 0
    _refused: int = 0
    _arrays: list[tuple[bytes, bytes]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.rng = random.Random(self.plan.seed)

    async def run(self) -> None:
        """Commit all of them, then look at what may have been left on the way.

        Raises:
            AssertionError: Something is lost, or there by half.
        """
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(write_ahead_log, "_SOME", SOME)
            patch.setattr(write_ahead_log, "_MANY", MANY)
            self.events.append(FolderMade())
            while self.known < self.plan.commits:
                folder = self.directory / f"{self._lives}"
                with recorded(folder, self.events) as disk:
                    await self._live(disk)
            await self._look_at_what_is_left()

    # --- the lives of the process -------------------------------------------------------------------------------------

    async def _live(self, disk: RecordedDisk) -> None:
        """Open the database and commit until the process ends, by itself or not; others read what it leaves."""
        self._refused = 0
        store = opening(disk.folder)
        disk.refuse = lambda event: self._hinder(disk, event)
        try:
            await store.open([NOTES])
            self._learn(disk, (await check(store, self.history, self.known, len(self.history) - 1)))
            while self.known < self.plan.commits and not disk.is_over and self.rng.random() > 0.03:
                await self._put_arrays(store)
                await self._commit(store, disk)
                if self.rng.random() < 0.05:
                    await asyncio.sleep(0.03)  # a lull, in which there may be a checkpoint
        except StoreUnavailable as error:
            self.counts[type(error).__name__] += 1
        try:
            await store.close()
        except Exception as error:  # as the process would end then
            self.counts[f"closed with {type(error).__name__}"] += 1
        self._end(disk)

    def _hinder(self, disk: RecordedDisk, event: Event) -> int:
        """Kill the process, or refuse something, for once or for a while; 0: neither."""
        if self.rng.random() < self.plan.kills:
            self.counts["kills"] += 1
            self._end(disk)
            return 0
        if not self._refused and self.rng.random() < self.plan.refusals:
            self._refused = self.rng.choice([1, 1, 1, 3, 30])
        if not self._refused:
            return 0
        self._refused -= 1
        if isinstance(event, Synced | NamesSynced):
            self.counts["refused syncs"] += 1
            return NOT_SYNCED
        self.counts["refused writes"] += 1
        return self.rng.choice([FULL, NOT_WRITTEN]) if isinstance(event, Written) else NOT_WRITTEN

    def _end(self, disk: RecordedDisk) -> None:
        """End the process, with the files as they are now: what it does from now on counts for nothing."""
        if not disk.is_over:
            disk.is_over = True
            self._lives += 1
            if disk.folder.exists():
                shutil.copytree(disk.folder, self.directory / f"{self._lives}")

    def _learn(self, disk: RecordedDisk, number: int) -> None:
        """Take notice that a commit is there for good, and none after it."""
        if not disk.is_over:
            self.known = number
            del self.history[number + 1 :]
            disk.note(Noted(("known", number, self.history[number])))

    async def _put_arrays(self, store: SQLiteStore) -> None:
        self._arrays = []
        for _ in range(self.rng.choice([0, 0, 1, 3])):
            data = self.rng.randbytes(self.rng.randrange(1, 12_000))
            chunk, digest = chunk_digest(data), self.rng.randbytes(32)
            try:
                await store.arrays.put_chunk(chunk, data)
                await store.arrays.put_manifest(ArrayManifest(digest, "<f8", len(data), (chunk,)))
            except StoreError as error:
                self.counts[f"an array: {type(error).__name__}"] += 1
            else:
                self._arrays.append((digest, chunk))
        if self.rng.random() < 0.1:
            await self._sweep(store)

    async def _sweep(self, store: SQLiteStore) -> None:
        used = {document.get("data", {}).get("digest") for document in self.history[self.known].values()}
        try:
            unused = [each for each in await store.arrays.manifests(b"", 20) if each.digest not in used]
            await store.arrays.delete_arrays([each.digest for each in unused], time.time() + 60)
            await store.arrays.delete_chunks([chunk for each in unused for chunk in each.chunks], time.time() + 60)
        except StoreUnavailable as error:
            self.counts[f"a sweep: {type(error).__name__}"] += 1
        self._arrays = []

    async def _commit(self, store: SQLiteStore, disk: RecordedDisk) -> None:
        """Make a commit and learn what came of it.

        Raises:
            StoreUnusable: The process has to end.
        """
        number, writes, prepared = self.known + 1, self._writes(), None
        before = self.history[self.known]
        changed = {write.id: write.after for write in writes if write.after is not None}
        after = {id_: each for id_, each in before.items() if all(id_ != write.id for write in writes)} | changed
        self.history.append(after)
        disk.note(Noted(("begun", number, after)))
        try:
            if len(writes) > 500 or self.rng.random() < 0.1:
                prepared = await store.prepare(writes)
            record = RequestRecord(SESSION, number, b"done")
            await store.commit(Batch(writes, [record], number - 1, number, prepared=prepared))
        except StoreUnusable:
            raise
        except StoreUnavailable as error:
            self.counts[f"a commit: {type(error).__name__}"] += 1
            if isinstance(error, NothingWritten):
                del self.history[number:]
            self._learn(disk, await check(store, self.history, self.known, len(self.history) - 1))
        else:
            self._learn(disk, number)
        finally:
            if prepared is not None:
                prepared.discard()

    def _writes(self) -> list[Write]:
        present = self.history[self.known]
        count, size = self.rng.choice([1, 1, 2, 5, 20]), self.rng.choice([10, 100, 3_000, 9_000])
        if self.plan.large and self.rng.random() < 0.15:
            count, size = self.rng.choice([(257, 100), (600, 100), (3, 900_000), (256, 9_000), (250, 10)])
        ids = {*self.rng.sample(range(1_000), count), *self.rng.sample([*present], min(len(present), 3))}
        encoded = self.rng.random() < 0.8
        return [self._write(id_, present.get(id_), size, encoded=encoded) for id_ in ids]

    def _write(self, id_: int, before: Document | None, size: int, *, encoded: bool) -> Write:
        after: Document | None = None
        if before is None or self.rng.random() > 0.3:
            tags = self.rng.sample("abcde", self.rng.randrange(4))
            text = self.rng.randbytes(size // 2).hex()
            after = {"_id": id_, "rank": self.rng.randrange(5), "tags": tags, "text": text}
            if self._arrays and self.rng.random() < 0.3:
                digest, _ = self.rng.choice(self._arrays)
                after["data"] = {"digest": digest, "dtype": "<f8", "shape": [0]}
        bodies = tuple(b"" if each is None else bson.encode(each) for each in (before, after))
        return Write(NOTES.name, id_, before, after, bodies if encoded else None)  # type: ignore[arg-type]

    # --- what may be left ---------------------------------------------------------------------------------------------

    async def _look_at_what_is_left(self) -> None:
        disk, history = Disk(self.rng), [dict[int, Document]()]
        known, left = 0, self.directory / "left"
        for number, event in enumerate(self.events):
            if isinstance(event, Noted):
                what, of, present = event.what
                history[of:] = [present]
                known = of if what == "known" else known
                continue
            disk.take(event)
            ahead_of_sync = isinstance(self.events[min(number + 1, len(self.events) - 1)], Synced | NamesSynced)
            if self.rng.random() < self.plan.images * (10 if ahead_of_sync else 1):
                shutil.rmtree(left, ignore_errors=True)
                left.mkdir()
                disk.fail(left)
                await look_at(left, history, known)
                self.counts["looked at"] += 1


def opening(folder: Path) -> SQLiteStore:
    """Make a store over the database of a folder, which keeps little of the past."""
    return SQLiteStore(str(folder / NAME), retention=Retention(0.0, 10, 10.0))


async def look_at(folder: Path, history: list[dict[int, Document]], known: int) -> None:
    """Open what is left, see that it is right, and that it goes on.

    Raises:
        AssertionError: It is not.
    """
    store = opening(folder)
    await store.open([NOTES])
    try:
        assert await store._execute("PRAGMA integrity_check", ()) == ("ok",)
        fence = await check(store, history, known, len(history) - 1)
        await store.commit(Batch([Write(NOTES.name, -1, None, {"_id": -1})], fence=fence))
    finally:
        await store.close()


async def check(store: SQLiteStore, history: list[dict[int, Document]], known: int, begun: int) -> int:
    """See that a database has all of one commit, not older than the newest that is known; tell which.

    Raises:
        AssertionError: It has not.
    """
    ts, fence = await store.newest()
    assert known <= fence <= begun
    assert await store.clock() == fence
    present = [history[fence][id_] for id_ in sorted(history[fence])]
    assert await everything(store, ts, NOTES.name) == present
    found = await store.snapshot(ts).scan(NOTES.name, BY_RANK, EVERYTHING)
    assert found == sorted(present, key=lambda each: (each["rank"], each["_id"]))
    assert await store.snapshot(ts).count(NOTES.name, BY_TAG, EVERYTHING) == len(present)
    for number in (fence, fence + 1):
        assert (await store.find_request(SESSION, number) is not None) == (0 < number <= fence)
    for document in present:
        await _check_array(store, document.get("data"))
    return fence


async def _check_array(store: SQLiteStore, array: Any) -> None:
    if array is not None:
        manifest = await store.arrays.get_manifest(array["digest"])
        assert manifest is not None
        [digest] = manifest.chunks
        chunk = await store.arrays.get_chunk(digest)
        assert chunk is not None
        assert chunk_digest(chunk) == digest


async def trial(plan: Plan) -> Counter[str]:
    """Try one plan; tell what went wrong on the way, and how much was looked at.

    Raises:
        AssertionError: Something was lost, or there by half.
    """
    with tempfile.TemporaryDirectory(dir=_MEMORY) as directory:
        one = Trial(plan, Path(directory))
        await one.run()
    return one.counts


def plan_of(seed: int) -> Plan:
    """Give the plans in turn: nothing but the power fails, the process is killed, the disk refuses, and all of it."""
    kills, refusals = [(0.0, 0.0), (0.001, 0.0), (0.0, 0.001), (0.001, 0.001)][seed % 4]
    return Plan(seed, 100, kills, refusals, large=seed % 8 >= 4)


def main() -> None:
    """Go on for so many minutes; exit with 1 at the first fault."""
    parser = argparse.ArgumentParser(prog="python -m torture.power_loss", description=__doc__)
    parser.add_argument("--minutes", type=float, default=5.0)
    parser.add_argument("--seed", type=int, default=0, help="of the first trial; each has the next")
    arguments = parser.parse_args()
    end, seed, totals = time.monotonic() + 60 * arguments.minutes, arguments.seed, Counter[str]()
    while time.monotonic() < end:
        try:
            totals += asyncio.run(trial(plan_of(seed)))
        except BaseException:
            print(f"power loss: a fault in trial {seed}", flush=True)
            raise
        seed += 1
    print(f"power loss: {seed - arguments.seed} trials, {dict(totals)}", flush=True)
    sys.exit(0 if totals["looked at"] else 1)


if __name__ == "__main__":
    main()
