"""Motion files over HTTP: ``POST /import`` makes a recording of one, ``GET /export/{recordingId}`` gives one back."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse

from motion.domain.uploading import Options, in_reader, read_upload
from motion.files import ROWS_AT_ONCE, Side, opensim_header, rows_text, times_of
from motion.functions.recordings import get
from motion.schema import Recording
from synovia import ActionContext, ArrayRef, FunctionError, Id, http

MAX_FILE_BYTES = int(os.environ.get("SYNOVIA_MOTION_MAX_FILE_BYTES", 256 << 20))
"""The largest file that is taken."""
SECONDS = 900
"""For a file to come and to be read."""

_QUERY = [
    {"name": name, "in": "query", "schema": schema}
    for name, schema in Options.model_json_schema()["properties"].items()
]
_DONE = {
    "type": "object",
    "properties": {
        "recordingId": {"type": "string"},
        "sampleCount": {"type": "integer"},
        "sampleRate": {"type": "number"},
        "durationMs": {"type": "number"},
        "warnings": {"type": "array", "items": {"type": "string"}},
    },
    "required": ["recordingId", "sampleCount", "sampleRate", "durationMs"],
}
_FAILED = {"$ref": "#/components/responses/Error"}
_IMPORT: dict[str, Any] = {
    "parameters": _QUERY,
    "requestBody": {"required": True, "content": {"application/octet-stream": {}}},
    "responses": {
        "201": {"description": "The recording.", "content": {"application/json": {"schema": _DONE}}},
        "4XX": _FAILED,
        "5XX": _FAILED,
    },
}
_EXPORT: dict[str, Any] = {
    "responses": {"200": {"description": "The file.", "content": {"text/plain": {}}}, "4XX": _FAILED, "5XX": _FAILED},
}


@http.route(
    "/import",
    methods=["POST"],
    capability="recordings.keep",
    max_body_bytes=MAX_FILE_BYTES,
    timeout=SECONDS,
    openapi=_IMPORT,
)
async def import_file(ctx: ActionContext, request: Request) -> Response:
    """Save a motion file, the body as it is, as a recording of the caller.

    The query says the file's ``name``, which tells something of what is in it, and what ``recordings:save`` and the
    reading of the file may need to know. The answer has ``warnings`` where the reader has assumed or left out something.
    """
    if request.headers.get("content-type", "").lower().startswith("multipart/"):
        raise FunctionError("unsupported_media_type", "send the file itself as the body, not a form")
    options = Options.of(request.query_params)
    motion = await read_upload(request.stream(), options)
    recording_id = await ctx.run_mutation(
        "recordings:save",
        {
            **options.args(),
            **{f"{side}Knee": await ctx.arrays.write(series) for side, series in motion.knees.items()},
            "sampleRate": motion.sample_rate,
        },
    )
    told: dict[str, Any] = {
        "sampleCount": motion.sample_count,
        "sampleRate": motion.sample_rate,
        "durationMs": motion.duration_ms,
    }
    if motion.warnings:
        told["warnings"] = list(motion.warnings)
    return JSONResponse({"recordingId": recording_id, **told}, 201)


@http.route("/export/{recording_id}", methods=["GET"], capability="recordings.keep", openapi=_EXPORT)
async def export_file(ctx: ActionContext, request: Request) -> Response:
    """Give a recording that the caller may see as an OpenSim file, which reads back bit for bit."""
    recording = await ctx.run_query(get, Id[Recording](request.path_params["recording_id"]))
    headers = {"content-disposition": f'attachment; filename="{recording.id}.mot"', "cache-control": "no-store"}
    return StreamingResponse(_opensim(ctx, recording), headers=headers, media_type="text/plain; charset=utf-8")


async def _opensim(ctx: ActionContext, recording: Recording) -> AsyncIterator[str]:
    """Write a recording's file piece by piece; so many rows are in memory at a time."""
    count, rate = recording.sample_count, recording.sample_rate
    refs: dict[Side, ArrayRef | None] = {"left": recording.left_knee, "right": recording.right_knee}
    knees = {side: ref for side, ref in refs.items() if ref is not None}
    yield opensim_header(count, rate, recording.notes or "", tuple(knees))
    for first in range(0, count, ROWS_AT_ONCE):
        stop = min(first + ROWS_AT_ONCE, count)
        series = [await ctx.arrays.read(ref, first, stop) for ref in knees.values()]
        times = times_of(first, stop, rate)
        yield await in_reader(lambda columns=(times, series): rows_text(*columns))  # type: ignore[misc]
