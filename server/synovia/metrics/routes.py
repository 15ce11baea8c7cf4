"""``GET /metrics``: the figures of this hub, for an operator's Prometheus and for nobody else."""

from __future__ import annotations

from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from synovia.http.errors import Refused, telling_errors
from synovia.http.reading import caller_of
from synovia.identity import OPERATOR, OPERATOR_READS, Authenticator, Identity, operates
from synovia_protocol.errors import ErrorCode


def routes(registry: CollectorRegistry, authenticator: Authenticator, seconds: float, is_open: bool) -> list[BaseRoute]:
    """List the routes.

    Args:
        seconds: For a key to be verified.
        is_open: Whether everybody may see the figures.
    """

    async def metrics(request: Request) -> Response:
        if not is_open:
            _check(await caller_of(request, authenticator, seconds))
        encode, content_type = choose_encoder(request.headers.get("accept", ""))
        return Response(encode(registry), headers={"content-type": content_type, "cache-control": "no-store"})

    return [Route("/metrics", telling_errors(metrics))]


def _check(identity: Identity | None) -> None:
    if identity is None:
        raise Refused(ErrorCode.UNAUTHENTICATED, f"this needs the key of a service with the role {OPERATOR!r}")
    if not operates(identity):
        raise Refused(ErrorCode.FORBIDDEN, f"this is for keys with the role {OPERATOR!r} or {OPERATOR_READS!r}")
