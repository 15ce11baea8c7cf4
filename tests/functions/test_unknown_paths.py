"""A path that is spelled otherwise than its function is refused with the path that is meant."""

from __future__ import annotations

import pytest

from helpers.written_applications import function, write_application
from synovia.errors import UnknownFunction
from synovia.functions.function import Kind
from synovia.functions.registry import Registry, load_application


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Registry:
    files = {
        "queries/schedules.py": function("by_owner"),
        "messages.py": function("newest") + function("tidy_up", "internal=True", "mutation"),
    }
    return load_application(write_application(tmp_path_factory.mktemp("paths"), files))


def message_of(registry: Registry, path: str, kind: Kind = Kind.QUERY, *, internal: bool = False) -> str:
    with pytest.raises(UnknownFunction) as refused:
        registry.find(path, kind, internal=internal)
    return refused.value.message


@pytest.mark.parametrize(
    "path",
    [
        "queries/schedules:byOwner",
        "queries.schedules.byOwner",
        "queries:schedules:by_owner",
        "queries/schedules/by_owner",
    ],
)
def test_the_path_that_is_meant_is_told(registry: Registry, path: str) -> None:
    assert message_of(registry, path) == f"there is no query {path!r}: is 'queries/schedules:by_owner' meant?"


@pytest.mark.parametrize("path", ["messages:newer", "", ":", "x" * 10_000])
def test_where_nothing_is_meant_nothing_is_told(registry: Registry, path: str) -> None:
    assert message_of(registry, path) == f"there is no query {path!r}"


@pytest.mark.parametrize("path", ["messages:tidyUp", "messages:tidy_up"])
def test_an_internal_function_is_not_told_to_those_for_whom_it_does_not_exist(registry: Registry, path: str) -> None:
    assert "meant" not in message_of(registry, path, Kind.MUTATION)


def test_an_internal_function_is_told_to_those_who_may_call_it(registry: Registry) -> None:
    assert "'messages:tidy_up' meant" in message_of(registry, "messages:tidyUp", Kind.MUTATION, internal=True)
