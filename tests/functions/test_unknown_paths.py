"""A path that is spelled otherwise than its function is refused with the path that is meant."""

from __future__ import annotations

from pathlib import Path

import pytest

from helpers.written_applications import function, write_application
from synovia.errors import FunctionError, UnknownFunction
from synovia.functions.function import Kind
from synovia.functions.registry import Registry, load_application
from synovia.testing import TestApp


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
        "querie/schedules:by_owner",
        "queries/schedules:by_onwer",
        "queries/schedules:by_owner2",
        "queries/schedule:by_owner",
    ],
)
def test_the_path_that_is_meant_is_told(registry: Registry, path: str) -> None:
    assert message_of(registry, path) == f"there is no query {path!r}: is 'queries/schedules:by_owner' meant?"


@pytest.mark.parametrize("path", ["messages:newer", "messages:latest", "", ":", "a:f", "x" * 10_000])
def test_where_nothing_is_meant_nothing_is_told(registry: Registry, path: str) -> None:
    assert message_of(registry, path) == f"there is no query {path!r}"


@pytest.mark.parametrize("path", ["messages:tidyUp", "messages:tidy_up", "messages:tidy_u"])
def test_an_internal_function_is_not_told_to_those_for_whom_it_does_not_exist(registry: Registry, path: str) -> None:
    assert "meant" not in message_of(registry, path, Kind.MUTATION)


def test_an_internal_function_is_told_to_those_who_may_call_it(registry: Registry) -> None:
    for path in ("messages:tidyUp", "messages:tidyyUp"):
        assert "'messages:tidy_up' meant" in message_of(registry, path, Kind.MUTATION, internal=True)


SCHEDULING = """
from datetime import timedelta

@mutation(internal=True)
async def tidy_up(ctx: MutationContext) -> None: ...

@mutation(public=True)
async def plan(ctx: MutationContext, path: str, told: str | None = None) -> None:
    await ctx.scheduler.run_after(timedelta(0), path, {}, on_complete=told)
"""


async def test_who_schedules_or_asks_over_http_is_told_too(tmp_path: Path) -> None:
    async with TestApp(write_application(tmp_path, {"jobs.py": SCHEDULING})) as app:
        caller = app.caller()
        with pytest.raises(FunctionError, match="no mutation or action 'jobs:tidyUp': is 'jobs:tidy_up' meant"):
            await caller.mutation("jobs:plan", {"path": "jobs:tidyUp"})
        with pytest.raises(FunctionError, match="to tell that the call is over: is 'jobs:tidy_up' meant"):
            await caller.mutation("jobs:plan", {"path": "jobs:tidy_up", "told": "jobs.tidyUp"})
        answer = await caller.http.post("/api/run/Jobs/plan", json={})
        assert answer.status_code == 404
        assert answer.json()["error"]["message"] == "there is no function 'Jobs:plan': is 'jobs:plan' meant?"
