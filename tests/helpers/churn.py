"""Clients that come, do what clients do, and go; and what a server holds, counted."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import Any, cast

import numpy as np

from helpers.raw_requests import ask, request_upgrade
from helpers.sync_server import Running, client_of
from synovia_protocol.arrays import ref_of
from synovia_protocol.messages import Authenticated

SAMPLES = np.arange(1_000, dtype=np.float64)


async def come_and_go(running: Running, number: int) -> None:
    """Do what clients do: sign in, follow, write, call, upload, ask over HTTP; then go, some without a word."""
    async with client_of(running) as client:
        await client.send(client.session.authenticate(f"dev:guest{number % 5}@example.org"))
        await client.until(lambda event: isinstance(event, Authenticated))
        await client.subscribe(1, "notes:on_board", {"board": f"board {number % 3}"})
        await client.upload(SAMPLES, ref_of(SAMPLES))
        args: dict[str, Any] = {"board": "churn", "text": str(number)}
        assert (await client.mutate("notes:post", args)).error is None
        await client.response(await client.act("notes:long_text", {"length": 10}))
        await client.subscribe(2, "notes:no_such", {})
        await client.subscribe(3, "notes:on_board", {"board": "another"})
        await client.send(client.session.modify(remove=[3]))
        if number % 2:
            client.socket.transport.abort()
    assert (await request_upgrade(running)).status == 101
    assert (await ask(running, path="/health")).status == 200
    assert (await ask(running, path="/nowhere")).status == 404


def left(running: Running) -> dict[str, int]:
    """Count what there is now."""
    app, loop = running.app, cast(Any, asyncio.get_running_loop())
    address = running.hub.addresses.of("127.0.0.1")
    live = app.engine.live
    return {
        "tasks": len(asyncio.all_tasks()),
        "timers": sum(not handle.cancelled() for handle in loop._scheduled),
        "files": len(os.listdir("/proc/self/fd")) if Path("/proc/self/fd").exists() else 0,
        "connections": len(running.hub),
        "http": len(running.server.server_state.connections),
        "requests": len(running.server.server_state.tasks),
        "of the address": address.connections + address.arriving + address.requests + address.visitors,
        "subscriptions": address.subscriptions,
        "uploads": address.upload_bytes,
        "addresses": len(running.hub.addresses),
        "live": len(list(live)),
        "subscribers": sum(len(each.subscribers) for each in live),
        "running": len(live._tasks) + len(live._timers) + len(live._due) + len(live._running),
        "waiting for the log": len(app.engine._log._waiting) + len(app.engine._log._waiting_for_fence),
        "pins": len(app.engine._log._pins),
        "backlog": app.engine.committer.backlog,
    }
