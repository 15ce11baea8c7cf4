"""The messages of both sides, one JSON text each."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

from synovia.convex.values import write
from synovia.convex.versions import StateVersion, ts_of, ts_text
from synovia.sync.ports import Ts

MOST_U32 = 2**32 - 1


class Malformed(Exception):
    """A client has sent what is no message: it is told, and must not come back with the same."""


@dataclass(frozen=True, slots=True)
class Connect:
    """The first message.

    Attributes:
        session: 16 bytes that the client keeps as long as it lives.
        connection_count: How often it has been connected before.
        newest_ts: The newest instant that it has seen; None if none.
        client_ts: Its clock, in milliseconds since 1970; None if it does not say.
    """

    session: bytes
    connection_count: int
    newest_ts: Ts | None
    client_ts: int | None


@dataclass(frozen=True, slots=True)
class Authenticate:
    """Who the client is from now on; without a token it is nobody. ``admin``: by a key of a deployment."""

    base_version: int
    token: str | None
    admin: bool = False


@dataclass(frozen=True, slots=True)
class AddQuery:
    """One more query to follow; ``args`` as they have been sent."""

    query_id: int
    path: str
    args: Any
    journal: str | None
    component: str | None = None


@dataclass(frozen=True, slots=True)
class ModifyQuerySet:
    """Which queries the client follows from its ``new_version`` on."""

    base_version: int
    new_version: int
    add: tuple[AddQuery, ...]
    remove: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Call:
    """A mutation or an action."""

    kind: str
    request_id: int
    path: str
    args: Any
    component: str | None = None


@dataclass(frozen=True, slots=True)
class Event:
    """Something that the client tells about itself."""


ClientMessage = Connect | Authenticate | ModifyQuerySet | Call | Event


# --- from clients -----------------------------------------------------------------------------------------------------


def load(text: str | bytes) -> Any:
    """Read JSON.

    Raises:
        Malformed: It is none.
    """
    try:
        return json.loads(text, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise Malformed(f"not JSON: {error}") from None


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")


def parse(text: str | bytes) -> ClientMessage:
    """Read a message of a client.

    Raises:
        Malformed: It is none.
    """
    if isinstance(text, bytes):
        raise Malformed("frames are text")
    message = load(text)
    kind = message.get("type") if isinstance(message, dict) else None
    read = _READERS.get(kind) if isinstance(kind, str) else None
    if read is None:
        raise Malformed("a message is an object with a known type")
    return read(message)


def _connect(message: Mapping[str, Any]) -> Connect:
    try:
        session = uuid.UUID(_text(message, "sessionId")).bytes
        newest = message.get("maxObservedTimestamp")
        newest_ts = None if newest is None else ts_of(newest)
    except ValueError as error:
        raise Malformed(f"Connect: {error}") from None
    client_ts = message.get("clientTs")
    return Connect(
        session,
        _u32(message, "connectionCount"),
        newest_ts,
        client_ts if type(client_ts) is int and client_ts > 0 else None,
    )


def _authenticate(message: Mapping[str, Any]) -> Authenticate:
    base, kind = _u32(message, "baseVersion"), message.get("tokenType")
    if kind == "None":
        return Authenticate(base, None)
    if kind not in ("User", "Admin"):
        raise Malformed("Authenticate: tokenType is User, Admin or None")
    return Authenticate(base, _text(message, "value"), kind == "Admin")


def _modify(message: Mapping[str, Any]) -> ModifyQuerySet:
    modifications = message.get("modifications")
    if not isinstance(modifications, list):
        raise Malformed("ModifyQuerySet: modifications is a list")
    add, remove = [], []
    for each in modifications:
        kind = each.get("type") if isinstance(each, dict) else None
        if kind == "Add":
            add.append(_add(each))
        elif kind == "Remove":
            remove.append(_u32(each, "queryId"))
        else:
            raise Malformed("ModifyQuerySet: a modification is Add or Remove")
    return ModifyQuerySet(_u32(message, "baseVersion"), _u32(message, "newVersion"), tuple(add), tuple(remove))


def _add(each: Mapping[str, Any]) -> AddQuery:
    return AddQuery(
        _u32(each, "queryId"), _text(each, "udfPath"), each.get("args"), _optional(each, "journal"),
        _optional(each, "componentPath"),
    )  # fmt: skip


def _call(message: Mapping[str, Any]) -> Call:
    return Call(
        message["type"], _u32(message, "requestId"), _text(message, "udfPath"), message.get("args"),
        _optional(message, "componentPath"),
    )  # fmt: skip


def _event(message: Mapping[str, Any]) -> Event:
    return Event()


_READERS: Mapping[str, Callable[[Mapping[str, Any]], ClientMessage]] = {
    "Connect": _connect,
    "Authenticate": _authenticate,
    "ModifyQuerySet": _modify,
    "Mutation": _call,
    "Action": _call,
    "Event": _event,
}


def _u32(message: Mapping[str, Any], name: str) -> int:
    number = message.get(name)
    if isinstance(number, float) and number.is_integer():
        number = int(number)
    if type(number) is not int or not 0 <= number <= MOST_U32:
        raise Malformed(f"{message.get('type')}: {name} is an integer of 32 bits")
    return number


def _text(message: Mapping[str, Any], name: str) -> str:
    text = message.get(name)
    if not isinstance(text, str):
        raise Malformed(f"{message.get('type')}: {name} is a text")
    return text


def _optional(message: Mapping[str, Any], name: str) -> str | None:
    return None if message.get(name) is None else _text(message, name)


# --- to clients -------------------------------------------------------------------------------------------------------

PING = b'{"type":"Ping"}'


@dataclass(frozen=True, slots=True)
class Failure:
    """Why there is no result.

    Attributes:
        message: For people.
        data: What a ConvexError carries, in JSON; None: it is none.
    """

    message: str
    data: str | None = None


@dataclass(frozen=True, slots=True)
class Result:
    """A result in JSON, or why there is none, with what the function has logged."""

    value: str | Failure
    log_lines: tuple[str, ...] = ()


def _log_lines(result: Result) -> str:
    return f'"logLines":{write(list(result.log_lines))}' if result.log_lines else '"logLines":[]'


def _error_data(failure: Failure) -> str:
    return "" if failure.data is None else f',"errorData":{failure.data}'


def query_result(query_id: int, result: Result, journal: str | None) -> str:
    """Make the modification of a transition that tells a query's result."""
    end = f'{_log_lines(result)},"journal":{write(journal)}}}'
    if isinstance(result.value, Failure):
        failure = result.value
        text = f'"errorMessage":{write(failure.message)}{_error_data(failure)}'
        return f'{{"type":"QueryFailed","queryId":{query_id},{text},{end}'
    return f'{{"type":"QueryUpdated","queryId":{query_id},"value":{result.value},{end}'


def query_removed(query_id: int) -> str:
    """Make the modification that confirms that a query is not followed any more."""
    return f'{{"type":"QueryRemoved","queryId":{query_id}}}'


def transition(start: StateVersion, end: StateVersion, modifications: list[str], skew: int | None, now_ns: int) -> str:
    """Make a Transition.

    Args:
        skew: By how many milliseconds the client's clock is ahead; None: it has not said.
        now_ns: The time in nanoseconds since 1970.
    """
    clock = f'"clientClockSkew":{"null" if skew is None else skew},"serverTs":{now_ns}'
    return (
        f'{{"type":"Transition","startVersion":{start.json},"endVersion":{end.json},'
        f'"modifications":[{",".join(modifications)}],{clock}}}'
    )


def chunks(text: str, size: int, transition_id: str) -> list[str]:
    """Cut a Transition into pieces."""
    parts = [text[start : start + size] for start in range(0, len(text), size)]
    return [
        write(
            {
                "type": "TransitionChunk", "chunk": part, "partNumber": number, "totalParts": len(parts),
                "transitionId": transition_id,
            }
        )
        for number, part in enumerate(parts)
    ]  # fmt: skip


def mutation_response(request_id: int, result: Result, ts: Ts | None) -> bytes:
    """Make the response to a mutation that was committed at ``ts``, or has failed."""
    if isinstance(result.value, Failure):
        return _failed("MutationResponse", request_id, result, '"ts":null,')
    value = f'"success":true,"result":{result.value},"ts":"{ts_text(ts or 0)}"'
    return f'{{"type":"MutationResponse","requestId":{request_id},{value},{_log_lines(result)}}}'.encode()


def action_response(request_id: int, result: Result) -> bytes:
    """Make the response to an action."""
    if isinstance(result.value, Failure):
        return _failed("ActionResponse", request_id, result, "")
    value = f'"success":true,"result":{result.value}'
    return f'{{"type":"ActionResponse","requestId":{request_id},{value},{_log_lines(result)}}}'.encode()


def _failed(kind: str, request_id: int, result: Result, ts: str) -> bytes:
    failure = result.value
    assert isinstance(failure, Failure)  # noqa: S101 (its callers have looked)
    error = f'"success":false,"result":{write(failure.message)}{_error_data(failure)}'
    return f'{{"type":"{kind}","requestId":{request_id},{error},{ts}{_log_lines(result)}}}'.encode()


def auth_error(error: str, base_version: int, *, attempted: bool) -> bytes:
    """Make the message after which a client gets itself another token.

    Args:
        base_version: The version of its identity that it was last told.
        attempted: Whether it has just sent a token; else one has expired.
    """
    return write(
        {"type": "AuthError", "error": error, "baseVersion": base_version, "authUpdateAttempted": attempted}
    ).encode()


def fatal_error(error: str) -> bytes:
    """Make the message after which a client never comes back."""
    return write({"type": "FatalError", "error": error}).encode()
