"""Many calls scheduled at once: written as a few documents that hold hundreds each, and unpacked to rows of their own later.

A mutation that schedules ten thousand calls writes fifty documents, and holds nobody up; the hubs make rows of them, one
document in one transaction, between whatever else they do.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from bson import ObjectId

from synovia.errors import FunctionError
from synovia.functions.database import SystemWriter
from synovia.functions.scheduled_calls import CallBatch, ScheduledCall, large_if
from synovia.schema import Document, id_to_bson
from synovia.schema.encrypted import sealed_fields
from synovia_protocol.errors import ErrorCode

MOST_BYTES = 16 * 1024 * 1024
"""So many bytes of arguments and contexts one mutation may schedule at once; each call counts ``CALL_BYTES`` more."""
CALL_BYTES = 64
_CHUNK_CALLS, _CHUNK_BYTES = 200, 256 * 1024
_BATCHES, _CALLS = CallBatch.spec.name, ScheduledCall.spec.name
_OF_EACH = {"_id", "args", "context", "large"}


@dataclass(frozen=True, slots=True)
class BatchedCall:
    """What one call of many has of its own, as documents hold it.

    Attributes:
        size: In bytes.
    """

    id: ObjectId
    args: Document
    context: Any
    size: int


class ByteBudget:
    """The bytes that one mutation may schedule at once."""

    def __init__(self) -> None:
        self._left = MOST_BYTES

    def spend(self, size: int) -> None:
        """Take some of them.

        Raises:
            FunctionError: There are not so many left.
        """
        self._left -= size
        if self._left < 0:
            text = f"one mutation schedules at most {MOST_BYTES} bytes of calls at once, each {CALL_BYTES} and its arguments"
            raise FunctionError(ErrorCode.LIMIT_EXCEEDED, text)


def write_batches(writer: SystemWriter, row: ScheduledCall, calls: Iterable[BatchedCall]) -> None:
    """Write calls that have in common what a row says; its arguments and its context are left aside."""
    common = {name: value for name, value in row.to_document().items() if name not in _OF_EACH}
    for chunk in _chunks(calls):
        batch = {
            "_id": writer.make_id(),
            "path": row.path,
            "hub": row.hub,
            "dueAt": row.created_at,
            "size": len(chunk),
            "common": common,
            "calls": [{"_id": call.id, **_sealed(writer, call)} for call in chunk],
        }
        writer.add(_BATCHES, batch | {name: common[name] for name in ("causedBy", "line") if name in common})


def _sealed(writer: SystemWriter, call: BatchedCall) -> Document:
    """Give what a call has of its own as its row will have it."""
    fields, keyring = sealed_fields(ScheduledCall), writer.transaction.keyring
    context = call.context
    return {
        "args": fields["args"].seal(call.args, call.id, keyring),
        "context": None if context is None else fields["context"].seal(context, call.id, keyring),
        **({"large": True} if large_if(call.size) else {}),
    }


def _chunks(calls: Iterable[BatchedCall]) -> Iterator[list[BatchedCall]]:
    chunk: list[BatchedCall] = []
    size = 0
    for call in calls:
        if chunk and (len(chunk) == _CHUNK_CALLS or size + call.size > _CHUNK_BYTES):
            yield chunk
            chunk, size = [], 0
        chunk.append(call)
        size += call.size
    if chunk:
        yield chunk


async def unpack(writer: SystemWriter, batch_id: str) -> None:
    """Make rows of the calls of a batch; nothing happens if it is gone."""
    batch = await writer.read(_BATCHES, id_to_bson(batch_id))
    if batch is None:
        return
    for call in batch["calls"]:
        writer.add(_CALLS, _row(batch, call))
    writer.change(_BATCHES, batch, None)


async def take_out(writer: SystemWriter, batch_ids: Iterable[str], call_id: str) -> ScheduledCall | None:
    """Make a row of one call that still waits in a batch; None if it is in none of them."""
    wanted = id_to_bson(call_id)
    for batch_id in batch_ids:
        batch = await writer.read(_BATCHES, id_to_bson(batch_id))
        found = [call for call in batch["calls"] if call["_id"] == wanted] if batch is not None else []
        if batch is not None and found:
            others = [call for call in batch["calls"] if call["_id"] != wanted]
            row = _row(batch, found[0])
            writer.add(_CALLS, row)
            writer.change(_BATCHES, batch, {**batch, "calls": others, "size": len(others)} if others else None)
            return ScheduledCall.from_document(row, writer.transaction.keyring)
    return None


def _row(batch: Document, call: Mapping[str, Any]) -> Document:
    own = {name: call[name] for name in ("context", "large") if call.get(name) is not None}
    return {"_id": call["_id"], **batch["common"], "args": call["args"], **own}
