"""Fixtures for every test."""

from __future__ import annotations

import faulthandler
import gc
import logging
import os
import signal
from collections.abc import AsyncIterator, Generator, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, settings
from pymongo import MongoClient

from helpers.mongod import EmptiedDatabases, NoMongod, drop_database, running_mongod
from helpers.patience import PATIENCE
from helpers.reopened_stores import Reopened
from synovia.store import open_store
from synovia.store.base import Store
from synovia.store.mongo import MongoStore

# No test is timed: how long an example takes tells how busy the machine is.
settings.register_profile("deep", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("whole", settings.get_profile("deep"), max_examples=50)
settings.register_profile("fast", settings.get_profile("deep"), max_examples=25)
settings.load_profile("whole")


def pytest_configure(config: pytest.Config) -> None:
    gc.disable()  # until all is collected: what is imported stays
    # A shell starts what runs in its background with interrupts ignored, and servers under test would inherit that.
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    # PyMongo forgets the socket (it has no peer yet) when a client is closed while its monitor is connecting
    config.addinivalue_line(
        "filterwarnings", r"ignore:unclosed <socket.socket [^>]*proto=6, laddr=[^>r]*>:ResourceWarning"
    )


TEARDOWN_SECONDS = 300.0
STDERR = os.dup(2)  # what a worker says as it ends is not to be captured


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_teardown() -> Generator[None]:
    """End the process if fixtures do not come to their end, as after a test that hangs: its one alarm has rung by then."""
    faulthandler.dump_traceback_later(TEARDOWN_SECONDS, exit=True, file=STDERR)
    try:
        return (yield)
    finally:
        faulthandler.cancel_dump_traceback_later()


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark whatever takes a fixture that starts a mongod; a test that asks for one as it runs carries the mark itself.

    What is marked ``torture`` is left to ``pytest -m torture``, and of tests that are alike on both stores those on MongoDB.
    """
    for item in items:
        if {"mongodb_uri", "members"} & set(getattr(item, "fixturenames", ())):
            item.add_marker("mongodb")
    repeated = {item for item in items if item.get_closest_marker("alike") and "mongodb" in _parameters(item)}
    for item in repeated:
        item.add_marker("torture")
    if "torture" not in config.option.markexpr:
        left = {item for item in items if item.get_closest_marker("torture")}
        items[:] = [item for item in items if item not in left]
        config.hook.pytest_deselected(items=[*left])


def _parameters(item: pytest.Item) -> list[object]:
    return list(item.callspec.params.values()) if hasattr(item, "callspec") else []


def pytest_collection_finish() -> None:
    """Keep the collector of garbage from going through all tests and modules again and again: they stay to the end."""
    gc.freeze()
    gc.set_threshold(20_000, 10, 10)
    gc.enable()


@pytest.fixture(autouse=True)
def _logging_as_it_was() -> Iterator[None]:
    """Take back what a command that ran within the process has said of the log: nobody reads any more where it writes."""
    root = logging.getLogger()
    level, before = root.level, list(root.handlers)
    yield
    root.setLevel(level)
    for handler in [each for each in root.handlers if each not in before]:
        if not type(handler).__module__.startswith("_pytest"):
            root.removeHandler(handler)


@pytest.fixture(scope="session")
def mongodb_uri() -> Iterator[str]:
    """Give the URI of a real replica set; without one, skip, but fail where CI is set: there one has to be."""
    try:
        with running_mongod(durable=False) as uri:
            yield uri
    except NoMongod as error:
        if os.environ.get("CI") == "true":
            raise
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def emptied_databases(mongodb_uri: str) -> Iterator[EmptiedDatabases]:
    """Give the databases that wait for their next test."""
    with MongoClient[dict[str, Any]](mongodb_uri) as client:
        yield EmptiedDatabases(client)


@pytest.fixture
def database_name(request: pytest.FixtureRequest, emptied_databases: EmptiedDatabases) -> Iterator[str]:
    """Give the name of a database of this test alone, which is empty; it may be one that another test has left.

    With the mark ``same_tables`` it may have the tables that tests of the same file have declared.
    """
    tables_of = request.path if request.node.get_closest_marker("same_tables") else None
    name = emptied_databases.take(tables_of)
    yield name
    emptied_databases.put_back(name, tables_of)


@pytest.fixture
def unused_database(mongodb_uri: str) -> Iterator[str]:
    """Give the name of a database that nobody has used before, for tests of what is in one; dropped in the end."""
    name = f"test_{uuid4().hex[:12]}"
    yield name
    drop_database(mongodb_uri, name)


@pytest.fixture
def mongodb_store(mongodb_uri: str, database_name: str) -> str:
    """Give the address of that database."""
    base, _, options = mongodb_uri.partition("/?")
    return f"{base}/{database_name}?{options}"


@pytest.fixture(params=["sqlite", pytest.param("mongodb", marks=pytest.mark.mongodb)])
def any_address(request: pytest.FixtureRequest) -> str:
    """Give the address of a database of this test's own, on each store."""
    return "sqlite://:memory:" if request.param == "sqlite" else str(request.getfixturevalue("mongodb_store"))


@pytest.fixture(params=["sqlite", pytest.param("mongodb", marks=pytest.mark.mongodb)])
async def any_store(request: pytest.FixtureRequest) -> AsyncIterator[Store]:
    """Give a store that is not open yet, the embedded one and a real MongoDB; whoever opens it closes it."""
    if request.param == "sqlite":
        yield open_store("sqlite://:memory:")
        return
    uri, name = request.getfixturevalue("mongodb_uri"), request.getfixturevalue("database_name")
    yield MongoStore(uri, name, timeout=PATIENCE)


@pytest.fixture(params=["sqlite", pytest.param("mongodb", marks=pytest.mark.mongodb)])
def reopened(request: pytest.FixtureRequest, tmp_path: Path) -> Reopened:
    """Give the maker of stores over a database of this test's own."""
    if request.param == "sqlite":
        return Reopened(lambda: open_store(f"sqlite:///{tmp_path / 'data.db'}"), alone=True)
    uri, name = request.getfixturevalue("mongodb_uri"), request.getfixturevalue("database_name")
    return Reopened(lambda: MongoStore(uri, name, patience=0.1, timeout=PATIENCE), alone=False)
