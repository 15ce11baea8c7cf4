"""``synovia run``: call one function in this process and print its result as JSON."""

from __future__ import annotations

import base64
import datetime as dt
from typing import Any

from synovia.app import Synovia
from synovia.engine.outcomes import Outcome
from synovia.errors import FunctionError
from synovia.functions.access import CallOrigin
from synovia.functions.function import Kind
from synovia.identity import Identity
from synovia_protocol import codec
from synovia_protocol.messages import ArrayRef


async def call(server: Synovia, path: str, args: dict[str, Any], identity: Identity | None) -> Any:
    """Call a function of any kind of a server that runs, internal ones too, and give its result as JSON values.

    Raises:
        FunctionError: There is no such function, or it failed.
    """
    outcome = await _call(server, path, args, identity)
    if outcome.error is not None:
        raise FunctionError(outcome.error.code, outcome.error.message, outcome.error.data)
    return to_json(codec.unpack(outcome.packed or b"\xc0", codec.FROM_SERVER))


async def _call(server: Synovia, path: str, args: dict[str, Any], identity: Identity | None) -> Outcome:
    engine = server.engine
    # Without an identity it is the operator who calls; else it is tried what this caller may.
    origin = CallOrigin.APPLICATION if identity is None else CallOrigin.FUNCTION
    function = server.registry.functions.get(path)
    if function is not None and function.kind is Kind.MUTATION:
        return await engine.mutate(path, args, identity, origin=origin)
    if function is not None and function.kind is Kind.ACTION:
        return await engine.run_action(path, args, identity, origin=origin)
    return await engine.query(path, args, identity, origin=origin)


def to_json(value: Any) -> Any:
    """Turn a wire value into what JSON has: times as ISO 8601, bytes as base64, array references as maps."""
    if isinstance(value, dict):
        return {key: to_json(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [to_json(item) for item in value]
    if isinstance(value, ArrayRef):
        return {"digest": value.digest.hex(), "dtype": value.dtype, "shape": list(value.shape)}
    if isinstance(value, dt.datetime):
        return value.isoformat()
    return base64.b64encode(value).decode() if isinstance(value, bytes) else value
