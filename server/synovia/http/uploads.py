"""``/api/uploads``: files on their way in. One request begins an upload, others bring its bytes, in order.

The headers are those of the resumable uploads of the IETF (draft-ietf-httpbis-resumable-upload): ``Upload-Offset`` says
where bytes belong and how many are there, ``Upload-Length`` how many there will be.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from synovia.engine.engine import Engine
from synovia.engine.store_errors import told_of
from synovia.errors import UnknownFunction
from synovia.files.uploads import Uploads, UploadState, WantedUpload
from synovia.functions.function import Function, Kind
from synovia.http.errors import (
    BAD_HEADER,
    UNSUPPORTED_MEDIA_TYPE,
    Endpoint,
    JsonResponse,
    Refused,
    error_response,
    telling_errors,
)
from synovia.http.reading import (
    account_of,
    bounded,
    caller_at,
    json_body,
    number_header,
    one_more,
    refuse_while_stopping,
)
from synovia.http.settings import HttpSettings
from synovia.identity import Identity
from synovia.limits.addresses import Address
from synovia.store.base import StoreError
from synovia.sync.hub import Hub
from synovia.tasks import begin
from synovia_protocol.errors import ErrorCode

OFFSET: Final = "upload-offset"
LENGTH: Final = "upload-length"
BEGUN_BYTES: Final = 32_768
"""An upload that somebody begins without signing in counts as these, too: else any number could be begun and left."""
_WORDS: Final = {"path", "argument", "name", "type", "size", "digest"}
_BODY_TYPES: Final = ("application/octet-stream", "application/partial-upload")
_SIZES: Final = range(1 << 53)

_Reply = Callable[[Request, Identity | None], Awaitable[Response]]


class UploadRoutes:
    """Answers requests that bring files.

    Args:
        hub: Knows who a token is, what addresses use, and when to stop.
    """

    def __init__(self, hub: Hub, engine: Engine, uploads: Uploads, settings: HttpSettings) -> None:
        self._hub = hub
        self._engine = engine
        self._uploads = uploads
        self._settings = settings

    def routes(self) -> list[BaseRoute]:
        """List the routes."""
        one = "/api/uploads/{upload}"
        return [
            Route("/api/uploads", self._endpoint(self._begin), methods=["POST"]),
            Route(one, self._endpoint(self._append), methods=["PATCH"]),
            Route(one, self._endpoint(self._cancel), methods=["DELETE"]),
            Route(one, self._endpoint(self._state), methods=["HEAD", "GET"]),
        ]

    def _endpoint(self, reply: _Reply) -> Endpoint:
        return telling_errors(lambda request: self._answer(request, reply))

    async def _answer(self, request: Request, reply: _Reply) -> Response:
        refuse_while_stopping(self._hub)
        identity = await caller_at(self._hub, request)
        with self._hub.requests.working():
            try:
                return await reply(request, identity)
            except StoreError as error:
                return error_response(told_of(error))

    def _address(self, request: Request) -> Address:
        return self._hub.addresses.of_peer(request.scope)

    async def _begin(self, request: Request, identity: Identity | None) -> Response:
        address, settings = self._address(request), self._settings
        body = await json_body(request, settings.max_body_bytes, settings.body_timeout, address.meter)
        path, wanted = _wanted(body)
        async with one_more(address):
            function = self._function(path, identity)
            admitting = self._engine.admit(function, identity, account=account_of(request, address))
            await begin(admitting, f"HTTP {path}")
            if identity is None:
                _spend(address, BEGUN_BYTES)
            state = await self._uploads.begin(function, wanted, identity)
        return JsonResponse({"upload": state.id}, 201, _how_far(state))

    def _function(self, path: str, identity: Identity | None) -> Function:
        """Find a function that takes an upload; a query takes none."""
        found = self._engine.registry.functions.get(path)
        kind = Kind.ACTION if found is not None and found.kind is Kind.ACTION else Kind.MUTATION
        function = self._engine.registry.find(path, kind, caller=identity)
        if function is not found:
            raise UnknownFunction(f"{path!r} takes no uploads")
        return function

    async def _append(self, request: Request, identity: Identity | None) -> Response:
        _check_type(request)
        offset, id_ = number_header(request, OFFSET), request.path_params["upload"]
        if offset is None:
            raise Refused(BAD_HEADER, "Upload-Offset says where these bytes belong")
        state = await self._uploads.state(id_, identity)
        pieces = self._pieces(request, identity, state)
        return _told(await self._uploads.append(id_, identity, offset, pieces))

    async def _pieces(self, request: Request, identity: Identity | None, state: UploadState) -> AsyncIterator[bytes]:
        address, most = self._address(request), state.size - state.offset
        length = request.headers.get("content-length", "")
        if length.isdecimal() and int(length[:20]) > most:
            raise _too_much(most)
        receive = bounded(request.receive, most, self._settings.body_timeout, address.meter)
        async for piece in Request(request.scope, receive).stream():
            if identity is None:
                _spend(address, len(piece))
            if self._hub.requests.stopping:
                raise Refused(ErrorCode.STOPPING, "this server is stopping; what has come of the upload is kept")
            yield piece

    async def _state(self, request: Request, identity: Identity | None) -> Response:
        return _told(await self._uploads.state(request.path_params["upload"], identity))

    async def _cancel(self, request: Request, identity: Identity | None) -> Response:
        await self._uploads.cancel(request.path_params["upload"], identity)
        return Response(status_code=204)


def _spend(address: Address, size: int) -> None:
    """Take bytes out of what an address may upload without signing in; Refused if there are not so many."""
    if address.anonymous_samples.spend(size, time.monotonic()) > 0:
        raise Refused(ErrorCode.LIMIT_EXCEEDED, "sign in to upload more from this address", status=429)


def _wanted(body: Any) -> tuple[str, WantedUpload]:
    match body:
        case {"path": str(path), "name": str(name), "type": str(kind), "size": int(size), **rest} if (
            set(rest) <= _WORDS and type(size) is int and size in _SIZES
        ):
            argument, digest = rest.get("argument"), _digest(rest.get("digest"))
            if argument is None or isinstance(argument, str):
                return path, WantedUpload(name, kind, size, argument, digest)
    text = 'send {"path": "module:mutation", "name": "scan.pdf", "type": "application/pdf", "size": 12345}'
    raise Refused(ErrorCode.INVALID_ARGUMENTS, f'{text}, and "argument" and "digest" (64 hexadecimal digits) if needed')


def _digest(text: Any) -> bytes | None:
    try:
        digest = None if text is None else bytes.fromhex(text)
    except (ValueError, TypeError):
        digest = b""
    if digest is not None and len(digest) != 32:
        raise Refused(ErrorCode.INVALID_ARGUMENTS, "the digest of a file is 64 hexadecimal digits")
    return digest


def _check_type(request: Request) -> None:
    """Insist on a content type that forms of other sites cannot send."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind not in _BODY_TYPES or request.headers.get("content-encoding", "identity").lower() != "identity":
        raise Refused(UNSUPPORTED_MEDIA_TYPE, "send the bytes as application/octet-stream, uncompressed")


def _how_far(state: UploadState) -> dict[str, str]:
    return {OFFSET: str(state.offset), LENGTH: str(state.size)}


def _told(state: UploadState) -> Response:
    return Response(status_code=204, headers={"cache-control": "no-store", **_how_far(state)})


def _too_much(most: int) -> Refused:
    return Refused(ErrorCode.TOO_LARGE, f"{most:,} bytes of this upload are still to come, not more", {"limit": most})


_FAILURE = {"4XX": {"$ref": "#/components/responses/Error"}, "5XX": {"$ref": "#/components/responses/Error"}}
_WHO: list[dict[str, list[str]]] = [{}, {"token": []}]
_ID = {"name": "upload", "in": "path", "required": True, "schema": {"type": "string"}}
_WHERE = {
    "name": "Upload-Offset",
    "in": "header",
    "required": True,
    "description": "Where the bytes belong: how many are there already.",
    "schema": {"type": "integer", "minimum": 0},
}
_HOW_FAR = {
    "description": "How much is there.",
    "headers": {
        "Upload-Offset": {"description": "The bytes that are there.", "schema": {"type": "integer"}},
        "Upload-Length": {"description": "All that are to come.", "schema": {"type": "integer"}},
    },
}
_BEGUN = {
    "description": "Begun: send the bytes next, then the upload as the argument of the function.",
    "content": {"application/json": {"schema": {"type": "object", "properties": {"upload": {"type": "string"}}}}},
}
_BEGINNING = {
    "type": "object",
    "properties": {
        "path": {"type": "string", "description": "The mutation or action that takes the file."},
        "argument": {"type": "string", "description": "Which of its arguments, if it takes several files."},
        "name": {"type": "string"},
        "type": {"type": "string", "description": "A media type, as `image/png`."},
        "size": {"type": "integer", "minimum": 0},
        "digest": {"type": "string", "pattern": "^[0-9a-f]{64}$", "description": "What the content's is to be."},
    },
    "required": ["path", "name", "type", "size"],
    "additionalProperties": False,
}
OPERATIONS: Final[Mapping[str, Any]] = {
    "/api/uploads": {
        "post": {
            "operationId": "beginUpload",
            "summary": "Begin to upload a file for a function that takes one.",
            "security": _WHO,
            "requestBody": {"required": True, "content": {"application/json": {"schema": _BEGINNING}}},
            "responses": {"201": _BEGUN, **_FAILURE},
        }
    },
    "/api/uploads/{upload}": {
        "patch": {
            "operationId": "sendUpload",
            "summary": "Send the next bytes of an upload.",
            "security": _WHO,
            "parameters": [_ID, _WHERE],
            "requestBody": {"required": True, "content": {"application/octet-stream": {}}},
            "responses": {"204": _HOW_FAR, **_FAILURE},
        },
        "head": {
            "operationId": "lookAtUpload",
            "summary": "Tell how much of an upload is there.",
            "security": _WHO,
            "parameters": [_ID],
            "responses": {"204": _HOW_FAR, **_FAILURE},
        },
        "delete": {
            "operationId": "cancelUpload",
            "summary": "Give an upload up.",
            "security": _WHO,
            "parameters": [_ID],
            "responses": {"204": {"description": "It is gone."}, **_FAILURE},
        },
    },
}
"""What ``/openapi.json`` says of them."""
