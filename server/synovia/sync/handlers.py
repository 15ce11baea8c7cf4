"""What each message of a client means: one handler a message, in a table."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from synovia.identity import Identity, InvalidToken, SignIn, SignInUnavailable
from synovia.limits.addresses import Address
from synovia.limits.allowance import Allowance
from synovia.sync.connection import Connection
from synovia.sync.fetches import Fetches
from synovia.sync.lane import Lane
from synovia.sync.ports import Outcome
from synovia.sync.socket import Ending, Socket
from synovia.sync.uploads import Uploads
from synovia_protocol import messages as m
from synovia_protocol.arrays import ArrayReceived, ChunkReceived, is_array_frame
from synovia_protocol.errors import CloseCode, ErrorCode, ErrorInfo, ProtocolError

if TYPE_CHECKING:
    from synovia.sync.hub import Hub

logger = logging.getLogger("synovia.sync")


_SIGNED_OUT = ErrorInfo(
    ErrorCode.UNAUTHENTICATED,
    "the sign-in has ended, or its token was refused: nothing is run until the client signs in again, or out",
    {"signedOut": True},
)

MUTATION_WEIGHT = 3
"""A mutation counts as so many messages: to run and commit it takes that much longer than anything else."""


class Conversation:
    """Answers one client: frames in, frames out through its socket.

    Args:
        address: Where it comes from.
    """

    def __init__(self, hub: Hub, socket: Socket, address: Address) -> None:
        self.socket = socket
        self._hub = hub
        self._address = address
        self._allowance = Allowance(hub.limits, address, time.monotonic)
        self._subscriptions = 0
        self._session = socket.session
        self._connect: m.Connect | None = None
        self._connected_at = 0.0
        self._sign_in: SignIn | None = None
        self._signed_out = False
        self._connection = Connection(hub.engine, socket.session, hub.transitions, socket.wake)
        self._uploads = Uploads(hub.arrays, hub.limits, address)
        self._fetches = Fetches(hub.engine, hub.read_arrays, socket, hub.limits.max_fetches)
        self._mutations: Lane[tuple[m.Mutation, Identity | None]] = Lane(
            hub.limits.max_waiting_bytes, hub.limits.max_waiting_mutations
        )
        self._mutating: asyncio.Task[None] | None = None
        self._actions = 0

    @property
    def connected(self) -> bool:
        """Whether the client has said who it is."""
        return self._connect is not None

    @property
    def busy(self) -> bool:
        """Whether a request of the client is running."""
        return self._mutating is not None or self._actions > 0

    @property
    def waiting_mutations(self) -> int:
        """Mutations that wait for their turn."""
        return len(self._mutations)

    @property
    def fetching(self) -> int:
        """Arrays that are being sent."""
        return len(self._fetches)

    @property
    def connection(self) -> Connection:
        """What the client holds."""
        return self._connection

    async def receive(self, frame: bytes | str) -> None:
        """Handle one frame; returns when the next one may be read.

        Raises:
            ProtocolError: The client broke the protocol.
        """
        self._look_at_expiry()
        array = not isinstance(frame, str) and is_array_frame(frame)
        if array:
            await self._allowance.pace(1, len(frame))
        for event in self._session.receive(frame):
            if array or await self._admit(event, len(frame)):
                await _HANDLERS[type(event)](self, event, len(frame))

    async def _admit(self, message: Any, size: int) -> bool:
        """Count a message; what must keep its order waits until it may be handled, the rest is refused if it is too much."""
        if isinstance(message, m.Mutation | m.ModifyQuerySet):
            await self._allowance.pace(
                MUTATION_WEIGHT if isinstance(message, m.Mutation) else 1 + len(message.add), size
            )
            return True
        late = self._allowance.take(size)
        if late <= 0:
            return True
        error = _too_much(late)
        if self._allowance.abused:
            self.socket.end(Ending(error, CloseCode.TOO_SLOW, retry_after=late))
            return False
        refused = self._refuse(message, error)
        await self._allowance.pause()
        return not refused

    def _refuse(self, message: Any, error: ErrorInfo) -> bool:
        """Answer a call with an error; tell whether the message is one that has an answer."""
        if isinstance(message, m.Action):
            self._fail_action(message.request_id, error)
        elif isinstance(message, m.FetchArray):
            self.socket.send(m.ArrayResponse(message.request_id, error=error))
        else:
            return False
        return True

    def advance(self) -> list[bytes]:
        """Give the frames that bring the client up to date."""
        return [] if self._session.is_over else self._connection.advance(self._hub.engine.head)

    @property
    def settled(self) -> bool:
        """Whether no response waits for its transition."""
        return not self._connection.waiting_bytes

    def close(self) -> None:
        """Let go of everything the client held."""
        self._connection.close()
        self._count_subscriptions()
        self._uploads.close()
        self._mutations.clear()

    def watch(self, now: float) -> None:
        """Look at the deadlines."""
        self.socket.watch(now, connected=self.connected)
        if self.connected and now - self._connected_at > self._hub.limits.resume_timeout:
            self._connection.forget_past()
        self._look_at_expiry()

    # --- the session

    async def _on_connect(self, message: m.Connect, size: int) -> None:
        self._connect = message
        self._connected_at = asyncio.get_running_loop().time()
        limits = self._hub.limits
        self._connection = Connection(
            self._hub.engine,
            self._session,
            self._hub.transitions,
            self.socket.wake,
            max_subscriptions=limits.max_subscriptions,
        )
        self.socket.put(self._session.send_welcome(limits.idle_timeout, round(time.time() * 1000)))

    async def _on_ping(self, message: m.Ping, size: int) -> None:
        self.socket.send(m.Pong(message.nonce))

    async def _on_authenticate(self, message: m.Authenticate, size: int) -> None:
        self._sign_in = None if message.token is None else await self._signed_in(message.token)
        self._signed_out = message.token is not None and self._sign_in is None
        if (sign_in := self._sign_in) is not None:
            self.socket.send(m.Authenticated(sign_in.token, sign_in.refresh_token, sign_in.expires_at))
        self._connection.sign_in(None if sign_in is None else sign_in.identity)
        self._count_subscriptions()

    async def _signed_in(self, token: str) -> SignIn | None:
        wait = self._allowance.sign_in()
        if wait > 0:
            self.socket.send(m.AuthError(_too_much(wait)))
            return None
        try:
            async with asyncio.timeout(self._hub.limits.authenticate_timeout):
                return await self._hub.authenticator.authenticate(token)
        except InvalidToken as error:
            self._refuse_token(ErrorCode.INVALID_TOKEN, str(error))
        except TimeoutError:
            self._refuse_token(ErrorCode.TIMEOUT, "the token could not be verified in time")
        except SignInUnavailable as error:
            self._refuse_token(ErrorCode.SERVER_ERROR, str(error))
        except Exception:
            logger.exception("%s: a token could not be verified", self.socket.name)
            self._refuse_token(ErrorCode.SERVER_ERROR, "the token could not be verified")
        return None

    def _refuse_token(self, code: ErrorCode, text: str) -> None:
        self.socket.send(m.AuthError(ErrorInfo(code, text)))

    def _look_at_expiry(self) -> None:
        expires_at = None if self._sign_in is None else self._sign_in.expires_at
        if expires_at is not None and self._hub.clock() * 1000 >= expires_at:
            self._sign_out("the sign-in has expired")

    def end_session(self, session: str) -> None:
        """Become anonymous if this session is what the client is signed in by: it has been revoked."""
        if self._sign_in is not None and self._sign_in.session == session:
            self._sign_out("the session has ended")

    def _sign_out(self, text: str) -> None:
        self._sign_in = None
        self._signed_out = True
        self._refuse_token(ErrorCode.INVALID_TOKEN, text)
        self._connection.sign_in(None)

    async def _on_modify(self, message: m.ModifyQuerySet, size: int) -> None:
        limits, held = self._hub.limits, len(self._connection)
        left = limits.max_subscriptions_per_address - self._address.subscriptions
        self._connection.max_subscriptions = min(limits.max_subscriptions, held + left)
        self._connection.modify(message.add, message.remove)
        self._count_subscriptions()

    def _count_subscriptions(self) -> None:
        self._address.subscriptions += len(self._connection) - self._subscriptions
        self._subscriptions = len(self._connection)

    # --- mutations: one after the other

    async def _on_mutation(self, message: m.Mutation, size: int) -> None:
        if self._hub.stopping:
            return  # unanswered, so that the client sends it again to whoever comes after us
        if self._signed_out:
            self._refuse_signed_out(message)
            return
        await self._mutations.put((message, self._connection.identity), size)
        if self._mutating is None:
            self._mutating = self.socket.spawn(self._mutate_all(), "mutations")

    def _refuse_signed_out(self, message: m.Mutation) -> None:
        """Do not run as nobody what was sent as somebody; of a retry nobody knows yet whether it has run."""
        if message.retry:
            self.socket.end(Ending(_SIGNED_OUT, CloseCode.UNAUTHENTICATED, retry_after=0.0))
        else:
            self.socket.send(m.MutationResponse(message.request_id, None, error=_SIGNED_OUT))

    async def _mutate_all(self) -> None:
        try:
            while len(self._mutations) and not self._hub.stopping:
                async with self._address.running:
                    with self._hub.working():
                        await self._mutate(*self._mutations.take())
        finally:
            self._mutating = None

    async def _mutate(self, message: m.Mutation, identity: Identity | None) -> None:
        assert self._connect is not None, "the session lets nothing through before Connect"  # noqa: S101
        fault = await self._uploads.fault(message.args, self._connection.shows)
        if fault is not None:
            self.socket.send(m.MutationResponse(message.request_id, None, error=fault))
            return
        outcome = await self._run(
            self._hub.engine.mutate(
                message.path,
                message.args,
                identity,
                session=self._connect.session,
                number=message.request_id,
                retry=message.retry,
                issued_at=message.issued_at,
            ),
            message.path,
        )
        if outcome is not None and outcome.unknown and outcome.error is not None:
            # Not answered: the client connects again, sends the mutation again, and its record tells what came of it.
            self.socket.end(Ending(outcome.error, CloseCode.SERVER_ERROR, retry_after=1.0))
        elif outcome is not None:
            self._tell_mutation(message.request_id, outcome)

    def _tell_mutation(self, request_id: int, outcome: Outcome) -> None:
        if self._session.is_over:
            return
        if outcome.error is not None:
            frame = self._session.send(m.MutationResponse(request_id, outcome.ts, error=outcome.error))
        else:
            self._know(outcome)
            frame = self._session.send_mutation_result(request_id, outcome.ts, outcome.packed or _NOTHING)
        self._respond(outcome.ts, frame)

    # --- actions: several at once

    async def _on_action(self, message: m.Action, size: int) -> None:
        if self._hub.stopping:
            return
        if self._signed_out:
            self._fail_action(message.request_id, _SIGNED_OUT)
            return
        if self._actions >= self._hub.limits.max_actions or self._address.running.locked():
            whose = "connection" if self._actions >= self._hub.limits.max_actions else "address"
            text = f"as many functions of this {whose} as may are running already"
            self._fail_action(message.request_id, ErrorInfo(ErrorCode.LIMIT_EXCEEDED, text))
            return
        self._actions += 1
        self.socket.spawn(self._act(message, self._connection.identity), f"action {message.request_id}")

    async def _act(self, message: m.Action, identity: Identity | None) -> None:
        try:
            async with self._address.running:
                with self._hub.working():
                    outcome = await self._act_or_refuse(message, identity)
                    if outcome is not None:
                        self._tell_action(message.request_id, outcome)
        finally:
            self._actions -= 1

    async def _act_or_refuse(self, message: m.Action, identity: Identity | None) -> Outcome | None:
        fault = await self._uploads.fault(message.args, self._connection.shows)
        if fault is not None:
            self._fail_action(message.request_id, fault)
            return None
        return await self._run(self._hub.engine.run_action(message.path, message.args, identity), message.path)

    def _tell_action(self, request_id: int, outcome: Outcome) -> None:
        if outcome.error is not None:
            self._fail_action(request_id, outcome.error)
        elif not self._session.is_over:
            self._know(outcome)
            frame = self._session.send_action_result(request_id, outcome.packed or _NOTHING)
            self._respond(outcome.ts, frame)

    def _fail_action(self, request_id: int, error: ErrorInfo) -> None:
        self.socket.send(m.ActionResponse(request_id, error=error))

    # --- both

    async def _run(self, call: Awaitable[Outcome], path: str) -> Outcome | None:
        """Run a request to its end even if the client goes; None if it is not known how it ended."""
        try:
            outcome = await self._hub.run(call, f"{self.socket.name} {path}")
            if outcome.ts is not None:
                await self._hub.engine.wait_for(outcome.ts)
        except Exception:
            logger.exception("%s: %s could not be run", self.socket.name, path)
            error = ErrorInfo(ErrorCode.SERVER_ERROR, f"{path} could not be run; its outcome is unknown")
            self.socket.end(Ending(error, CloseCode.SERVER_ERROR, retry_after=1.0))
            return None
        return outcome

    def _respond(self, ts: int | None, frame: bytes) -> None:
        """Send a response: at once, or once the client has been shown everything up to ``ts``."""
        if ts is None:
            self.socket.put(frame, also_waiting=self._connection.waiting_bytes)
        elif self.socket.has_room(self._connection.waiting_bytes):
            self._connection.respond(ts, frame)

    def _know(self, outcome: Outcome) -> None:
        for digest in outcome.arrays:
            self._uploads.know(digest)

    # --- arrays

    async def _on_chunk(self, event: ChunkReceived, size: int) -> None:
        if self._connection.identity is None and not self._allowance.anonymous_samples(len(event.data)):
            text = "more samples from this address than may be uploaded without signing in"
            raise ProtocolError(ErrorCode.LIMIT_EXCEEDED, text, CloseCode.TOO_LARGE)
        await self._uploads.chunk(event)

    async def _on_array(self, event: ArrayReceived, size: int) -> None:
        await self._uploads.complete(event)

    async def _on_fetch(self, message: m.FetchArray, size: int) -> None:
        self._fetches.start(message, lambda: self._connection.live(message.query_id))

    async def _on_cancel(self, message: m.CancelFetch, size: int) -> None:
        self._fetches.cancel(message.request_id)


def _too_much(seconds: float) -> ErrorInfo:
    return ErrorInfo(ErrorCode.RATE_LIMITED, "too much at once; try again later", {"retryAfter": round(seconds, 3)})


_NOTHING = b"\xc0"
_Handler = Callable[[Conversation, Any, int], Awaitable[None]]
_HANDLERS: dict[type, _Handler] = {
    m.Connect: Conversation._on_connect,
    m.Ping: Conversation._on_ping,
    m.Authenticate: Conversation._on_authenticate,
    m.ModifyQuerySet: Conversation._on_modify,
    m.Mutation: Conversation._on_mutation,
    m.Action: Conversation._on_action,
    m.FetchArray: Conversation._on_fetch,
    m.CancelFetch: Conversation._on_cancel,
    ChunkReceived: Conversation._on_chunk,
    ArrayReceived: Conversation._on_array,
}
