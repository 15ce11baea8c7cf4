"""The calls of one client: mutations one after the other, actions several at once."""

from __future__ import annotations

import asyncio
import logging

from synovia.charges import at_cost
from synovia.identity import Account
from synovia.limits.addresses import Address
from synovia.sync.context import HubContext
from synovia.sync.lane import Lane
from synovia.sync.outcomes import outcome_of, to_its_end
from synovia.sync.ports import Outcome
from synovia.sync.query_set import QuerySet
from synovia.sync.sign_in import SIGNED_OUT, Caller, ClientSignIn
from synovia.sync.socket import Ending, Socket
from synovia.sync.uploads import Uploads
from synovia.sync.waiting import Waiting
from synovia_protocol.errors import CloseCode, ErrorCode, ErrorInfo
from synovia_protocol.messages import Action, ActionResponse, Mutation, MutationResponse
from synovia_protocol.references import holds_only_plain

logger = logging.getLogger("synovia.sync")

_NOTHING = b"\xc0"


class Requests:
    """Runs calls, and answers each once the client has been shown what it has changed.

    Args:
        address: Whose functions these are too.
        query_set: What the client is shown, and who it is.
        uploads: Which arrays its arguments may name.
        sign_in: Says when nothing is to be run.
    """

    def __init__(
        self,
        context: HubContext,
        socket: Socket,
        address: Address,
        query_set: QuerySet,
        uploads: Uploads,
        sign_in: ClientSignIn,
    ) -> None:
        self._context = context
        self._socket = socket
        self._session = socket.session
        self._address = address
        self._query_set = query_set
        self._uploads = uploads
        self._sign_in = sign_in
        limits = context.limits
        self._mutations: Lane[tuple[Waiting[Mutation], Caller]] = Lane(
            limits.max_waiting_bytes, limits.max_waiting_mutations
        )
        self._mutating: asyncio.Task[None] | None = None
        self._mutations_name = f"{socket.name} mutations"
        self._working = context.requests.working()
        self._actions = 0
        self._closed = False

    @property
    def busy(self) -> bool:
        """Whether something runs."""
        return self._mutating is not None or self._actions > 0

    @property
    def waiting_mutations(self) -> int:
        """Mutations that wait for their turn."""
        return len(self._mutations)

    def close(self) -> None:
        """Forget what waits."""
        self._closed = True
        self._mutations.clear()

    # --- mutations

    async def mutate(self, message: Mutation, size: int) -> None:
        """Run a mutation of ``size`` bytes after those before it; return when another one may wait."""
        if self._context.requests.stopping:
            return  # unanswered, so that the client sends it again to whoever comes after us
        if self._sign_in.ended:
            self._refuse_signed_out(message)
            return
        await self._mutations.put((Waiting(message, size), self._sign_in.caller), size)
        if self._mutating is None:
            self._mutating = self._context.requests.begin(self._mutate_all(), self._mutations_name)

    def _refuse_signed_out(self, message: Mutation) -> None:
        """Do not run as nobody what was sent as somebody; of a retry nobody knows yet whether it has run."""
        if message.retry:
            self._socket.end(Ending(SIGNED_OUT, CloseCode.UNAUTHENTICATED, retry_after=0.0))
        else:
            self._socket.send(MutationResponse(message.request_id, None, error=SIGNED_OUT))

    async def _mutate_all(self) -> None:
        """Run those that wait; one that has begun goes on to its end also when the connection has ended."""
        try:
            while self._may_begin:
                async with self._address.running as has_waited:
                    if not has_waited or self._may_begin:
                        with self._working:
                            await at_cost(self._address, self._mutate(*self._mutations.take()))
        except Exception:
            logger.exception("%s: a mutation could not be answered", self._socket.name)
            self._socket.fail()
        finally:
            self._mutating = None

    @property
    def _may_begin(self) -> bool:
        return bool(self._mutations.items) and not self._context.requests.stopping

    async def _mutate(self, waiting: Waiting[Mutation], caller: Caller) -> None:
        if self._closed:
            return
        message = waiting.message()
        self._sign_in.check_expiry()
        if caller.ended:
            self._refuse_signed_out(message)
            return
        assert self._session.connect is not None, "the session lets nothing through before Connect"  # noqa: S101
        if not holds_only_plain(message.args):
            fault = await self._uploads.fault(message.args, self._query_set.shows)
            if fault is not None:
                self._socket.send(MutationResponse(message.request_id, None, error=fault))
                return
        call = self._context.engine.mutate(
            message.path,
            message.args,
            caller.identity,
            session=self._session.connect.session,
            number=message.request_id,
            retry=message.retry,
            issued_at=message.issued_at,
        )
        if message.traceparent is None:
            outcome = await outcome_of(self._context, self._socket, call, message.path)
        else:
            with self._context.joining(message.traceparent):
                outcome = await outcome_of(self._context, self._socket, call, message.path)
        if self._closed:
            return
        if outcome is not None and outcome.unknown and outcome.error is not None:
            # Not answered: the client connects again, sends the mutation again, and its record tells what came of it.
            self._socket.end(Ending(outcome.error, CloseCode.SERVER_ERROR, retry_after=1.0))
        elif outcome is not None and not self._session.is_over:
            self._answer_mutation(message.request_id, outcome)

    def _answer_mutation(self, request_id: int, outcome: Outcome) -> None:
        if outcome.error is not None:
            frame = self._session.send(MutationResponse(request_id, outcome.ts, error=outcome.error))
        else:
            if outcome.arrays:
                self._uploads.know(outcome.arrays)
            frame = self._session.send_mutation_result(request_id, outcome.ts, outcome.packed or _NOTHING)
        self._respond(outcome.ts, frame)

    # --- actions

    def act(self, message: Action, size: int) -> None:
        """Begin an action that came in ``size`` bytes, unless too much is running."""
        if self._context.requests.stopping:
            return
        if self._sign_in.ended:
            self.refuse_action(message.request_id, SIGNED_OUT)
            return
        too_many = self._actions >= self._context.limits.max_actions
        if too_many or self._address.running.are_taken:
            text = f"too many functions are already running on this {'connection' if too_many else 'address'}"
            self.refuse_action(message.request_id, ErrorInfo(ErrorCode.LIMIT_EXCEEDED, text))
            return
        self._actions += 1
        act = self._act(Waiting(message, size), self._sign_in.caller)
        self._socket.spawn(act, f"action {message.request_id}")

    async def _act(self, waiting: Waiting[Action], caller: Caller) -> None:
        try:
            async with self._address.running:
                with self._context.requests.working():
                    await at_cost(self._address, self._act_and_answer(waiting, caller))
        finally:
            self._actions -= 1

    async def _act_and_answer(self, waiting: Waiting[Action], caller: Caller) -> None:
        message = waiting.message()
        self._sign_in.check_expiry()
        if caller.ended:
            self.refuse_action(message.request_id, SIGNED_OUT)
            return
        fault = await self._uploads.fault(message.args, self._query_set.shows)
        if fault is not None:
            self.refuse_action(message.request_id, fault)
            return
        account = Account(self._address, self._socket.name)
        call = self._context.engine.run_action(message.path, message.args, caller.identity, account=account)
        with self._context.joining(message.traceparent):
            going_on = to_its_end(self._context, self._socket, call, message.path)
            outcome = await outcome_of(self._context, self._socket, going_on, message.path)
        if outcome is not None and not self._session.is_over:
            self._answer_action(message.request_id, outcome)

    def _answer_action(self, request_id: int, outcome: Outcome) -> None:
        if outcome.error is not None:
            self.refuse_action(request_id, outcome.error)
        else:
            self._uploads.know(outcome.arrays)
            self._respond(outcome.ts, self._session.send_action_result(request_id, outcome.packed or _NOTHING))

    def refuse_action(self, request_id: int, error: ErrorInfo) -> None:
        """Answer an action with an error."""
        self._socket.send(ActionResponse(request_id, error=error))

    # --- both

    def _respond(self, ts: int | None, frame: bytes) -> None:
        """Send a response: at once, or once the client has been shown everything up to ``ts``."""
        if ts is None:
            self._socket.put(frame, also_waiting=self._query_set.waiting_bytes)
        elif self._socket.has_room(self._query_set.waiting_bytes):
            self._query_set.respond(ts, frame)
