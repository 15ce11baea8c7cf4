"""Three real mongods that are there to be killed: they elect quickly, and nobody waits for them at the end."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pymongo import MongoClient

from helpers.mongod import Mongod, ReplicaSet

_SETTINGS = {"electionTimeoutMillis": 1500, "heartbeatIntervalMillis": 500, "heartbeatTimeoutSecs": 2}


@contextmanager
def running_members(count: int = 3) -> Iterator[ReplicaSet]:
    """Start a replica set that notices a dead primary after a second or two, instead of ten.

    Raises:
        NoMongod: There is none to be had.
    """
    with tempfile.TemporaryDirectory(prefix="synovia-mongod-", ignore_cleanup_errors=True) as directory:
        members = [Mongod(Path(directory) / str(number)) for number in range(count)]
        try:
            with ThreadPoolExecutor(count) as threads:
                list(threads.map(Mongod.start, members))
            replica_set = ReplicaSet(members)
            _initiate(replica_set)
            yield replica_set
        finally:
            for member in members:
                member.stop(kill=True)


def _initiate(replica_set: ReplicaSet) -> None:
    hosts = [{"_id": number, "host": member.address} for number, member in enumerate(replica_set.members)]
    name = replica_set.uri.rpartition("=")[2]
    with MongoClient[dict[str, Any]](replica_set.members[0].address, directConnection=True) as client:
        client.admin.command("replSetInitiate", {"_id": name, "members": hosts, "settings": _SETTINGS})
    with MongoClient[dict[str, Any]](replica_set.uri, serverSelectionTimeoutMS=60_000) as client:
        client.admin.command("ping")
