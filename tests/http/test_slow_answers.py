"""Answers that nobody takes: what waits for an address has a bound, over HTTP as over sockets."""

from __future__ import annotations

import json
from contextlib import AsyncExitStack

import pytest

from helpers.raw_requests import answer, head, line
from helpers.sync_server import Running, serving
from helpers.waiting import until

MOST, LENGTH = 20_000_000, 8_000_000


def request(running: Running) -> bytes:
    body = json.dumps({"path": "notes:long_text", "args": {"length": LENGTH}}).encode()
    headers = {
        "host": f"127.0.0.1:{running.port}",
        "content-type": "application/json",
        "content-length": f"{len(body)}",
    }
    return head("POST", "/api/action", headers) + body


@pytest.mark.slow
async def test_of_answers_that_nobody_takes_the_largest_is_cut_off_when_they_are_too_much() -> None:
    async with serving(max_outbox_bytes_per_address=MOST) as running, AsyncExitStack() as stack:
        backlog, most, cut_off = running.hub.backlog, 0, 0
        note, let_go = backlog.note, backlog._let_go_largest

        def noting(*args: object) -> None:
            nonlocal most
            note(*args)
            most = max(most, backlog.bytes)

        def counting(*args: object) -> None:
            nonlocal cut_off
            cut_off += 1
            let_go(*args)

        backlog.note, backlog._let_go_largest = noting, counting
        for _ in range(10):  # the system itself may keep half of each
            _, writer = await stack.enter_async_context(line(running))
            writer.write(request(running))
        await until(lambda: cut_off >= 2)
        assert most <= MOST
        reader, writer = await stack.enter_async_context(line(running))
        writer.write(request(running))
        assert len((await answer(reader)).body) > LENGTH, "who takes an answer gets it"
        await stack.aclose()
        await until(lambda: backlog.bytes == 0)
