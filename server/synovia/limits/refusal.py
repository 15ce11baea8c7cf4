"""Refusing a request, or a handshake, before anybody looks at what it asks for."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import Receive, Scope, Send

from synovia.errors import error_body
from synovia_protocol.errors import CloseCode, ErrorCode

LIMIT_CODES: Final[frozenset[str]] = frozenset(
    {
        ErrorCode.TOO_LARGE, ErrorCode.TIMEOUT, ErrorCode.TOO_SLOW, ErrorCode.LIMIT_EXCEEDED,
        ErrorCode.MUTATION_TOO_LARGE, ErrorCode.RATE_LIMITED, ErrorCode.OVERLOADED,
    }
)  # fmt: skip
"""The codes of errors that say that a limit was hit."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why somebody is not let in.

    Attributes:
        retry_after: Seconds after which it makes sense to try again.
    """

    status: int
    code: ErrorCode
    message: str
    retry_after: float | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer with it."""
        if scope["type"] == "http" or "websocket.http.response" in scope.get("extensions", {}):
            headers = {"cache-control": "no-store"}
            if self.retry_after is not None:
                headers |= {"retry-after": str(math.ceil(self.retry_after)), "connection": "close"}
            body = error_body(self.code, self.message)
            if "convex-client" in Headers(scope=scope):  # it looks for them there
                body |= {"code": self.code, "message": self.message}
            response = JSONResponse(body, self.status, headers)
            await response(scope, receive, send)
        else:
            await receive()  # websocket.connect
            await send({"type": "websocket.close", "code": int(CloseCode.PROTOCOL_ERROR), "reason": self.message})
