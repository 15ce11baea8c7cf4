"""The routes that an application declares: each request is answered by an action, with its access and its errors."""

from __future__ import annotations

import asyncio

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from synovia.engine.engine import Engine
from synovia.functions.context import ActionContext
from synovia.functions.routing import HttpRoute, RouteBody
from synovia.http.errors import Endpoint, Refused, error_response, http_error, telling_errors
from synovia.http.reading import account_of, bounded, caller_at, check_length, one_more, refuse_while_stopping
from synovia.http.settings import HttpSettings
from synovia.sync.hub import Hub
from synovia.tasks import begin
from synovia_protocol.errors import ErrorCode


class Exchange:
    """One request and what is answered to it."""

    def __init__(self, request: Request) -> None:
        self.request = request
        self.response: Response | None = None

    async def answer(self, ctx: ActionContext, body: RouteBody) -> None:
        """Run a route's body and keep the response.

        Raises:
            FunctionError: What the body raised.
            TypeError: It gave something else than a response.
        """
        try:
            response = await body(ctx, self.request)
        except Refused as refusal:
            response = refusal.response
        except HTTPException as error:
            response = http_error(error)
        except ClientDisconnect:
            response = Response(status_code=400)  # nobody reads it
        if not isinstance(response, Response):
            raise TypeError(f"a route gives a Response, not a {type(response).__name__}")
        self.response = response


class DeclaredRoutes:
    """Serves an application's routes."""

    def __init__(self, hub: Hub, engine: Engine, settings: HttpSettings) -> None:
        self._hub = hub
        self._engine = engine
        self._settings = settings

    def routes(self) -> list[BaseRoute]:
        """List the routes."""
        return [
            Route(each.pattern, self._serve(each), methods=list(each.methods)) for each in self._engine.registry.routes
        ]

    def _serve(self, route: HttpRoute) -> Endpoint:
        return telling_errors(lambda request: self._answer(route, request))

    async def _answer(self, route: HttpRoute, request: Request) -> Response:
        refuse_while_stopping(self._hub)
        most = self._settings.max_body_bytes if route.max_body_bytes is None else route.max_body_bytes
        check_length(request, most)
        identity = await caller_at(self._hub, request)
        address = self._hub.addresses.of_peer(request.scope)
        receive = bounded(request.receive, most, self._settings.body_timeout, address.meter)
        exchange = Exchange(Request(request.scope, receive))
        seconds = self._settings.request_timeout if route.timeout is None else route.timeout
        try:
            with self._hub.requests.working():
                async with one_more(address), asyncio.timeout(seconds):
                    account = account_of(request, address)
                    running = self._engine.run_route(route, {"exchange": exchange}, identity, account=account)
                    outcome = await begin(running, f"HTTP {route.path}")
        except TimeoutError:
            raise Refused(ErrorCode.TIMEOUT, f"no answer within {seconds:g} s") from None
        if outcome.error is not None:
            return error_response(outcome.error)
        assert exchange.response is not None, "a route that does not raise has answered"  # noqa: S101
        return exchange.response
