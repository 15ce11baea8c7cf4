"""Errors as HTTP answers them: the one table from code to status, and the shape of the body."""

from __future__ import annotations

import logging
import math
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from synovia.engine.records import UNREADABLE_RECORD
from synovia.errors import FunctionError, error_body, seconds_to_wait
from synovia.files.codes import DIGEST_MISMATCH, FILE_TOO_LARGE, FILE_TYPE_REFUSED, OFFSET_MISMATCH, UPLOAD_NOT_FOUND
from synovia.functions.shared import INVALID_UPDATE
from synovia.functions.shared import TOO_LARGE as SHARED_DOC_TOO_LARGE
from synovia.http.values import dump, to_json
from synovia.schema.encrypted import UNREADABLE_FIELD
from synovia.shared_docs.isolated import UNREADABLE as UNREADABLE_SHARED_DOC
from synovia_protocol import codec
from synovia_protocol.errors import ErrorCode, ErrorInfo, WireValueError

logger = logging.getLogger("synovia.http")

BAD_JSON: Final = "bad_json"
BAD_HEADER: Final = "bad_header"
METHOD_NOT_ALLOWED: Final = "method_not_allowed"
UNSUPPORTED_MEDIA_TYPE: Final = "unsupported_media_type"
REQUEST_REUSED: Final = "request_reused"

APPLICATION: Final = 422
"""The status of the codes that an application chooses itself: understood, and refused by its rules."""
RETRY_SECONDS: Final = 1.0

STATUS: Final[Mapping[str, int]] = {
    # the request is wrong
    BAD_JSON: 400,
    BAD_HEADER: 400,
    ErrorCode.WRONG_KIND: 400,
    ErrorCode.INVALID_ARGUMENTS: 400,
    ErrorCode.BAD_CURSOR: 400,
    ErrorCode.BAD_RANGE: 400,
    "search_too_long": 400,
    INVALID_UPDATE: 400,
    # who asks
    ErrorCode.UNAUTHENTICATED: 401,
    ErrorCode.INVALID_TOKEN: 401,
    ErrorCode.FORBIDDEN: 403,
    ErrorCode.ORIGIN_REFUSED: 403,
    # what there is
    ErrorCode.UNKNOWN_FUNCTION: 404,
    ErrorCode.NOT_FOUND: 404,
    ErrorCode.ARRAY_NOT_FOUND: 404,
    UPLOAD_NOT_FOUND: 404,
    METHOD_NOT_ALLOWED: 405,
    ErrorCode.UNIQUE_VIOLATION: 409,
    "still_referenced": 409,
    OFFSET_MISMATCH: 409,
    ErrorCode.REQUEST_EXPIRED: 410,
    ErrorCode.TOO_LARGE: 413,
    ErrorCode.MUTATION_TOO_LARGE: 413,
    FILE_TOO_LARGE: 413,
    "document_too_large": 413,
    "too_much_text": 413,
    SHARED_DOC_TOO_LARGE: 413,
    UNSUPPORTED_MEDIA_TYPE: 415,
    FILE_TYPE_REFUSED: 415,
    REQUEST_REUSED: 422,
    DIGEST_MISMATCH: 422,
    ErrorCode.HOST_REFUSED: 421,
    ErrorCode.LIMIT_EXCEEDED: 429,
    ErrorCode.RATE_LIMITED: 429,
    # the server is to blame
    ErrorCode.UNKNOWN_INDEX: 500,
    "not_unique": 500,
    "number_too_large": 500,
    ErrorCode.SERVER_ERROR: 500,
    ErrorCode.UNREADABLE_DOCUMENT: 500,
    UNREADABLE_FIELD: 500,
    UNREADABLE_RECORD: 500,
    UNREADABLE_SHARED_DOC: 500,
    "impersonation_unavailable": 501,
    "mail_unavailable": 503,
    ErrorCode.OVERLOADED: 503,
    ErrorCode.STOPPING: 503,
    ErrorCode.TIMEOUT: 504,
}
_CODES: Final[Mapping[int, str]] = {
    401: ErrorCode.UNAUTHENTICATED,
    403: ErrorCode.FORBIDDEN,
    404: ErrorCode.NOT_FOUND,
    405: METHOD_NOT_ALLOWED,
    413: ErrorCode.TOO_LARGE,
    415: UNSUPPORTED_MEDIA_TYPE,
    429: ErrorCode.LIMIT_EXCEEDED,
    503: ErrorCode.OVERLOADED,
}
_CHALLENGES: Final[Mapping[str, str]] = {
    ErrorCode.UNAUTHENTICATED: "Bearer",
    ErrorCode.INVALID_TOKEN: 'Bearer error="invalid_token"',
}


class Refused(FunctionError):
    """A request is answered with an error before, or instead of, a function's own.

    Args:
        status: By default what the code has in ``STATUS``.
        retry_after: Seconds after which it makes sense to try again.
    """

    def __init__(
        self, code: str, message: str, data: Any = None, *, status: int | None = None, retry_after: float | None = None
    ) -> None:
        super().__init__(code, message, data)
        self.status = status
        self.retry_after = retry_after

    @property
    def response(self) -> JsonResponse:
        return error_response(self.info, self.status, self.retry_after)


Endpoint = Callable[[Request], Awaitable[Response]]


def telling_errors(endpoint: Endpoint) -> Endpoint:
    """Make an endpoint answer with the errors that it raises."""

    async def answer(request: Request) -> Response:
        try:
            return await endpoint(request)
        except Refused as refusal:
            return refusal.response
        except FunctionError as error:
            return error_response(error.info)
        except ClientDisconnect:
            return Response(status_code=400)  # nobody reads it

    return answer


class JsonResponse(Response):
    """JSON that nobody keeps a copy of."""

    media_type = "application/json"

    def __init__(self, content: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(dump(content), status, {"cache-control": "no-store", **(headers or {})})


def status_of(code: str) -> int:
    """Tell the status that goes with an error's code."""
    return STATUS.get(code, APPLICATION)


def error_response(error: ErrorInfo, status: int | None = None, retry_after: float | None = None) -> JsonResponse:
    """Make the answer that tells of an error: ``{"error": {"code", "message", "data"}}``."""
    status = status or status_of(error.code)
    headers = {}
    if error.code in _CHALLENGES:
        headers["www-authenticate"] = _CHALLENGES[error.code]
    if retry_after is None:
        retry_after = RETRY_SECONDS if status == 503 else seconds_to_wait(error)
    if retry_after is not None:
        headers["retry-after"] = str(math.ceil(retry_after))
    return JsonResponse(error_body(error.code, error.message, _data(error)), status, headers)


def _data(error: ErrorInfo) -> Any:
    try:
        return to_json(codec.unpack(codec.pack(error.data)))
    except WireValueError:
        logger.exception("the data of the error %r cannot travel", error.code)
        return None


async def on_http_exception(request: Request, error: Exception) -> Response:
    """Answer what the router refuses (no such path, no such method) as everything else is answered."""
    assert isinstance(error, HTTPException)  # noqa: S101 (registered for these alone)
    return http_error(error)


def http_error(error: HTTPException) -> JsonResponse:
    """Answer an exception of starlette's."""
    code = _CODES.get(error.status_code, ErrorCode.SERVER_ERROR if error.status_code >= 500 else "http_error")
    response = error_response(ErrorInfo(str(code), str(error.detail)), error.status_code)
    response.headers.update(error.headers or {})
    return response
