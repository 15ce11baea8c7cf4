"""What runs for a client is counted from when it is begun, and ended without a trace."""

from __future__ import annotations

import asyncio
import gc

import pytest

from synovia.sync.running import RunningRequests


async def answer(go_on: asyncio.Event) -> int:
    await go_on.wait()
    return 5


async def test_what_is_ended_before_it_begins_is_no_warning(recwarn: pytest.WarningsRecorder) -> None:
    requests = RunningRequests()
    asking = asyncio.ensure_future(requests.run(answer(asyncio.Event()), "asked"))
    await asyncio.sleep(0)  # it is a task now, which has not begun
    assert requests.busy
    await requests.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    gc.collect()
    assert (requests.busy, recwarn.list) == (False, [])


async def test_a_stop_waits_for_what_nobody_waits_for_any_more() -> None:
    requests, go_on = RunningRequests(), asyncio.Event()
    asking = asyncio.ensure_future(requests.run(answer(go_on), "asked"))
    await asyncio.sleep(0)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    stopping = asyncio.ensure_future(requests.finish(30))
    await asyncio.sleep(0)
    assert (requests.busy, stopping.done()) == (True, False)
    go_on.set()
    await stopping
    assert not requests.busy
