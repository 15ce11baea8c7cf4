"""The calls of one Convex client: mutations one after the other, actions several at once."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

from synovia.charges import at_cost
from synovia.convex.context import ConvexContext
from synovia.convex.errors import failure_of
from synovia.convex.functions import ConvexFunction
from synovia.convex.messages import Call, Connect, Result, action_response, mutation_response
from synovia.convex.query_set import ConvexQuerySet
from synovia.convex.resends import Resends
from synovia.convex.socket import ConvexSocket
from synovia.errors import FunctionError
from synovia.functions.function import Kind
from synovia.identity import Account, Identity
from synovia.limits.addresses import Address
from synovia.sync.frame_socket import Ending
from synovia.sync.lane import Lane
from synovia.sync.outcomes import outcome_of, to_its_end
from synovia.sync.ports import Outcome
from synovia_protocol.errors import CloseCode, ErrorCode, ErrorInfo

MOST_WAITING_ACTIONS = 1_000


class ConvexRequests:
    """Runs calls, and answers each; what a mutation has changed is shown after its answer.

    Args:
        address: Whose functions these are too.
        query_set: What the client is shown, and who it is.
        resends: Told of each mutation that is answered.
    """

    def __init__(
        self,
        context: ConvexContext,
        socket: ConvexSocket,
        address: Address,
        query_set: ConvexQuerySet,
        resends: Resends,
    ) -> None:
        self._context = context
        self._hub = context.hub
        self._socket = socket
        self._address = address
        self._query_set = query_set
        self._resends = resends
        self._connect: Connect | None = None
        limits = self._hub.limits
        self._mutations: Lane[tuple[Call, Identity | None]] = Lane(
            limits.max_waiting_bytes, limits.max_waiting_mutations
        )
        self._mutating: asyncio.Task[None] | None = None
        self._room = asyncio.Semaphore(limits.max_actions)
        self._actions = 0

    @property
    def busy(self) -> bool:
        """Whether something runs."""
        return self._mutating is not None or self._actions > 0

    @property
    def _may_begin(self) -> bool:
        """Whether what waits may be run: a sign-in that ends takes the connection along."""
        return self._socket.ending is None

    def begin(self, connect: Connect) -> None:
        """Note by what name the requests of this client go."""
        self._connect = connect

    def close(self) -> None:
        """Forget what waits."""
        self._mutations.clear()

    # --- mutations

    async def mutate(self, message: Call, size: int) -> None:
        """Run a mutation of ``size`` bytes after those before it; return when another one may wait."""
        if self._hub.requests.stopping:
            return  # unanswered, so that the client sends it again to whoever comes after us
        await self._mutations.put((message, self._query_set.identity), size)
        if self._mutating is None and len(self._mutations):
            self._mutating = self._socket.spawn(self._run_mutations(), "mutations")

    async def _run_mutations(self) -> None:
        try:
            while len(self._mutations) and not self._hub.requests.stopping and self._may_begin:
                async with self._address.running:
                    if self._may_begin and len(self._mutations):
                        await at_cost(self._address, self._mutate(*self._mutations.take()))
        finally:
            self._mutating = None

    async def _mutate(self, message: Call, identity: Identity | None) -> None:
        try:
            function, args = self._prepared(message, Kind.MUTATION)
        except FunctionError as error:
            self._answer_mutation(message, Result(failure_of(error.info)), None)
            return
        call = self._commit(message, function, args, identity)
        going_on = to_its_end(self._hub, self._socket, call, function.path)
        outcome = await outcome_of(self._hub, self._socket, going_on, function.path)
        if outcome is not None and outcome.unknown and outcome.error is not None:
            # Not answered: the client connects again, sends the mutation again, and its record tells what came of it.
            self._socket.end(Ending(outcome.error, CloseCode.SERVER_ERROR))
        elif outcome is not None:
            result = Result(function.result(outcome.packed, outcome.error), function.logged(outcome.log_lines))
            self._answer_mutation(message, result, self._first_told(message, outcome.ts))

    def _commit(
        self, message: Call, function: ConvexFunction, args: dict[str, Any], identity: Identity | None
    ) -> Coroutine[Any, Any, Outcome]:
        assert self._connect is not None  # noqa: S101 (the first message)
        return self._hub.engine.mutate(
            function.path,
            args,
            identity,
            session=self._connect.session,
            number=message.request_id + 1,
            retry=self._connect.connection_count > 0,
            committing=lambda: self._query_set.hold(message.request_id),
        )

    def _first_told(self, message: Call, ts: int | None) -> int | None:
        assert self._connect is not None  # noqa: S101 (the first message)
        return None if ts is None else self._context.commits.first(self._connect.session, message.request_id, ts)

    def _answer_mutation(self, message: Call, result: Result, ts: int | None) -> None:
        self._socket.put(mutation_response(message.request_id, result, ts))
        self._resends.answered(message.request_id)
        self._query_set.answered(message.request_id, ts)

    # --- actions

    def act(self, message: Call) -> None:
        """Begin an action; it waits for its turn if as many as may are running."""
        if self._hub.requests.stopping:
            return
        if self._actions >= MOST_WAITING_ACTIONS:
            self.refuse(message, ErrorInfo(ErrorCode.LIMIT_EXCEEDED, "too many actions are waiting on this connection"))
            return
        self._actions += 1
        self._socket.spawn(self._act(message, self._query_set.identity), f"action {message.request_id}")

    async def _act(self, message: Call, identity: Identity | None) -> None:
        try:
            async with self._room, self._address.running:
                if not self._may_begin:
                    return
                with self._hub.requests.working():
                    await at_cost(self._address, self._act_and_answer(message, identity))
        finally:
            self._actions -= 1

    async def _act_and_answer(self, message: Call, identity: Identity | None) -> None:
        try:
            function, args = self._prepared(message, Kind.ACTION)
        except FunctionError as error:
            self.refuse(message, error.info)
            return
        account = Account(self._address, self._socket.name)
        call = self._hub.engine.run_action(function.path, args, identity, account=account)
        going_on = to_its_end(self._hub, self._socket, call, function.path)
        outcome = await outcome_of(self._hub, self._socket, going_on, function.path)
        if outcome is not None:
            result = Result(function.result(outcome.packed, outcome.error), function.logged(outcome.log_lines))
            self._socket.put(action_response(message.request_id, result))

    # --- both

    def refuse(self, message: Call, error: ErrorInfo) -> None:
        """Answer a call with an error."""
        result = Result(failure_of(error))
        if message.kind == "Action":
            self._socket.put(action_response(message.request_id, result))
        else:
            self._answer_mutation(message, result, None)

    def _prepared(self, message: Call, kind: Kind) -> tuple[ConvexFunction, dict[str, Any]]:
        if message.component is not None:
            raise FunctionError(ErrorCode.UNKNOWN_FUNCTION, "there are no components here")
        function = self._context.functions.find(message.path, kind)
        return function, function.arguments(message.args)
