"""Results: checked against their annotation, dumped and encoded; large ones without holding up the event loop."""

from __future__ import annotations

import asyncio
import logging
import re
from inspect import formatannotation
from typing import Any, Final

from pydantic import ValidationError

from synovia.engine.settings import EngineLimits
from synovia.errors import FunctionError
from synovia.functions.creation_times import tell_creation_times
from synovia.functions.function import Function
from synovia.functions.hints import READS
from synovia.functions.query import Query
from synovia.functions.sendable import HINTS, hint
from synovia.schema import Table
from synovia.schema.faults import message_of
from synovia.transaction.rows import Packed, RowCache
from synovia_protocol import codec
from synovia_protocol.errors import ErrorCode, ErrorInfo, IntegerTooLarge, WireValueError
from synovia_protocol.references import digests_in

logger = logging.getLogger("synovia")

NOTHING: Final = codec.pack(None)
_MANY: Final = 2_000
"""A list or map of more is dumped and encoded in a thread."""
_UNSENDABLE: Final = re.compile(r"(?P<type>\w+) is not a wire value$")
_ARRAY_MARK: Final = b"\x93\xc4\x20"  # how every packed ArrayRef begins: a list of three, the first 32 bytes long


async def packed_result(function: Function, given: Any, rows: RowCache | None) -> Packed:
    """Give what a function has returned as a wire value, encoded, and the arrays it refers to.

    Args:
        rows: The rows that its run has made, if they may be used.

    Raises:
        FunctionError: It holds a number that no client can be told (``number_too_large``).
        UnfitResult: It is not what the annotation says, or cannot be encoded.
    """
    try:
        if rows is not None and function.rows_of is not None:
            return await rows.pack(function.check(given), _pack_row)
        if isinstance(given, list | tuple | dict | set) and len(given) > _MANY:
            return await asyncio.to_thread(lambda: _packed(function.dump(function.check(given))))
        return _packed(function.dump(function.check(given)))
    except IntegerTooLarge as error:
        text = f"{function.path} gives a number that cannot be sent, as a sum may become: {error}"
        raise FunctionError("number_too_large", text) from error
    except (ValidationError, WireValueError) as error:
        raise UnfitResult(_told(function, error, given)) from error


class UnfitResult(TypeError):
    """What a function has given is not what its annotation says, or cannot be sent."""


def _told(function: Function, error: ValidationError | WireValueError, given: Any) -> str:
    if isinstance(error, WireValueError):
        instead = match["type"] if (match := _UNSENDABLE.search(str(error))) else ""
        return f"the result cannot be sent: {error}{hint(instead) if instead in HINTS else ''}"
    read = "; " + READS if isinstance(given, Query) else ""
    return f"the result is not {formatannotation(function.returns)}: {message_of(error)}{read}"


def refusal(function: Function, packed: Packed, limits: EngineLimits) -> ErrorInfo | None:
    """Refuse a result of too many bytes or too many elements, each of which costs time, however small it is."""
    size, most = len(packed.packed), limits.max_result_elements
    if size > limits.max_result_bytes:
        return _too_large(function, "bytes", size, limits.max_result_bytes)
    if size > most and (elements := _elements(packed.value, most)) > most:  # an element has a byte at least
        return _too_large(function, "elements", elements, most)
    return None


def _too_large(function: Function, unit: str, size: int, limit: int) -> ErrorInfo:
    logger.warning("%s gave a result of %d %s; the limit is %d", function.path, size, unit, limit)
    text = f"the result of {function.path} has {size:,} {unit}, {limit:,} are allowed; ask for it in pages"
    data = {"size": size, "limit": limit} | ({} if unit == "bytes" else {"unit": unit})
    return ErrorInfo(ErrorCode.TOO_LARGE, text, data)


def _elements(value: Any, most: int) -> int:
    """Count the elements of a wire value with all that they hold, until there are more than ``most``."""
    waiting, count = [value] if isinstance(value, list | dict) else [], 0
    while waiting and count <= most:
        inside = waiting.pop()
        items = inside.values() if isinstance(inside, dict) else inside
        count += len(inside)
        waiting.extend(item for item in items if isinstance(item, list | dict) and item)
    return count


def _packed(value: Any) -> Packed:
    packed = codec.pack(value)
    return Packed(value, packed, frozenset(digests_in(value)) if _ARRAY_MARK in packed else frozenset())


def _pack_row(row: Table) -> Packed:
    wire = row.model_dump(by_alias=True, exclude_none=True)
    tell_creation_times(row, wire)
    return _packed(wire)
