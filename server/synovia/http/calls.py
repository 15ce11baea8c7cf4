"""``POST /api/...``: the functions that the socket serves, one call a request."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from synovia.engine.engine import Engine
from synovia.engine.outcomes import Outcome
from synovia.errors import UnknownFunction
from synovia.functions.function import Function, Kind
from synovia.http.arguments import with_arrays
from synovia.http.errors import BAD_HEADER, Endpoint, JsonResponse, Refused, error_response, telling_errors
from synovia.http.reading import (
    account_of,
    at_leisure,
    caller_at,
    json_body,
    number_header,
    one_more,
    refuse_while_stopping,
    while_awaited,
)
from synovia.http.samples import Wanted
from synovia.http.settings import HttpSettings
from synovia.http.values import dump, to_json
from synovia.identity import Account, Identity
from synovia.store.arrays import write_array
from synovia.store.base import StoreError, Ts
from synovia.sync.hub import Hub
from synovia.tasks import begin
from synovia_protocol.errors import ErrorCode, ErrorInfo

SEEN = "synovia-ts"
"""The header of an answer that names the instant it shows, or its commit."""
AFTER = "synovia-after"
"""The header of a request that wants to see everything up to an instant."""
KEY = "idempotency-key"
_KEY_LENGTHS = range(16, 256)
_UNKNOWN = {"unknown": True}


_Reply = Callable[[Request, Identity | None, Any], Awaitable[Response]]


@dataclass(frozen=True, slots=True)
class _Call:
    function: Function
    args: dict[str, Any]
    identity: Identity | None
    request: Request
    key: str | None = None
    at: Ts | None = None


class Calls:
    """Answers calls.

    Args:
        hub: Knows who a token is, and when to stop.
    """

    def __init__(self, hub: Hub, engine: Engine, settings: HttpSettings) -> None:
        self._hub = hub
        self._engine = engine
        self._settings = settings

    def routes(self) -> list[BaseRoute]:
        """List the routes."""
        found = [(f"/api/{kind}", self._endpoint(self._reply_to(kind))) for kind in Kind]
        found.append(("/api/run/{module:path}/{name}", self._endpoint(self._reply_to(None))))
        found.append(("/api/array", self._endpoint(self._samples)))
        return [Route(path, endpoint, methods=["POST"]) for path, endpoint in found]

    async def run(
        self,
        function: Function,
        args: dict[str, Any],
        identity: Identity | None,
        request: Request,
        at: Ts | None = None,
    ) -> Outcome:
        """Run a function that a request has asked for, a query no longer than somebody waits for it.

        Args:
            at: As of when, if it is a query and not of now.

        Raises:
            Refused: It takes too long.
            ClientDisconnect: Nobody waits for the answer of a query any more.
        """
        return await self._run(_Call(function, args, identity, request, at=at))

    async def come_to(self, ts: Ts, request: Request) -> None:
        """Wait until this hub has seen everything up to an instant, as long as whoever asks waits too.

        Raises:
            Refused: It has not in time, or the database itself has not come so far, so nobody can have seen that.
            ClientDisconnect: Nobody waits for the answer any more.
        """
        if ts <= self._engine.head:
            return
        try:
            async with while_awaited(request.receive), asyncio.timeout(self._hub.limits.resume_timeout):
                if ts > (newest := await self._engine.instant()):
                    text = f"nothing is known of {ts}: the newest instant of the database is {newest}"
                    raise Refused(ErrorCode.OVERLOADED, text)
                await self._engine.wait_for(ts)
        except TimeoutError:
            raise Refused(ErrorCode.OVERLOADED, f"this server has not yet seen {ts}") from None
        except StoreError:
            raise Refused(ErrorCode.OVERLOADED, "the database cannot answer, try again later") from None

    def _endpoint(self, reply: _Reply) -> Endpoint:
        return telling_errors(lambda request: self._answer(request, reply))

    async def _answer(self, request: Request, reply: _Reply) -> Response:
        refuse_while_stopping(self._hub)
        identity = await caller_at(self._hub, request)
        address, settings = self._hub.addresses.of_peer(request.scope), self._settings
        body = await json_body(request, settings.max_body_bytes, settings.body_timeout, address.meter)
        await self._catch_up(request)
        async with one_more(address):
            return await reply(request, identity, body)

    def _reply_to(self, kind: Kind | None) -> _Reply:
        async def reply(request: Request, identity: Identity | None, body: Any) -> Response:
            outcome = await self._run(self._call(request, kind, body, identity))
            return await at_leisure(len(outcome.packed or b""), lambda: _response(outcome))

        return reply

    async def _samples(self, request: Request, identity: Identity | None, body: Any) -> Response:
        """Give samples of what a query shows: who may see the reference may see the array."""
        wanted = Wanted.of(body)
        query = {"path": wanted.path, "args": wanted.args}
        outcome = await self._run(self._call(request, Kind.QUERY, query, identity))
        if outcome.error is not None:
            return error_response(outcome.error)
        return await wanted.response(self._engine.store.arrays, outcome.arrays)

    # --- what is asked

    def _call(self, request: Request, kind: Kind | None, body: Any, identity: Identity | None) -> _Call:
        if kind is None:
            path, args = ":".join((request.path_params["module"], request.path_params["name"])), body
        else:
            path, args = _path_and_args(body)
        if not isinstance(args, dict):
            raise Refused(ErrorCode.INVALID_ARGUMENTS, "the arguments are an object: name and value of each")
        function = self._function(path, kind, identity)
        return _Call(function, args, identity, request, _key_of(request, function))

    def _function(self, path: str, kind: Kind | None, caller: Identity | None) -> Function:
        registry = self._engine.registry
        if kind is None:
            function = registry.system_function(path, caller) or registry.functions.get(path)
            if function is None:
                raise UnknownFunction(f"there is no function {path!r}{registry.hint(path)}")
            kind = function.kind
        return registry.find(path, kind, caller=caller)

    async def _catch_up(self, request: Request) -> None:
        """Wait until this hub has seen what the caller has, who may have written through another."""
        after = number_header(request, AFTER)
        if after is not None:
            await self.come_to(after, request)

    # --- running it

    async def _run(self, call: _Call) -> Outcome:
        args = await self._stored(call)
        try:
            async with asyncio.timeout(self._settings.request_timeout):
                if call.function.kind is Kind.QUERY:
                    return await self._query(call, args)
                return await self._hub.requests.run(self._to_the_end(call, args), f"HTTP {call.function.path}")
        except TimeoutError:
            seconds = self._settings.request_timeout
            text = f"{call.function.path} has not answered within {seconds:g} s"
            if call.function.kind is Kind.QUERY:
                raise Refused(ErrorCode.TIMEOUT, text) from None
            raise Refused(ErrorCode.TIMEOUT, f"{text}; its outcome is not known", _UNKNOWN) from None

    async def _query(self, call: _Call, args: dict[str, Any]) -> Outcome:
        with self._hub.requests.working():
            async with while_awaited(call.request.receive):
                path, account = call.function.path, self._account(call)
                query = self._engine.query(path, args, call.identity, at=call.at, account=account)
                return await begin(query, f"HTTP {path}")

    def _account(self, call: _Call) -> Account:
        return account_of(call.request, self._hub.addresses.of_peer(call.request.scope))

    async def _to_the_end(self, call: _Call, args: dict[str, Any]) -> Outcome:
        """Run a mutation or an action; it goes on even if nobody waits for it any more."""
        path, identity = call.function.path, call.identity
        if call.function.kind is Kind.ACTION:
            return await self._engine.run_action(path, args, identity, account=self._account(call))
        if call.key is None:
            outcome = await self._engine.mutate(path, args, identity)
        else:
            name, mark = request_name(identity, call.key), request_mark(path, call.args)
            outcome = await self._engine.mutate(path, args, identity, session=name, number=0, retry=True, mark=mark)
        await self._engine.wait_for(outcome.ts or 0)
        return outcome

    async def _stored(self, call: _Call) -> dict[str, Any]:
        """Store the arrays among the arguments."""
        if call.identity is None and not call.function.access.public:
            return {}  # refused for want of an identity, before arguments are looked at; nothing is stored for it
        args, arrays = with_arrays(call.function, call.args)
        if arrays:
            call.function.validate(args)
        for samples in arrays:
            await write_array(self._engine.store.arrays, samples)
        return args


def _path_and_args(body: Any) -> tuple[str, Any]:
    match body:
        case {"path": str(path), **rest} if set(rest) <= {"args"}:
            return path, rest.get("args", {})
    raise Refused(ErrorCode.INVALID_ARGUMENTS, 'send {"path": "module:function", "args": {...}}')


def _key_of(request: Request, function: Function) -> str | None:
    key = request.headers.get(KEY)
    if key is None or function.kind is Kind.QUERY:
        return None
    if function.kind is Kind.ACTION:
        raise Refused(BAD_HEADER, "an action runs each time it is asked for: Idempotency-Key is for mutations")
    if len(key) not in _KEY_LENGTHS or not (key.isascii() and key.isprintable()):
        raise Refused(
            BAD_HEADER, "Idempotency-Key has 16 to 255 printable characters, chosen at random for each mutation"
        )
    return key


def request_name(identity: Identity | None, key: str) -> bytes:
    """Name a mutation by the caller and the key: 32 bytes, so that no session of a socket (16) can mean the same."""
    caller = [] if identity is None else [identity.issuer, identity.subject, identity.actor]
    return hashlib.sha256(dump(["http", caller, key])).digest()


def request_mark(path: str, args: Mapping[str, Any]) -> bytes:
    """Tell two requests apart that go by one name; the order of keys does not count."""
    return hashlib.sha256(dump([path, _sorted(to_json(args))])).digest()[:16]


def _sorted(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _sorted(value[key]) for key in sorted(value)}
    return [_sorted(item) for item in value] if isinstance(value, list) else value


def _response(outcome: Outcome) -> Response:
    if outcome.error is not None:
        return error_response(_with_doubt(outcome.error) if outcome.unknown else outcome.error)
    headers = {} if outcome.ts is None else {SEEN: str(outcome.ts)}
    return JsonResponse({"result": to_json(outcome.value())}, headers=headers)


def _with_doubt(error: ErrorInfo) -> ErrorInfo:
    return ErrorInfo(error.code, f"{error.message}; whether it was committed is not known", _UNKNOWN)
