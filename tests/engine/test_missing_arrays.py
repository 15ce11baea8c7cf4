"""A mutation that would refer to an array which is gone: refused with a code, and nothing is committed."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from synovia.store import arrays
from synovia.store.sweep import sweep
from synovia.testing import TestApp
from synovia_protocol.arrays import ref_of
from synovia_protocol.messages import ArrayRef

MOTION = Path(__file__).parents[2] / "apps" / "motion"
SESSION = b"s" * 16


@pytest.fixture
async def app() -> AsyncIterator[TestApp]:
    async with TestApp(MOTION) as app:
        await app.caller("anna@example.org").mutation("users:register", {"role": "patient"})
        yield app


def recording(knee: ArrayRef) -> dict[str, Any]:
    return {"leftKnee": knee, "rightKnee": knee, "sampleRate": 100.0}


async def save(app: TestApp, knee: ArrayRef, **more: Any) -> Any:
    identity = app.caller("anna@example.org").identity
    return await app.engine.mutate("recordings:save", recording(knee), identity, **more)


async def test_it_fails_with_the_digest_and_leaves_nothing(app: TestApp) -> None:
    gone = await arrays.write_array(app.store.arrays, np.arange(5.0))
    await sweep(app.store, time.time() + 60)
    outcome = await save(app, gone)
    assert outcome.error is not None
    assert (outcome.error.code, outcome.error.data) == ("array_not_found", {"digest": gone.digest})
    assert await app.caller("anna@example.org").query("recordings:list_mine") == []


async def test_others_of_its_batch_are_committed(app: TestApp) -> None:
    there = await arrays.write_array(app.store.arrays, np.arange(7.0))
    gone = ref_of(np.arange(5.0))
    outcomes = await asyncio.gather(*(save(app, ref) for ref in (there, gone, there, gone, there)))
    assert [outcome.error is None for outcome in outcomes] == [True, False, True, False, True]


async def test_the_failure_of_a_retry_is_remembered(app: TestApp) -> None:
    """Or an earlier run, still on its way, could succeed after the client has been told of the failure."""
    gone = ref_of(np.arange(5.0))
    first = await save(app, gone, session=SESSION, number=1, retry=True)
    assert first.error is not None
    assert first.error.code == "array_not_found"
    await arrays.write_array(app.store.arrays, np.arange(5.0))
    again = await save(app, gone, session=SESSION, number=1, retry=True)
    assert again.error is not None
    assert again.error.code == "array_not_found"
    fresh = await save(app, gone, session=SESSION, number=2)
    assert fresh.error is None
