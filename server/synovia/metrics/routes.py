"""``GET /metrics``: the figures of this hub, for an operator's Prometheus and for nobody else."""

from __future__ import annotations

from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from synovia.auth.service_keys import ISSUER
from synovia.http.errors import Refused, telling_errors
from synovia.http.reading import caller_of
from synovia.identity import Authenticator, Identity
from synovia_protocol.errors import ErrorCode

OPERATOR = "operator"
"""The role of a service's key that opens what is an operator's."""


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
    if identity.issuer != ISSUER or OPERATOR not in identity.roles:
        raise Refused(ErrorCode.FORBIDDEN, f"this is for keys of services with the role {OPERATOR!r}")
