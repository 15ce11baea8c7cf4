"""The databases that the demonstration runs on: the embedded one always, MongoDB where one can be had."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import secrets
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from urllib.parse import urlsplit

from pymongo import MongoClient
from pymongo.errors import PyMongoError

ADDRESS = "SYNOVIA_TEST_MONGODB"
_HELPER = Path(__file__).resolve().parents[3] / "tests" / "helpers" / "mongod.py"


@dataclass(frozen=True, slots=True)
class Database:
    """A store's URL and what to call it."""

    title: str
    url: str


class NoMongoDB(Exception):
    """No MongoDB can be had here; the message says why."""


def embedded() -> Database:
    """Give the embedded store in memory."""
    return Database("SQLite, in memory", "sqlite://:memory:")


def named(url: str) -> Database:
    """Give the store that the user asked for."""
    return Database(url.rpartition("@")[2] if "@" in url else url, url)


@contextlib.contextmanager
def mongodb() -> Iterator[Database]:
    """Give a database of our own on a MongoDB replica set, dropped at the end.

    Raises:
        NoMongoDB: ``SYNOVIA_TEST_MONGODB`` names none, and none can be started.
    """
    with _replica_set() as uri:
        name = f"synovia_demo_{secrets.token_hex(4)}"
        with MongoClient[dict[str, object]](uri, serverSelectionTimeoutMS=10_000) as client:
            try:
                version = client.server_info()["version"]
            except PyMongoError as error:
                raise NoMongoDB(f"{ADDRESS} names a MongoDB that does not answer: {error}") from error
            try:
                yield Database(f"MongoDB {version}, replica set", urlsplit(uri)._replace(path=f"/{name}").geturl())
            finally:
                client.drop_database(name)


@contextlib.contextmanager
def _replica_set() -> Iterator[str]:
    if uri := os.environ.get(ADDRESS):
        yield uri
        return
    helper = _helper()
    with contextlib.ExitStack() as stack:
        try:
            uri = stack.enter_context(helper.running_mongod())
        except helper.NoMongod as error:
            raise NoMongoDB(str(error)) from error
        yield uri


def _helper() -> ModuleType:
    """Load the test suite's helper, which knows how to find and start a mongod."""
    spec = importlib.util.spec_from_file_location("mongod", _HELPER)
    if not _HELPER.is_file() or spec is None or spec.loader is None:
        raise NoMongoDB(f"set {ADDRESS} to the address of a replica set")
    module = sys.modules.setdefault(spec.name, importlib.util.module_from_spec(spec))
    if not hasattr(module, "running_mongod"):
        spec.loader.exec_module(module)
    return module
