from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from helpers.mongod import NoMongod, ReplicaSet
from torture.replicas import running_members


@pytest.fixture(scope="session")
def members() -> Iterator[ReplicaSet]:
    """Three mongods of one's own; without a program for them, skip, but fail where CI is set: there one has to be."""
    try:
        with running_members() as replica_set:
            yield replica_set
    except NoMongod as error:
        if os.environ.get("CI") == "true":
            raise
        pytest.skip(str(error))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what takes minutes, or is one of many seeds, unless it is asked for: ``pytest -m torture``."""
    if "torture" in config.option.markexpr:
        return
    for item in items:
        if item.get_closest_marker("torture"):
            item.add_marker(pytest.mark.skip(reason="left to pytest -m torture"))
