"""A scripted hub: a real WebSocket server that speaks through the protocol's ServerSession, and does what a test says."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from http import HTTPStatus
from ssl import SSLContext
from typing import Any, Self, TypeVar

import numpy.typing as npt
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response
from websockets.typing import Subprotocol

from helpers.patience import PATIENCE
from synovia_protocol import messages as m
from synovia_protocol.arrays import ArrayReceived, ChunkReceived, encode_frame, raw_of
from synovia_protocol.codec import encode, pack, pack_update
from synovia_protocol.errors import CloseCode, ErrorInfo
from synovia_protocol.patch import diff
from synovia_protocol.sessions import ServerSession, ServerState

E = TypeVar("E")


class PeerConnection:
    """The server's end of one connection.

    Attributes:
        session: The protocol's state; ``queries`` are the queries added and not removed, by path.
    """

    def __init__(self, websocket: ServerConnection) -> None:
        self.websocket = websocket
        self.session = ServerSession()
        self.queries: dict[str, m.QueryAdd] = {}
        self._events: list[Any] = []

    # --- receiving

    async def next(self) -> Any:
        """Give the next thing the client says; pings are answered on the way."""
        while True:
            async with asyncio.timeout(PATIENCE):
                while not self._events:
                    self._events += self.session.receive(await self.websocket.recv())
            event = self._events.pop(0)
            if not isinstance(event, m.Ping):
                self._note(event)
                return event
            await self._pong(event)

    async def _pong(self, ping: m.Ping) -> None:
        if self.session.state is ServerState.OPEN:  # before the welcome a server says nothing
            await self.send(self.session.send(m.Pong(ping.nonce)))

    def _note(self, event: Any) -> None:
        if isinstance(event, m.ModifyQuerySet):
            self.queries = {path: add for path, add in self.queries.items() if add.query_id not in event.remove}
            self.queries.update({add.path: add for add in event.add})

    async def expect(self, kind: type[E]) -> E:
        """Give the next thing the client says, which must be of this kind."""
        event = await self.next()
        assert isinstance(event, kind), event
        return event

    async def expect_query(self, path: str) -> m.QueryAdd:
        """Wait for the client to add a query; nothing but changes of the query set may come before."""
        while path not in self.queries:
            await self.expect(m.ModifyQuerySet)
        return self.queries[path]

    async def expect_ping(self) -> m.Ping:
        """Wait for a ping, which is not answered."""
        async with asyncio.timeout(PATIENCE):
            (event,) = self.session.receive(await self.websocket.recv())
        assert isinstance(event, m.Ping), event
        return event

    async def answer_ping(self) -> None:
        """Wait for a ping, and answer it."""
        await self._pong(await self.expect_ping())

    async def expect_array(self) -> tuple[ArrayReceived, bytes]:
        """Wait for an array to be uploaded whole; gives its description and its bytes."""
        data = b""
        while True:
            event = await self.next()
            if isinstance(event, ArrayReceived):
                return event, data
            assert isinstance(event, ChunkReceived), event
            data += bytes(event.data)

    async def silence(self) -> None:
        """Check that the client has nothing to say but pings: it has answered, and nothing else is there."""
        async with asyncio.timeout(PATIENCE):
            await (await self.websocket.ping())
            while self.unread():
                self._events += self.session.receive(await self.websocket.recv())
        for ping in [event for event in self._events if isinstance(event, m.Ping)]:
            self._events.remove(ping)
            await self._pong(ping)
        assert not self._events, self._events

    def unread(self) -> int:
        """Tell how many frames have arrived that nobody has read."""
        return len(self.websocket.recv_messages.frames.queue)

    # --- sending

    async def send(self, frame: bytes | str) -> None:
        await self.websocket.send(frame)

    async def welcome(self, idle_timeout: float = 60.0, server_time: int | None = None) -> m.Connect:
        """Take the client's Connect and welcome it."""
        connect = await self.expect(m.Connect)
        await self.send(self.session.send_welcome(idle_timeout, server_time))
        return connect

    async def transition(self, to_ts: int, *updates: m.QueryUpdate) -> None:
        """Move the client on."""
        await self.send(self.session.send_transition(to_ts, [pack_update(update) for update in updates]))

    async def give(self, path: str, value: Any, to_ts: int, journal: bytes | None = None) -> None:
        """Give a query its value as of ``to_ts``, waiting until it has been added."""
        query = await self.expect_query(path)
        await self.transition(to_ts, m.QueryValue(query.query_id, value, journal))

    async def patch(self, path: str, old: Any, new: Any, to_ts: int) -> None:
        """Lead a query from one value to another."""
        await self.transition(to_ts, m.QueryPatch(self.queries[path].query_id, (diff(old, new),)))

    async def answer(self, mutation: m.Mutation, result: Any = None, ts: int | None = 1) -> None:
        """Answer a mutation."""
        await self.send(self.session.send_mutation_result(mutation.request_id, ts, pack(result)))

    async def send_array(self, fetch: m.FetchArray, array: npt.NDArray[Any], sizes: Sequence[int] = ()) -> None:
        """Answer a fetch with these elements, in frames of the sizes given, or in one."""
        await self.send(self.session.send(m.ArrayResponse(fetch.request_id, array.dtype.name, array.shape)))
        for frame in self.array_frames(fetch, array, sizes or [array.size]):
            await self.send(frame)

    @staticmethod
    def array_frames(fetch: m.FetchArray, array: npt.NDArray[Any], sizes: Sequence[int]) -> list[bytes]:
        """Cut an array into frames of these sizes."""
        raw, frames, position = raw_of(array), [], 0
        for size in sizes:
            data = raw[position * array.itemsize : (position + size) * array.itemsize]
            frame = m.ArrayFrame(fetch.request_id, array.dtype.name, fetch.digest, position, array.size, data)
            frames.append(encode_frame(frame))
            position += size
        return frames

    # --- ending

    def cut(self) -> None:
        """Break the connection, as a pulled cable does."""
        self.websocket.transport.abort()

    async def dismiss(self, error: ErrorInfo, retry_after: float | None = None) -> None:
        """End the connection with a FatalError."""
        await self.send(encode(m.FatalError(error, retry_after)))
        await self.websocket.close(CloseCode.GOING_AWAY)

    async def closed(self) -> int | None:
        """Wait until the client has closed, and give its close code."""
        async with asyncio.timeout(PATIENCE):
            try:
                while True:
                    await self.websocket.recv()
            except ConnectionClosed:
                return self.websocket.close_code


class Peer:
    """The server; each connection is handed to the test.

    Attributes:
        url: Where it listens; without a path.
        refuse: An HTTP status to answer handshakes with, None to accept them.
        retry_after: A header that such an answer has.
        handshakes: How many were tried.
    """

    def __init__(self, subprotocols: Sequence[str] = (m.SUBPROTOCOL,), ssl: SSLContext | None = None) -> None:
        self.refuse: HTTPStatus | None = None
        self.retry_after: str | None = None
        self.handshakes = 0
        self.paths: list[str] = []
        self._subprotocols = [Subprotocol(name) for name in subprotocols] or None
        self._ssl = ssl
        self._accepted: asyncio.Queue[PeerConnection] = asyncio.Queue()
        self._server: Server | None = None

    async def __aenter__(self) -> Self:
        await self.listen()
        return self

    async def __aexit__(self, *exception: object) -> None:
        await self.stop()

    async def listen(self, port: int = 0) -> None:
        """Begin to listen."""
        self._server = await serve(
            self._handle,
            "127.0.0.1",
            port,
            subprotocols=self._subprotocols,
            process_request=self._look_at,
            ssl=self._ssl,
            compression=None,
            ping_interval=None,
            max_size=None,
            close_timeout=0.5,
        )
        self.port: int = next(iter(self._server.sockets)).getsockname()[1]
        self.url = f"{'ws' if self._ssl is None else 'wss'}://127.0.0.1:{self.port}"

    async def stop(self) -> None:
        """Stop listening, and break every connection."""
        assert self._server is not None
        for websocket in self._server.connections:
            websocket.transport.abort()
        self._server.close()
        await self._server.wait_closed()

    def _look_at(self, connection: ServerConnection, request: Request) -> Response | None:
        self.handshakes += 1
        self.paths.append(request.path)
        if self.refuse is None:
            return None
        response = connection.respond(self.refuse, "not today\n")
        if self.retry_after is not None:
            response.headers["Retry-After"] = self.retry_after
        return response

    async def _handle(self, websocket: ServerConnection) -> None:
        self._accepted.put_nowait(PeerConnection(websocket))
        await websocket.wait_closed()

    async def accept(self) -> PeerConnection:
        """Wait for the next connection."""
        async with asyncio.timeout(PATIENCE):
            return await self._accepted.get()

    async def welcome(self) -> PeerConnection:
        """Wait for the next connection and welcome its client."""
        connection = await self.accept()
        await connection.welcome()
        return connection


async def eventually(condition: Callable[[], bool]) -> None:
    """Let the loop turn until the condition holds."""
    async with asyncio.timeout(PATIENCE):
        while not condition():  # noqa: ASYNC110 - what it looks at tells nobody when it changes
            await asyncio.sleep(0)
