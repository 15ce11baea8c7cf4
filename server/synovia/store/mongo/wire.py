"""Commands on one connection of the driver's, several of them sent in one go, past what it does around each of them.

For each command the driver chooses a server, takes a connection, makes two tasks and looks at a dozen settings: two thirds
of the processor time that a command costs. A commit needs that once, and need not wait for the answer to one command before
it sends the next: a server answers the messages of a connection in order, as it does those of clients that ask for no
acknowledgement (OP_MSG, the flag ``moreToCome``). What the driver does with connections stays as it is: how they are made
and encrypted, who is signed in, when one is given up, and what that says of the server.

This uses parts of the driver that are not for everybody. ``is_possible`` tells whether they are there; where they are not,
and with clients that want what the driver does around a command, everything goes through the driver.
"""

from __future__ import annotations

import itertools
import struct
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final

import bson
from bson import CodecOptions
from pymongo import AsyncMongoClient, helpers_shared
from pymongo.asynchronous import client_session, mongo_client
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.asynchronous.pool import AsyncConnection
from pymongo.asynchronous.server import Server
from pymongo.errors import ProtocolError
from pymongo.network_layer import PyMongoProtocol
from pymongo.read_preferences import ReadPreference
from pymongo.server_selectors import writable_server_selector
from pymongo.topology_description import TopologyDescription

from synovia.schema.specs import Document
from synovia.store.mongo.answers import Answers

MOST_BYTES: Final = 4 * 1024 * 1024
"""Commands of more in all are not sent in one go."""
_MOST_KEPT: Final = 2
_MANY_CONNECTIONS: Final = 16
"""Nothing is kept of a pool that is smaller: others would wait for it."""
_OP_MSG: Final = 2013
_HEAD: Final = struct.Struct("<iiiiIB")
_REPLY_HEAD: Final = struct.Struct("<IB")
_OF_TRANSACTIONS: Final = ("lsid", "txnNumber", "autocommit")
_numbers = itertools.cycle(range(1, 1 << 31))

_PARTS: Final = (
    (AsyncMongoClient, "_select_server"),
    (AsyncMongoClient, "_checkout"),
    (AsyncClientSession, "_apply_to"),
    (AsyncConnection, "_raise_connection_failure"),
    (AsyncConnection, "conn_closed"),
    (PyMongoProtocol, "connection_lost"),
    (PyMongoProtocol, "close"),
    (client_session, "_TxnState"),
    (helpers_shared, "_check_command_response"),
)


class TooLarge(Exception):
    """The commands are too large to be sent in one go; nothing was sent."""


def is_possible(client: Any) -> bool:
    """Tell whether commands of a client can go this way, and nobody would miss what the driver does around them."""
    if not isinstance(client, AsyncMongoClient) or not all(hasattr(owner, name) for owner, name in _PARTS):
        return False
    options = client.options
    credentials = options.pool_options._credentials
    signs_in_again = credentials is not None and credentials.mechanism == "MONGODB-OIDC"
    special = (options.auto_encryption_opts, options.pool_options.server_api, options.load_balanced, signs_in_again)
    return not any(special)


class Wire:
    """A connection, as long as it is taken.

    Args:
        answers: What reads its answers.
        session: All commands are part of it, and of its transaction if it has one.
        database: To which they go if nothing else is said.
    """

    def __init__(
        self, connection: AsyncConnection, answers: Answers, session: AsyncClientSession, database: str
    ) -> None:
        self._connection = connection
        self._answers = answers
        self._session = session
        self._database = database
        self._further: Document | None = None  # what every command of the transaction says that has begun here

    async def run(
        self, commands: Sequence[Document], codec: CodecOptions[Document], *, on: str | None = None
    ) -> list[Document]:
        """Send commands, and give what is answered to each, be it an error; see ``check``.

        Raises:
            TooLarge: Nothing was sent.
            ConnectionFailure: The connection was lost.
        """
        numbers, messages = list[int](), list[bytes]()
        for each in commands:
            self._take_part(each)
            each["$db"] = on or self._database
            number = next(_numbers)
            numbers.append(number)
            messages.append(_message(number, each, codec))
        whole = b"".join(messages)
        if len(whole) > MOST_BYTES:
            raise TooLarge
        try:
            return await self._exchange(whole, numbers, codec)
        except BaseException as error:  # a cancellation too: what is still to be answered belongs to nobody
            await self._connection._raise_connection_failure(error)

    def _take_part(self, command: Document) -> None:
        """Make a command part of the session; what the first one of a transaction has begun the next must not begin."""
        if self._further is not None:
            command.update(self._further)
            return
        self._session._apply_to(command, False, ReadPreference.PRIMARY, self._connection)
        if self._session._transaction.starting():
            self._session._transaction.set_in_progress()
            self._further = {name: command[name] for name in _OF_TRANSACTIONS}

    async def _exchange(self, whole: bytes, numbers: list[int], codec: CodecOptions[Document]) -> list[Document]:
        return [_document(*answer, codec) for answer in await self._answers.ask(whole, numbers)]

    def check(self, reply: Document, *, commit: bool = False) -> None:
        """Raise the error that a reply tells of.

        Raises:
            OperationFailure, NotPrimaryError: The driver's.
        """
        version = self._connection.max_wire_version
        helpers_shared._check_command_response(reply, version, parse_write_concern_error=commit)

    async def commit(self, concern: Mapping[str, Any], codec: CodecOptions[Document]) -> Document:
        """Ask for the transaction to be committed, which nobody may abort from then on; give the answer.

        Raises:
            ConnectionFailure: The connection was lost, and it may have been committed.
        """
        try:
            (reply,) = await self.run([{"commitTransaction": 1, "writeConcern": dict(concern)}], codec, on="admin")
            return reply
        finally:
            self._session._transaction.state = client_session._TxnState.COMMITTED  # type: ignore[attr-defined]


@dataclass(slots=True)
class _Kept:
    """A connection that is taken, and what was known of all servers then."""

    checkout: Any
    connection: AsyncConnection
    answers: Answers
    known: TopologyDescription

    async def give_back(self, error: BaseException | None = None) -> None:
        """Leave it to the driver, and tell what it failed with."""
        self.answers.end()
        await self.checkout.__aexit__(type(error) if error else None, error, error.__traceback__ if error else None)


class Primary:
    """The server that takes writes, looked for anew as soon as the driver has heard anything of any server.

    Until then connections are kept for the commands that come next, since to take one costs as much as to send a command.

    Args:
        client: One for which this ``is_possible``.
        database: To which commands go.
    """

    def __init__(self, client: AsyncMongoClient[Any], database: str) -> None:
        self._client = client
        self._database = database
        self._known: tuple[TopologyDescription, Server] | None = None
        self._kept: list[_Kept] = []
        self._most_kept = _MOST_KEPT if _may_keep(client) else 0

    @asynccontextmanager
    async def wire(self, session: AsyncClientSession) -> AsyncIterator[Wire | None]:
        """Take a connection to it; None if commands cannot go this way on it."""
        kept = await self._take(session)
        connection, listeners = kept.connection, kept.connection.listeners
        watched = listeners is not None and listeners.enabled_for_commands
        try:
            yield None if connection.is_mongos or watched else Wire(connection, kept.answers, session, self._database)
        except BaseException as error:
            await kept.give_back(error)
            raise
        if connection.is_mongos or len(self._kept) >= self._most_kept or not self._is_usable(kept):
            await kept.give_back()
        else:
            kept.checkout.session = None
            self._kept.append(kept)

    async def close(self) -> None:
        """Give back what is kept, and keep nothing more."""
        self._most_kept = 0
        while self._kept:
            await self._kept.pop().give_back()

    async def _take(self, session: AsyncClientSession) -> _Kept:
        while self._kept:
            kept = self._kept.pop()
            if self._is_usable(kept):
                kept.checkout.session = session
                return kept
            await kept.give_back()
        server = await self._server(session)
        known = self._client._topology.description
        checkout = self._client._checkout(server, session)
        connection = await checkout.__aenter__()
        answers = Answers(connection.conn.get_conn, connection.max_message_size)
        answers.begin()
        return _Kept(checkout, connection, answers, known)

    def _is_usable(self, kept: _Kept) -> bool:
        return kept.known is self._client._topology.description and not kept.connection.conn_closed()

    async def _server(self, session: AsyncClientSession) -> Server:
        if self._known is not None and self._known[0] is self._client._topology.description:
            return self._known[1]
        before = self._client._topology.description
        server = await self._client._select_server(writable_server_selector, session, "update")
        if self._client._topology.description is before:
            self._known = before, server
        return server


def _may_keep(client: AsyncMongoClient[Any]) -> bool:
    """Tell whether connections may be kept: errors can be told to whoever has one then, and enough are left for others."""
    most = client.options.pool_options.max_pool_size
    return hasattr(mongo_client, "_ClientCheckout") and (most is None or most >= _MANY_CONNECTIONS)


def _message(number: int, command: Document, codec: CodecOptions[Document]) -> bytes:
    body = bson.encode(command, codec_options=codec)
    return _HEAD.pack(_HEAD.size + len(body), number, 0, _OP_MSG, 0, 0) + body


def _document(data: bytes, code: int, codec: CodecOptions[Document]) -> Document:
    flags, kind = _REPLY_HEAD.unpack_from(data)
    if code != _OP_MSG or flags or kind:
        raise ProtocolError(f"an answer of kind {code}, {flags}, {kind}")
    return bson.decode(data[_REPLY_HEAD.size :], codec)
