"""Errors of functions in the routes of an application in which a hub is mounted."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from synovia.errors import FunctionError
from synovia.http.errors import error_response
from synovia.http.reading import UNVERIFIED_RETRY_SECONDS
from synovia.identity import InvalidToken, SignInUnavailable
from synovia_protocol.errors import ErrorCode, ErrorInfo

Handler = Callable[[Request, Any], Coroutine[Any, Any, Response]]


def exception_handlers() -> dict[int | type[Exception], Handler]:
    """Give what a FastAPI or Starlette application needs to answer as a hub does: its ``exception_handlers``.

    What ``Synovia.query``, ``mutation`` and ``action`` raise is answered with the status of its code; a token that
    ``Synovia.authenticate`` does not accept with 401, one that cannot be verified now with 503.
    """
    return {FunctionError: _failed, InvalidToken: _refused, SignInUnavailable: _unverified}


async def _failed(request: Request, error: FunctionError) -> Response:
    return error_response(error.info)


async def _refused(request: Request, error: InvalidToken) -> Response:
    return error_response(ErrorInfo(ErrorCode.INVALID_TOKEN, str(error)))


async def _unverified(request: Request, error: SignInUnavailable) -> Response:
    return error_response(ErrorInfo(ErrorCode.SERVER_ERROR, str(error)), 503, UNVERIFIED_RETRY_SECONDS)
