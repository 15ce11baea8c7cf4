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
import re
import struct
from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from types import TracebackType
from typing import Any, Final

import bson
from bson import CodecOptions, Timestamp
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
from synovia.store.mongo.answers import Answer, Answers

MOST_BYTES: Final = 4 * 1024 * 1024
"""Commands of more in all are not sent in one go."""
_MOST_KEPT: Final = 2
_MANY_CONNECTIONS: Final = 16
"""Nothing is kept of a pool that is smaller: others would wait for it."""
_OP_MSG: Final = 2013
_HEAD: Final = struct.Struct("<iiiiIB")
_REPLY_HEAD: Final = struct.Struct("<IB")
_SUCCESS: Final = re.compile(
    rb"\0{5}.{4}"  # flags, the kind, the length of the document
    rb"(?:\x10n\0(.{4})(?:\x07electionId\0.{12})?(?:\x03opTime\0\x1c\0{3}.{24})?(?:\x10nModified\0.{4})?)?"
    rb"\x01ok\0\0{6}\xf0\x3f\x03\$clusterTime\0(.{4})",
    re.DOTALL,
)
"""How an answer without errors begins: to a write, or to a commit."""
_OPERATION_TIME: Final = b"\x11operationTime\0"
_TIME: Final = struct.Struct("<II")
_numbers = itertools.cycle(range(1, 1 << 31))

_PARTS: Final = (
    (AsyncMongoClient, "_select_server"),
    (AsyncMongoClient, "_checkout"),
    (AsyncClientSession, "_apply_to"),
    (AsyncClientSession, "_materialize"),
    (AsyncConnection, "_raise_connection_failure"),
    (PyMongoProtocol, "connection_lost"),
    (PyMongoProtocol, "close"),
    (client_session, "_TxnState"),
    (client_session, "TransactionOptions"),
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
    """A connection that is taken, and what was known of all servers then.

    Args:
        checkout: What the driver has given it by.
        answers: What reads its answers.
        database: To which commands go if nothing else is said.

    Attributes:
        connection: The driver's.
        session: Its own, of which commands are part unless they bring another; the driver may go on with it where this ends.
    """

    def __init__(
        self, client: AsyncMongoClient[Any], checkout: Any, connection: AsyncConnection, database: str
    ) -> None:
        self._client = client
        self._known = client._topology.description
        self._checkout = checkout
        self.connection = connection
        self._answers = Answers(connection.conn.get_conn, connection.max_message_size)
        self._database = database
        self._answers.begin()
        self.session: AsyncClientSession = client.start_session(causal_consistency=False)
        self.session._materialize(connection.logical_session_timeout_minutes)
        self._of_session: Document = {"lsid": self.session._server_session.session_id}
        self._of_first: Document | None = None  # what the first command of a transaction says beside that

    @property
    def is_possible(self) -> bool:
        """Whether commands can go this way: they are to no router, and nobody listens to them."""
        listeners = self.connection.listeners
        return not (self.connection.is_mongos or (listeners is not None and listeners.enabled_for_commands))

    @property
    def is_usable(self) -> bool:
        """Whether it is open, and nothing new is known of any server."""
        is_closed = self.connection.closed or self._answers.is_closing()
        return self._known is self._client._topology.description and not is_closed

    def begin(self, options: Any) -> None:
        """Have all further commands be part of a transaction of its session, with the driver's options of transactions."""
        transaction, numbers = self.session._transaction, self.session._server_session
        numbers.inc_transaction_id()
        transaction.opts, transaction.attempt = options, 0
        transaction.state = client_session._TxnState.IN_PROGRESS  # type: ignore[attr-defined]
        self._of_session = {"lsid": numbers.session_id, "txnNumber": numbers.transaction_id, "autocommit": False}
        concern = options.read_concern
        self._of_first = {"startTransaction": True, "readConcern": {} if concern is None else concern.document}

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
            each |= self._of_session
            if self._of_first is not None:
                each |= self._of_first
                self._of_first = None
            each["$db"] = on or self._database
            number, body = next(_numbers), bson.encode(each, codec_options=codec)
            numbers.append(number)
            messages += (_HEAD.pack(_HEAD.size + len(body), number, 0, _OP_MSG, 0, 0), body)
        whole = b"".join(messages)
        if len(whole) > MOST_BYTES:
            raise TooLarge
        return [
            success(data) or bson.decode(_body(data, code), codec)
            for data, code in await self._exchange(whole, numbers)
        ]

    def packed(self, command: Document, session: AsyncClientSession) -> bytes:
        """Give a command of another session, encoded for ``ask``."""
        session._apply_to(command, False, ReadPreference.PRIMARY, self.connection)
        command["$db"] = self._database
        return bson.encode(command)

    async def ask(self, command: bytes, seconds: float) -> bytes:
        """Send one command, and give the document that is answered.

        Args:
            seconds: Without an answer for so long the connection is given up.

        Raises:
            ConnectionFailure: The connection was lost.
        """
        number = next(_numbers)
        message = _HEAD.pack(_HEAD.size + len(command), number, 0, _OP_MSG, 0, 0) + command
        ((data, code),) = await self._exchange(message, [number], seconds)
        return _body(data, code)

    async def _exchange(self, whole: bytes, numbers: list[int], seconds: float | None = None) -> list[Answer]:
        try:
            return await self._answers.ask(whole, numbers, seconds)
        except BaseException as error:  # a cancellation too: what is still to be answered belongs to nobody
            await self.connection._raise_connection_failure(error)

    def check(self, reply: Mapping[str, Any]) -> None:
        """Raise the error that a reply tells of.

        Raises:
            OperationFailure, NotPrimaryError: The driver's.
        """
        if reply.get("ok") != 1 or "writeConcernError" in reply:
            version = self.connection.max_wire_version
            helpers_shared._check_command_response(dict(reply), version, parse_write_concern_error=True)

    async def commit(self, concern: Mapping[str, Any], codec: CodecOptions[Document]) -> Document:
        """Ask for the transaction to be committed, which nobody may abort from then on; give the answer.

        Raises:
            ConnectionFailure: The connection was lost, and it may have been committed.
            OperationFailure: What the server says.
        """
        try:
            (reply,) = await self.run([{"commitTransaction": 1, "writeConcern": concern}], codec, on="admin")
            self.check(reply)
            return reply
        finally:
            self.session._transaction.state = client_session._TxnState.COMMITTED  # type: ignore[attr-defined]
            self._of_session = {"lsid": self.session._server_session.session_id}

    async def give_back(self, error: BaseException | None = None) -> None:
        """Leave the connection to the driver, and tell what it failed with; the session goes on."""
        self._answers.end()
        await self._checkout.__aexit__(type(error) if error else None, error, error.__traceback__ if error else None)


class _Taken:
    """A wire for a block of commands; what fails in it ends the wire and its session."""

    __slots__ = ("_primary", "_wire")

    def __init__(self, primary: Primary) -> None:
        self._primary = primary
        self._wire: Wire | None = None

    async def __aenter__(self) -> Wire | None:
        self._wire = await self._primary.take()
        return self._wire

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._wire is not None:
            await self._primary.leave(self._wire, error)


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
        self._kept: list[Wire] = []
        self._most_kept = _MOST_KEPT if _may_keep(client) else 0

    def wire(self) -> AbstractAsyncContextManager[Wire | None]:
        """Take a connection to it for a block; None if commands cannot go this way on it."""
        return _Taken(self)

    async def take(self) -> Wire | None:
        """Take a connection to it, which is to be left again; None if commands cannot go this way on it."""
        while self._kept:
            wire = self._kept.pop()
            if wire.is_usable:
                return wire
            await self._give_back(wire)
        server = await self._server()
        checkout = self._client._checkout(server, None)
        wire = Wire(self._client, checkout, await checkout.__aenter__(), self._database)
        checkout.session = wire.session
        if wire.is_possible:
            return wire
        await self._give_back(wire)
        return None

    async def leave(self, wire: Wire, error: BaseException | None = None) -> None:
        """Keep a connection for the next who takes one, or give it back with its session: if something has failed on it."""
        if error is None and len(self._kept) < self._most_kept and wire.is_usable:
            self._kept.append(wire)
        else:
            await self._give_back(wire, error)

    async def close(self) -> None:
        """Give back what is kept, and keep nothing more."""
        self._most_kept = 0
        while self._kept:
            await self._give_back(self._kept.pop())

    @staticmethod
    async def _give_back(wire: Wire, error: BaseException | None = None) -> None:
        try:
            await wire.give_back(error)
        finally:
            await wire.session.end_session()

    async def _server(self) -> Server:
        if self._known is not None and self._known[0] is self._client._topology.description:
            return self._known[1]
        before = self._client._topology.description
        server = await self._client._select_server(writable_server_selector, None, "update")
        if self._client._topology.description is before:
            self._known = before, server
        return server


def _may_keep(client: AsyncMongoClient[Any]) -> bool:
    """Tell whether connections may be kept: errors can be told to whoever has one then, and enough are left for others."""
    most = client.options.pool_options.max_pool_size
    return hasattr(mongo_client, "_ClientCheckout") and (most is None or most >= _MANY_CONNECTIONS)


def success(data: bytes) -> Document | None:
    """Read the answer to a write or a commit that went well, of which a part matters; None if it is not just that.

    To decode it as a whole takes as many calls as to send the command, most of them for times that nobody looks at.
    """
    found = _SUCCESS.match(data)
    if found is None:
        return None
    after = found.end() - 4 + int.from_bytes(found[2], "little")
    if data[after : after + len(_OPERATION_TIME)] != _OPERATION_TIME or len(data) != after + len(_OPERATION_TIME) + 9:
        return None
    if found[1] is not None:
        return {"ok": 1.0, "n": int.from_bytes(found[1], "little")}
    increment, seconds = _TIME.unpack_from(data, after + len(_OPERATION_TIME))
    return {"ok": 1.0, "operationTime": Timestamp(seconds, increment)}


def _body(data: bytes, code: int) -> bytes:
    flags, kind = _REPLY_HEAD.unpack_from(data)
    if code != _OP_MSG or flags or kind:
        raise ProtocolError(f"an answer of kind {code}, {flags}, {kind}")
    return data[_REPLY_HEAD.size :]
