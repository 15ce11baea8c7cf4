"""``GET /api/files/...``: the bytes of a file, for whoever has an address that a query has handed out.

Whatever is sent came from somebody: browsers never run it. It is of the type that was declared and of no other (nosniff),
in a sandbox without scripts and without this server's origin, and saved rather than shown unless it is an image, sound, a
film or plain text. SVG, HTML and XML are saved. An address that is no good, has expired, or leads to what is gone has one
answer.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Final
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import BaseRoute, Route

from synovia.engine.engine import Engine
from synovia.engine.store_errors import told_of
from synovia.functions.file_addresses import PREFIX, FileAddress
from synovia.http.errors import Refused, error_response, telling_errors
from synovia.http.ranges import Answer, Representation, answer_to
from synovia.store.base import ArrayManifest, StoreError
from synovia.store.content_writer import DTYPE, stream_content
from synovia_protocol.errors import ErrorCode

SHOWN: Final = frozenset(
    (
        "image/png", "image/jpeg", "image/gif", "image/webp", "image/avif", "image/bmp",
        "audio/mpeg", "audio/ogg", "audio/wav", "audio/webm", "audio/mp4", "audio/aac", "audio/flac",
        "video/mp4", "video/webm", "video/ogg", "text/plain",
    )
)  # fmt: skip
"""The types that browsers show; none of them can hold a program that they would run."""

_POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'; img-src 'self'; media-src 'self'; sandbox"
_SAFE: Final = {"content-security-policy": _POLICY, "x-content-type-options": "nosniff", "accept-ranges": "bytes"}


class FileRoutes:
    """Sends files."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def routes(self) -> list[BaseRoute]:
        """List the routes."""
        return [Route(f"{PREFIX}/{{token}}/{{name}}", telling_errors(self._answer), methods=["GET", "HEAD"])]

    async def _answer(self, request: Request) -> Response:
        now = self._engine.now()
        address = self._engine.addresses.read(request.path_params["token"], now)
        try:
            content = None if address is None else await self._engine.store.arrays.get_manifest(address.digest)
        except StoreError as error:
            return error_response(told_of(error))
        if address is None or content is None or content.dtype != DTYPE:
            raise Refused(ErrorCode.NOT_FOUND, "there is no such file, or this address has expired")
        found = Representation(f'"{address.digest.hex()}"', address.uploaded_at // 1000, content.length)
        answer, part = answer_to(request.headers, found)
        headers = _headers(address, found, now)
        if answer is Answer.NOT_MODIFIED or answer is Answer.FAILED:
            return Response(None, answer.value, headers)
        if answer is Answer.UNSATISFIABLE:
            return Response(None, answer.value, headers | {"content-range": f"bytes */{found.size}"})
        return await self._sent(request, address, content, answer, part, headers)

    async def _sent(
        self, request: Request, address: FileAddress, content: ArrayManifest, answer: Answer, part: range,
        headers: dict[str, str],
    ) -> Response:  # fmt: skip
        headers |= {"content-length": str(len(part)), "content-type": _content_type(address.type)}
        if answer is Answer.PART:
            headers["content-range"] = f"bytes {part.start}-{part.stop - 1}/{content.length}"
        if request.method == "HEAD":
            return Response(None, answer.value, headers)
        pieces = stream_content(self._engine.store.arrays, content, part.start, part.stop)
        try:
            first = await anext(aiter(pieces), b"")
        except StoreError as error:  # nothing has been sent yet: it can still be told
            return error_response(told_of(error))
        return StreamingResponse(_after(first, pieces), answer.value, headers)


async def _after(first: bytes, pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield first
    async for piece in pieces:
        yield piece


def _headers(address: FileAddress, found: Representation, now: int) -> dict[str, str]:
    """Give what goes with every answer: content of one digest never changes, but its address expires."""
    seconds = (address.expires_at - now) // 1000
    return {
        **_SAFE,
        "etag": found.tag,
        "last-modified": found.last_modified,
        "cache-control": f"private, max-age={seconds}, immutable",
        "content-disposition": disposition(address.name, shown=address.type in SHOWN and not address.download),
    }


def _content_type(kind: str) -> str:
    return f"{kind}; charset=utf-8" if kind == "text/plain" else kind


def disposition(name: str, *, shown: bool) -> str:
    """Write Content-Disposition (RFC 6266): the name in ASCII for whoever knows no more, and whole (RFC 8187).

    Args:
        name: Of the file, without control characters.
        shown: Whether browsers may show it instead of saving it.
    """
    plain = "".join(each if " " <= each <= "~" and each not in '"\\%' else "_" for each in name)
    whole = quote(name, safe="!#$&+-.^_`|~")
    return f"{'inline' if shown else 'attachment'}; filename=\"{plain}\"; filename*=UTF-8''{whole}"
