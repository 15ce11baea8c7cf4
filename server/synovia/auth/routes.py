"""Sign-in over HTTP: ask for a code by mail, and sign out. Tokens travel in bodies and headers, never in a URL."""

from __future__ import annotations

import json
import math
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from synovia.auth.email import EmailSignIn
from synovia.auth.sign_in import SignInService
from synovia.errors import error_body
from synovia.identity import InvalidToken, SignInUnavailable
from synovia.limits.rate import LimitReached
from synovia.store.base import StoreError
from synovia_protocol.errors import ErrorCode

_MOST_BYTES = 4_096


class _Refused(Exception):
    def __init__(self, status: int, code: str, message: str, retry_after: float | None = None) -> None:
        super().__init__(message)
        headers = {"cache-control": "no-store"}
        if retry_after is not None:
            headers["retry-after"] = str(math.ceil(retry_after))
        self.response = JSONResponse(error_body(code, message), status, headers)


def routes(sign_in: SignInService) -> list[BaseRoute]:
    """List the routes of a sign_in."""

    async def sign_out(request: Request) -> Response:
        try:
            await sign_in.sign_out(_bearer(request))
        except _Refused as refusal:
            return refusal.response
        except InvalidToken as error:
            return _Refused(401, ErrorCode.INVALID_TOKEN, str(error)).response
        except StoreError:
            return _Refused(503, ErrorCode.SERVER_ERROR, "try again later").response
        return Response(status_code=204)

    async def config(request: Request) -> Response:
        return JSONResponse(sign_in.config, headers={"cache-control": "no-store"})

    found: list[BaseRoute] = [
        Route("/auth/config", config, methods=["GET"]),
        Route("/auth/sign-out", sign_out, methods=["POST"]),
    ]
    if (email := sign_in.email) is not None:
        found.append(Route("/auth/email", _asking(email), methods=["POST"]))
    return found


def _asking(email: EmailSignIn) -> Any:
    async def ask(request: Request) -> Response:
        try:
            return await _ask(email, request)
        except _Refused as refusal:
            return refusal.response

    return ask


async def _ask(email: EmailSignIn, request: Request) -> Response:
    body = await _json_body(request)
    address = body.get("email") if isinstance(body, dict) else None
    if not isinstance(address, str):
        raise _Refused(400, ErrorCode.INVALID_ARGUMENTS, 'send {"email": "..."}')
    try:
        challenge = await email.ask(address, request.client.host if request.client else "")
    except ValueError as error:
        raise _Refused(400, ErrorCode.INVALID_ARGUMENTS, str(error)) from None
    except LimitReached as error:
        raise _Refused(429, ErrorCode.LIMIT_EXCEEDED, str(error), error.retry_after) from None
    except (SignInUnavailable, StoreError) as error:
        text = str(error) if isinstance(error, SignInUnavailable) else "try again later"
        raise _Refused(503, ErrorCode.SERVER_ERROR, text, 10) from error
    content = {"challenge": challenge.challenge, "expiresIn": challenge.expires_in}
    return JSONResponse(content, 202, {"cache-control": "no-store"})


async def _json_body(request: Request) -> Any:
    """Read a small JSON body; the content type keeps other sites' forms out, which browsers send without asking."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise _Refused(415, ErrorCode.INVALID_ARGUMENTS, "send application/json")
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > _MOST_BYTES:
            raise _Refused(413, ErrorCode.TOO_LARGE, "too large")
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        raise _Refused(400, ErrorCode.INVALID_ARGUMENTS, "not JSON") from None


def _bearer(request: Request) -> str:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise _Refused(401, ErrorCode.UNAUTHENTICATED, "send the token as Authorization: Bearer")
    return token.strip()
