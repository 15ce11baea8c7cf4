"""What one address may ask for over HTTP: requests count as messages do, and only so many are answered at once."""

from __future__ import annotations

import asyncio
import time

from starlette.types import ASGIApp, Receive, Scope, Send

from synovia.charges import at_cost
from synovia.http.admission import PATIENCE_SECONDS
from synovia.limits.addresses import Address
from synovia.limits.refusal import Refusal
from synovia.sync.hub import Hub
from synovia_protocol.errors import ErrorCode

_MESSAGES = 5
"""What a request costs, in messages."""

_SPACING = {"http": 0.002, "websocket": 0.004}
"""Seconds between two that begin, of one address: about four times what they take, so that others have their turn."""


class Throttle:
    """An ASGI application that refuses requests with 429 when their address asks for too much.

    Args:
        app: What it stands before.
        hub: Counts what addresses use, also by their WebSockets.
    """

    def __init__(self, app: ASGIApp, hub: Hub) -> None:
        self._app = app
        self._hub = hub

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one ASGI connection."""
        if scope["type"] not in _SPACING:
            await self._app(scope, receive, send)
            return
        address = self._hub.addresses.of_peer(scope)
        now = time.monotonic()
        wait = address.meter.wait(now)
        if scope["type"] == "websocket":
            address.take_handshake(now)
        else:
            address.take(_MESSAGES, 0, now)
        if scope["type"] == "websocket" and wait <= PATIENCE_SECONDS:
            await self._arrive(scope, receive, send, address, wait)
        elif wait > 0:
            self._hub.counters.limits["requests of an address, how often"] += 1
            refusal = Refusal(429, ErrorCode.RATE_LIMITED, "this address asks for too much at once", wait)
            await refusal(scope, receive, send)
        elif address.requests >= self._hub.limits.max_requests_per_address:
            self._hub.counters.limits["requests of an address, at once"] += 1
            text = "as many requests of this address as may are being answered already"
            await Refusal(429, ErrorCode.LIMIT_EXCEEDED, text, 1)(scope, receive, send)
        else:
            address.requests += 1
            try:
                await _turn(address, "http")
                await at_cost(address, self._serve(scope, receive, send))
            finally:
                address.requests -= 1

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._app(scope, receive, send)

    async def _arrive(self, scope: Scope, receive: Receive, send: Send, address: Address, wait: float) -> None:
        """Let a handshake wait for its turn: all of a clinic come at once after a restart, and there are places for them."""
        if address.connections + address.arriving < self._hub.limits.max_connections_per_address:
            address.arriving += 1
            try:
                await asyncio.sleep(max(0.0, wait))
                await _turn(address, "websocket")
            finally:
                address.arriving -= 1
        await self._app(scope, receive, send)  # the hub counts the open ones


async def _turn(address: Address, what: str) -> None:
    """Wait while there are many of an address."""
    if (seconds := address.turn(_SPACING[what], time.monotonic())) > 0:
        await asyncio.sleep(seconds)
