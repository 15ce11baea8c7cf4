"""Single calls of Convex clients over HTTP, told apart from the hub's own at the same paths."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any

from pydantic.alias_generators import to_pascal
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route
from starlette.types import Message, Receive

from synovia.convex import messages as m
from synovia.convex.endpoint import CLIENT, client_of
from synovia.convex.errors import failure_of
from synovia.convex.functions import ConvexFunctions
from synovia.convex.values import FORMATS, Encoded, write
from synovia.convex.versions import ts_of, ts_text
from synovia.engine.engine import Engine
from synovia.errors import FunctionError
from synovia.functions.function import Kind
from synovia.http.calls import Calls
from synovia.http.errors import BAD_JSON, Endpoint, Refused, status_of
from synovia.http.reading import at_leisure, body_of, caller_at, one_more, refuse_while_stopping
from synovia.http.settings import HttpSettings
from synovia.identity import Identity
from synovia.store.base import StoreError, Ts
from synovia.sync.hub import Hub
from synovia_protocol.errors import ErrorCode

MOST_QUERIES = 100
"""In one batch."""
_BAD_FORMAT = "bad_format"

_Tree = Any
_Reply = Callable[[Request, Identity | None, _Tree], Awaitable[Response]]


class ConvexCalls:
    """Answers calls of Convex clients.

    Args:
        calls: Runs functions, and answers the requests that are the hub's own.
    """

    def __init__(
        self, hub: Hub, engine: Engine, calls: Calls, functions: ConvexFunctions, settings: HttpSettings
    ) -> None:
        self._hub = hub
        self._engine = engine
        self._calls = calls
        self._functions = functions
        self._settings = settings

    def routes(self) -> list[BaseRoute]:
        """List the routes."""
        own = {route.path: route.endpoint for route in self._calls.routes() if isinstance(route, Route)}
        run = "/api/run/{module:path}/{name}"
        shared: dict[str, _Reply] = {f"/api/{kind}": self._reply_to(kind) for kind in Kind}
        found: list[BaseRoute] = [
            Route(path, self._either(own[path], reply), methods=["POST"])
            for path, reply in {**shared, run: self._run}.items()
        ]
        alone = {
            "/api/run/{path:path}": self._run,
            "/api/query_ts": self._query_ts,
            "/api/query_at_ts": self._query_at_ts,
            "/api/query_batch": self._query_batch,
        }
        found += [Route(path, self._only(reply), methods=["POST"]) for path, reply in alone.items()]
        return [*found, Route("/api/query", self._only(self._from_address), methods=["GET"])]

    # --- telling apart

    def _only(self, reply: _Reply) -> Endpoint:
        return _telling_errors(lambda request: self._answer(request, reply))

    def _either(self, own: Endpoint, reply: _Reply) -> Endpoint:
        """Answer requests of Convex clients, and leave the others to the hub's own endpoint."""

        async def answer(request: Request) -> Response:
            if CLIENT in request.headers:
                return await self._only(reply)(request)
            try:
                body = await self._body(request)
            except Refused as refusal:
                return refusal.response
            except ClientDisconnect:
                return Response(status_code=400)  # nobody reads it
            replayed = Request(request.scope, _replaying(body, request.receive))
            if self._is_for_convex(request, body):
                return await self._only(reply)(replayed)
            return _with_both(await own(replayed))

        return answer

    def _is_for_convex(self, request: Request, body: bytes) -> bool:
        """Tell a request of Convex's without the header: it says a format, or has ``args`` where we have none."""
        try:
            tree = m.load(body)
        except m.Malformed:
            return False
        if not isinstance(tree, dict):
            return False
        module, name = request.path_params.get("module"), request.path_params.get("name")
        if module is None:
            return "format" in tree
        return (
            "args" in tree
            and tree.keys() <= {"args", "format"}
            and not self._functions.takes(f"{module}:{name}", "args")
        )

    # --- what is asked

    async def _body(self, request: Request) -> bytes:
        meter, settings = self._hub.addresses.of_peer(request.scope).meter, self._settings
        return await body_of(request, settings.max_body_bytes, settings.body_timeout, meter)

    async def _answer(self, request: Request, reply: _Reply) -> Response:
        refuse_while_stopping(self._hub)
        identity = await caller_at(self._hub, request)
        tree = None if request.method == "GET" else await self._tree(request)
        async with one_more(self._hub.addresses.of_peer(request.scope)):
            return await reply(request, identity, tree)

    async def _tree(self, request: Request) -> _Tree:
        body = await self._body(request)
        if not body:
            return {}
        try:
            return await at_leisure(len(body), lambda: m.load(body))
        except m.Malformed as error:
            raise Refused(BAD_JSON, str(error)) from None

    def _reply_to(self, kind: Kind) -> _Reply:
        async def reply(request: Request, identity: Identity | None, tree: _Tree) -> Response:
            path, args, form = _call_of(tree, _default(request))
            return await self._response(request, path, args, identity, kind, form)

        return reply

    async def _run(self, request: Request, identity: Identity | None, tree: _Tree) -> Response:
        """Run the function that the path names, whatever its kind."""
        params = request.path_params
        path = params["path"] if "path" in params else f"{params['module']}/{params['name']}"
        module, _, name = path.rpartition("/")
        form = _form(tree.get("format") if isinstance(tree, dict) else None, FORMATS["json"])
        args = tree.get("args", {}) if isinstance(tree, dict) else tree
        return await self._response(
            request, path if ":" in path or not module else f"{module}:{name}", args, identity, None, form
        )

    async def _from_address(self, request: Request, identity: Identity | None, tree: _Tree) -> Response:
        """Run the query that the address of a GET names."""
        given = request.query_params
        try:
            args = m.load(given.get("args", "{}"))
        except m.Malformed as error:
            raise Refused(BAD_JSON, f"args: {error}") from None
        form = _form(given.get("format"), _default(request))
        return await self._response(request, given.get("path", ""), args, identity, Kind.QUERY, form)

    # --- consistent queries

    async def _query_ts(self, request: Request, identity: Identity | None, tree: _Tree) -> Response:
        return _json({"ts": ts_text(await self._instant())})

    async def _query_at_ts(self, request: Request, identity: Identity | None, tree: _Tree) -> Response:
        path, args, form = _call_of(tree, _default(request))
        try:
            ts = ts_of(tree.get("ts"))
        except ValueError as error:
            raise Refused(ErrorCode.INVALID_ARGUMENTS, str(error)) from None
        await self._calls.come_to(ts, request)
        return await self._response(request, path, args, identity, Kind.QUERY, form, ts)

    async def _query_batch(self, request: Request, identity: Identity | None, tree: _Tree) -> Response:
        """Run several queries as of one instant."""
        queries = tree.get("queries") if isinstance(tree, dict) else None
        if not isinstance(queries, list) or len(queries) > MOST_QUERIES:
            raise Refused(ErrorCode.INVALID_ARGUMENTS, f'send {{"queries": [...]}}, {MOST_QUERIES} at most')
        asked = [_call_of(each, _default(request)) for each in queries]
        ts = await self._instant()
        results = [
            await self._result(request, path, args, identity, Kind.QUERY, form, ts) for path, args, form in asked
        ]
        return _json_text(f'{{"results":[{",".join(results)}]}}')

    async def _instant(self) -> Ts:
        try:
            return await self._engine.instant()
        except StoreError:
            raise Refused(ErrorCode.OVERLOADED, "the database cannot answer, try again later") from None

    # --- running it

    async def _response(
        self,
        request: Request,
        path: str,
        args: Any,
        identity: Identity | None,
        kind: Kind | None,
        form: type[Encoded],
        at: Ts | None = None,
    ) -> Response:
        return _json_text(await self._result(request, path, args, identity, kind, form, at))

    async def _result(
        self,
        request: Request,
        path: str,
        args: Any,
        identity: Identity | None,
        kind: Kind | None,
        form: type[Encoded],
        at: Ts | None,
    ) -> str:
        """Run a function, and write its result, or that it has failed."""
        result: str | m.Failure
        logged = ""
        try:
            function = self._functions.find_any(path) if kind is None else self._functions.find(path, kind)
            outcome = await self._calls.run(function.function, function.arguments(args), identity, request, at)
            if lines := function.logged(outcome.log_lines):
                logged = f',"logLines":{write(list(lines))}'
            result = await at_leisure(
                len(outcome.packed or b""), lambda: function.result(outcome.packed, outcome.error, form)
            )
        except Refused:
            raise
        except FunctionError as error:
            result = failure_of(error.info, form)
        if isinstance(result, str):
            return f'{{"status":"success","value":{result}{logged}}}'
        data = "" if result.data is None else f',"errorData":{result.data}'
        return f'{{"status":"error","errorMessage":{write(result.message)}{data}{logged}}}'


def _call_of(tree: _Tree, default: type[Encoded]) -> tuple[str, Any, type[Encoded]]:
    if not isinstance(tree, dict) or not isinstance(tree.get("path"), str):
        raise Refused(ErrorCode.INVALID_ARGUMENTS, 'send {"path": "module:function", "args": {...}}')
    return tree["path"], tree.get("args", {}), _form(tree.get("format"), default)


def _default(request: Request) -> type[Encoded]:
    return FORMATS["convex_encoded_json" if client_of(request.scope).reads_encoded else "json"]


def _form(name: Any, default: type[Encoded]) -> type[Encoded]:
    if name is None:
        return default
    form = FORMATS.get(name) if isinstance(name, str) else None
    if form is None:
        raise Refused(_BAD_FORMAT, f"a format is one of {', '.join(FORMATS)}", status=400)
    return form


# --- answers ------------------------------------------------------------------------------------------------------------


def _json(tree: Any, status: int = 200) -> Response:
    return _json_text(write(tree), status)


def _json_text(text: str, status: int = 200) -> Response:
    return Response(text, status, {"cache-control": "no-store"}, "application/json")


def _telling_errors(answer: Callable[[Request], Awaitable[Response]]) -> Endpoint:
    """Tell why a request is refused, as Convex clients read it."""

    async def telling(request: Request) -> Response:
        try:
            return await answer(request)
        except Refused as refusal:
            status = refusal.status or status_of(refusal.code)
            return _json({"code": to_pascal(refusal.code), "message": refusal.message}, status)
        except ClientDisconnect:
            return Response(status_code=400)  # nobody reads it

    return telling


def _with_both(response: Response) -> Response:
    """Have an error of the hub's own be readable to a Convex client that did not say that it is one."""
    if response.status_code < 400 or not response.body:  # nobody reads it: the client has gone
        return response
    body = json.loads(bytes(response.body))
    error = body["error"]
    both = _json(body | {"code": to_pascal(error["code"]), "message": error["message"]}, response.status_code)
    for name, value in response.headers.items():
        if name not in ("content-length", "content-type"):
            both.headers[name] = value
    return both


def _replaying(body: bytes, receive: Receive) -> Receive:
    """Give a body again that has been read, and then what comes after it."""
    given = False

    async def receive_again() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return receive_again
