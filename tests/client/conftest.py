from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from client.manual_clock import ManualClock
from client.options import TIMEOUTS, MakeClient
from client.peer import Peer
from synovia_client import Client


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
