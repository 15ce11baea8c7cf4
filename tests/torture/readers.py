"""Readers who have just come: each asks a hub of chance, by a socket or a single request, and notes what it was told."""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import time
from collections.abc import Sequence
from typing import Any

from synovia_client import Client, ClientClosed, FunctionError, RequestTimeout, SynoviaError
from torture.actor import BACKOFF, TIMEOUTS
from torture.history import History, Reading
from torture.processes import HubProcess
from torture.workload import Scale

COUNTER, REGISTER, SECRET = "counters:value", "registers:items", "roles:secret"
"""What no actor holds: the live query behind it lingers between two readers."""
PATIENCE = 15.0


async def read_until(
    stopping: asyncio.Event,
    history: History,
    hubs: Sequence[HubProcess],
    people: Sequence[str],
    scale: Scale,
    seed: int,
) -> None:
    """Ask one thing after the other until it is time to stop; what fails because a hub is away says nothing."""
    chance = random.Random(seed)
    while not stopping.is_set():
        hub, person = chance.choice(hubs), chance.choice(people)
        path, name = chance.choice(
            [
                (COUNTER, f"c{chance.randrange(scale.counters)}"),
                (REGISTER, f"r{chance.randrange(scale.registers)}"),
                (SECRET, ""),
                (SECRET, ""),
            ]
        )
        ask = chance.choice((_by_subscription, _by_request))
        reading = Reading(path, name, person, ask.__name__.removeprefix("_by_"), hub.port)
        with contextlib.suppress(OSError, TimeoutError, ValueError, SynoviaError):
            async with asyncio.timeout(PATIENCE):
                await ask(reading, hub, f"dev:{person}", chance.random() * 0.3)
                reading.ended = time.monotonic()
                history.readings.append(reading)
        await asyncio.sleep(chance.random() * 0.02)


def _args(reading: Reading) -> dict[str, Any]:
    return {"name": reading.name} if reading.name else {}


async def _by_subscription(reading: Reading, hub: HubProcess, token: str, idle: float) -> None:
    token_or_none = token if reading.path == SECRET else None
    async with Client(hub.url, token=token_or_none, timeouts=TIMEOUTS, backoff=BACKOFF, proxy=None) as client:
        await client.connected()
        await asyncio.sleep(idle)  # a connection that holds nothing stays at the instant at which it was made
        reading.began = time.monotonic()
        try:
            async with client.subscribe(reading.path, _args(reading)) as values:
                reading.value = await anext(aiter(values))
        except (RequestTimeout, ClientClosed):
            raise
        except FunctionError as error:
            reading.error = error.code


async def _by_request(reading: Reading, hub: HubProcess, token: str, idle: float) -> None:
    reading.began = time.monotonic()
    status, body = await hub.post("/api/query", {"path": reading.path, "args": _args(reading)}, token)
    if status >= 500 or status == 429:
        raise ValueError(body)
    answer: dict[str, Any] = json.loads(body)
    reading.error = answer["error"]["code"] if "error" in answer else None
    reading.value = answer.get("result")
