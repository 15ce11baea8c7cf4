"""``POST /api/array``: the samples of an array that a query shows the caller, as they are stored."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any, Self

from starlette.responses import Response, StreamingResponse

from synovia.http.errors import Refused
from synovia.store.arrays import stream_range, thin
from synovia.store.base import ArrayManifest, ArrayStore
from synovia_protocol.arrays import ITEM_BYTES
from synovia_protocol.errors import ErrorCode

DTYPE = "synovia-dtype"
MOST_POINTS = 1_000_000
_WORDS = {"path", "args", "digest", "start", "stop", "points"}


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which samples are asked for.

    Attributes:
        path, args: The query that shows the array.
        start, stop: Elements ``[start, stop)`` of the flattened array.
        points: Thin them to so many numbers: the minimum and maximum of each bucket, in turn.
    """

    path: str
    args: Any
    digest: bytes
    start: int = 0
    stop: int | None = None
    points: int | None = None

    @classmethod
    def of(cls, body: Any) -> Self:
        """Read a request.

        Raises:
            Refused: It is none.
        """
        match body:
            case {"path": str(path), "digest": str(digest), **rest} if set(rest) <= _WORDS:
                numbers: dict[str, Any] = {
                    name: rest[name] for name in ("start", "stop", "points") if rest.get(name) is not None
                }
                if all(type(number) is int for number in numbers.values()) and len(digest) == 64:
                    try:
                        return cls(path, rest.get("args", {}), bytes.fromhex(digest), **numbers)
                    except ValueError:
                        pass
        text = 'send {"path": "module:query", "args": {...}, "digest": HEX, "start": 0, "stop": 100, "points": 50}'
        raise Refused(ErrorCode.INVALID_ARGUMENTS, f"{text}; the last three are optional")

    def _range(self, manifest: ArrayManifest) -> tuple[int, int]:
        stop = manifest.length if self.stop is None else self.stop
        if not 0 <= self.start <= stop <= manifest.length:
            raise Refused(ErrorCode.BAD_RANGE, f"the array has {manifest.length} elements")
        if self.points is not None and not 2 <= self.points <= MOST_POINTS:
            raise Refused(ErrorCode.BAD_RANGE, f"points are 2 to {MOST_POINTS:,}")
        return self.start, stop

    async def response(self, store: ArrayStore, shown: frozenset[bytes]) -> Response:
        """Answer with raw little-endian numbers.

        Args:
            shown: The digests of the arrays that the query's result refers to, run just now for this caller.

        Raises:
            Refused: The array is not among them, or has no such range.
        """
        manifest = await store.get_manifest(self.digest) if self.digest in shown else None
        if manifest is None:
            raise Refused(ErrorCode.ARRAY_NOT_FOUND, f"{self.path} shows no array {self.digest.hex()[:16]}")
        start, stop = self._range(manifest)
        headers = {DTYPE: manifest.dtype, "cache-control": "no-store"}
        if self.points is not None:
            thinned = await thin(store, manifest, start, stop, self.points)
            return Response(thinned.tobytes(), headers=headers, media_type="application/octet-stream")
        headers["content-length"] = str((stop - start) * ITEM_BYTES[manifest.dtype])
        return StreamingResponse(_bytes(store, manifest, start, stop), 200, headers, "application/octet-stream")


async def _bytes(store: ArrayStore, manifest: ArrayManifest, start: int, stop: int) -> AsyncIterator[bytes]:
    async for piece in stream_range(store, manifest, start, stop):
        yield bytes(piece)


OPERATION: Mapping[str, Any] = {
    "operationId": "samples",
    "summary": "Read the samples of an array that a query shows.",
    "description": "Raw little-endian numbers; with `points`, the minimum and maximum of each bucket in turn.",
    "security": [{}, {"token": []}],
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {
                    "type": "object",
                    "properties": {
                        "path": {"type": "string", "description": "A query whose result refers to the array."},
                        "args": {"type": "object"},
                        "digest": {"type": "string", "pattern": "^[0-9a-f]{64}$"},
                        "start": {"type": "integer", "minimum": 0},
                        "stop": {"type": "integer", "minimum": 0},
                        "points": {"type": "integer", "minimum": 2},
                    },
                    "required": ["path", "digest"],
                    "additionalProperties": False,
                }
            }
        },
    },
    "responses": {
        "200": {
            "description": "The samples.",
            "headers": {"Synovia-Dtype": {"description": "As `float64`.", "schema": {"type": "string"}}},
            "content": {"application/octet-stream": {}},
        },
        "4XX": {"$ref": "#/components/responses/Error"},
        "5XX": {"$ref": "#/components/responses/Error"},
    },
}
"""What ``/openapi.json`` says of it."""
