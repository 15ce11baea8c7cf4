from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from functools import wraps
from inspect import iscoroutinefunction
from pathlib import Path
from typing import Any

import pytest

from client.manual_clock import ManualClock
from client.peer import Peer
from synovia_client import Client, Timeouts

HERE = Path(__file__).parent

MakeClient = Callable[..., Client]

TIMEOUTS = Timeouts(connect=11, welcome=12, token=13, request=60, send=30, ping_interval=10, pong=7)
"""All different, so that a test can say which one it waits for."""


@pytest.fixture
async def peer() -> AsyncIterator[Peer]:
    async with Peer() as peer:
        yield peer


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def make(peer: Peer, clock: ManualClock) -> MakeClient:
    """Makes clients of the peer that reconnect at once."""

    def make(**options: Any) -> Client:
        return Client(
            peer.url, **{"clock": clock, "timeouts": TIMEOUTS, "random": lambda: 0.0, "proxy": None, **options}
        )

    return make


@pytest.fixture
async def client(make: MakeClient) -> AsyncIterator[Client]:
    async with make() as client:
        yield client


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let a test that waits for what never comes fail, and not hang."""
    for item in items:
        if isinstance(item, pytest.Function) and item.path.parent == HERE and iscoroutinefunction(item.obj):
            item.obj = _limited(item.obj)


def _limited(test: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(test)
    async def limited(*args: Any, **kwargs: Any) -> None:
        async with asyncio.timeout(30):
            await test(*args, **kwargs)

    return limited
