"""Clients whose connection breaks and who come back, and what that costs on the wire."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from helpers.patience import PATIENCE
from helpers.sync_server import Client, Running, client_of
from synovia_protocol.client_session import ClientSession
from synovia_protocol.codec import decode_server
from synovia_protocol.messages import QueryAdd, Transition, Welcome

A, B = {"board": "a"}, {"board": "b"}


class Returning:
    """A client whose connection breaks, and the one it makes after that.

    Attributes:
        received: The bytes of everything but the welcome that came on the second connection.
        updates: What those said of the queries.
    """

    def __init__(self, client: Client) -> None:
        self.client = client
        self.received = 0
        self.updates: list[Any] = []

    async def settled(self, ids: set[int]) -> None:
        """Read until every query has been answered."""
        async with asyncio.timeout(PATIENCE):
            while not ids <= {update.query_id for update in self.updates}:
                frame = await self.client.socket.recv()
                assert isinstance(frame, bytes)
                message = decode_server(frame)
                if isinstance(message, Transition):
                    self.received += len(frame)
                    self.updates += message.updates
                self.client.session.receive(frame)

    def value(self, query_id: int) -> Any:
        return self.client.session.held[query_id].value


@asynccontextmanager
async def returning(to: Running, held: ClientSession, queries: dict[int, dict[str, Any]]) -> AsyncIterator[Returning]:
    """Connect again with what an earlier session held."""
    session = ClientSession(held.session_id, held.ts, held.held, limits=held.limits)
    async with client_of(to, session) as client:
        assert isinstance(client.events[0], Welcome)
        await client.send(session.modify([QueryAdd(id_, "notes:on_board", args) for id_, args in queries.items()]))
        back = Returning(client)
        await back.settled(set(queries))
        yield back
