"""A map that a client has sent never becomes a reference to an array, however loosely a function types its arguments."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import numpy as np
import pytest

from apps import traces
from synovia import FunctionError
from synovia.functions.registry import collect
from synovia.testing import Caller, TestApp
from synovia_protocol.messages import ArrayRef


@pytest.fixture
async def app() -> AsyncIterator[TestApp]:
    async with TestApp(collect("traces", [traces])) as app:
        yield app


async def somebodys(caller: Caller) -> ArrayRef:
    trace_id = await caller.mutation("traces:keep", {"samples": np.arange(3.0)})
    ref: ArrayRef = (await caller.query("traces:read", {"traceId": trace_id}))["samples"]
    return ref


def looks_like(ref: ArrayRef) -> dict[str, Any]:
    return {"digest": ref.digest, "dtype": ref.dtype, "shape": list(ref.shape)}


@pytest.mark.parametrize("way", ["patch", "replace"])
@pytest.mark.parametrize("place", ["samples", "channels"])
@pytest.mark.filterwarnings("ignore:Pydantic serializer warnings")
async def test_a_map_in_an_untyped_argument_is_no_reference(app: TestApp, way: str, place: str) -> None:
    caller = app.caller()
    stolen: Any = looks_like(await somebodys(caller))
    if place == "channels":
        stolen = [{"label": "stolen", "samples": stolen}]
    mine = await caller.mutation("traces:keep", {})
    before = await caller.query("traces:read", {"traceId": mine})
    with pytest.raises(FunctionError) as caught:
        await caller.mutation(f"traces:{way}", {"traceId": mine, "changes": {place: stolen}})
    assert caught.value.code == "invalid_arguments"
    assert await caller.query("traces:read", {"traceId": mine}) == before


async def test_it_stays_a_map_where_anything_may_stand(app: TestApp) -> None:
    caller = app.caller()
    plain = looks_like(await somebodys(caller))
    mine = await caller.mutation("traces:keep", {})
    await caller.mutation("traces:patch", {"traceId": mine, "changes": {"extra": plain}})
    assert (await caller.query("traces:read", {"traceId": mine}))["extra"] == plain


async def test_references_and_what_was_there_before_stay(app: TestApp) -> None:
    caller = app.caller()
    mine = await caller.mutation("traces:keep", {"samples": np.arange(3.0)})
    channel = {"label": "left", "samples": np.arange(4.0)}
    await caller.mutation("traces:add_channel", {"traceId": mine, "channel": channel})
    await caller.mutation("traces:add_channel", {"traceId": mine, "channel": channel | {"label": "right"}})
    await caller.mutation("traces:patch", {"traceId": mine, "changes": {"label": "renamed", "samples": np.arange(5.0)}})
    found = await caller.query("traces:read", {"traceId": mine})
    assert (found["label"], found["samples"].shape) == ("renamed", (5,))
    assert [each["label"] for each in found["channels"]] == ["left", "right"]
