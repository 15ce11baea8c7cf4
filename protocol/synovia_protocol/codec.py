"""Messages and their bytes.

One table says, for every message, what each field may be; encoding and decoding follow it. What a server sends to many
(updates, results) can be packed once and joined into frames with the functions at the end.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from operator import attrgetter
from typing import Any, NoReturn, cast

from synovia_protocol import messages as m
from synovia_protocol.errors import ErrorCode, ErrorInfo, ProtocolError
from synovia_protocol.values import (
    FROM_CLIENT,
    FROM_SERVER,
    MAX_DEPTH,
    Limits,
    check_value,
    check_values,
    pack,
    pack_checked,
    pack_each,
    pack_raw,
    read_frame,
    unpack,
    unpack_own,
    unpack_patch,
)

__all__ = [
    "FROM_CLIENT",
    "FROM_SERVER",
    "Limits",
    "decode_client",
    "decode_server",
    "encode",
    "encode_transition",
    "pack",
    "pack_action_response",
    "pack_mutation_response",
    "pack_patch_update",
    "pack_presence_changes",
    "pack_presence_update",
    "pack_update",
    "pack_value_update",
    "unpack",
    "unpack_own",
    "unpack_patch",
]

_ENVELOPE = 4  # lists around a value: message, updates, update, patches
_INT64_MAX = 2**63 - 1
_UINT32_MAX = 2**32 - 1

Rule = Callable[[Any, Limits], Any]
"""Check one field that arrived and give it as the message class holds it; raises ``_Mismatch``."""


class _Mismatch(Exception):
    """A field is not what its rule says; the argument completes the sentence "it is not ..."."""


# --- rules for fields -------------------------------------------------------------------------------------------------


def _of(kind: type, name: str) -> Rule:
    def rule(field: Any, limits: Limits) -> Any:
        if type(field) is not kind:
            raise _Mismatch(name)
        return field

    return rule


def _natural(largest: int, least: int = 0) -> Rule:
    def rule(field: Any, limits: Limits) -> Any:
        if type(field) is not int or not least <= field <= largest:
            raise _Mismatch(f"an integer from {least} to {largest}")
        return field

    return rule


def _bytes(length: int) -> Rule:
    def rule(field: Any, limits: Limits) -> Any:
        if type(field) is not bytes or len(field) != length:
            raise _Mismatch(f"{length} bytes")
        return field

    return rule


def _or_none(inner: Rule) -> Rule:
    def rule(field: Any, limits: Limits) -> Any:
        return None if field is None else inner(field, limits)

    return rule


def _each(inner: Rule) -> Rule:
    def rule(field: Any, limits: Limits) -> Any:
        if type(field) is not list:
            raise _Mismatch("a list")
        return tuple([inner(item, limits) for item in field])

    return rule


def _seconds(field: Any, limits: Limits) -> float:
    if type(field) not in (int, float) or not 0 <= field < float("inf"):
        raise _Mismatch("a number of seconds")
    return float(field)


def _value(field: Any, limits: Limits) -> Any:
    check_values((field,), limits.max_depth, patches=False)
    return field


def _arguments(field: Any, limits: Limits) -> Any:
    if type(field) is not dict:
        raise _Mismatch("a map of arguments")
    check_value(field, limits.max_depth)
    return field


def _patches(field: Any, limits: Limits) -> tuple[Any, ...]:
    if type(field) is not list or not field:
        raise _Mismatch("a list of at least one patch")
    check_values(field, limits.max_depth)
    return tuple(field)


def _nested(read: Callable[[list[Any], Limits], Any]) -> Rule:
    def rule(field: Any, limits: Limits) -> Any:
        if type(field) is not list:
            raise _Mismatch("a list")
        return read(field, limits)

    return rule


_ID = _natural(_INT64_MAX)
_TS = _natural(_INT64_MAX)
_STREAM = _natural(_UINT32_MAX, 1)
_COUNT = _natural(_INT64_MAX)
_TEXT = _of(str, "a string")
_FLAG = _of(bool, "a boolean")
_JOURNAL = _or_none(_of(bytes, "bytes"))


# --- layouts of messages ----------------------------------------------------------------------------------------------


class Layout:
    """How one class travels: an optional tag, then its fields in order; the last ones may be left out when default.

    Attributes:
        required: How many fields are always sent.
        rules: By field name, in the order on the wire.
    """

    def __init__(self, kind: type, required: int, *, tag: int | None = None, **rules: Rule) -> None:
        self.kind = kind
        self.required = required
        self.tag = tag
        self.rules = rules
        self._rules = tuple(rules.values())
        fields = kind.__dataclass_fields__  # type: ignore[attr-defined]
        self._defaults = tuple(fields[name].default for name in rules)
        get = attrgetter(*rules)
        self._get: Callable[[Any], tuple[Any, ...]] = get if len(rules) > 1 else lambda message: (get(message),)

    def read(self, fields: list[Any], limits: Limits) -> Any:
        """Make the object from fields that arrived; more fields than are known are ignored."""
        if len(fields) < self.required:
            _refuse(f"{self.kind.__name__} has {len(fields)} fields, at least {self.required} are needed")
        try:
            read = [rule(field, limits) for rule, field in zip(self._rules, fields, strict=False)]
        except _Mismatch:
            self._refuse(fields, limits)
        return self.kind(*read)

    def _refuse(self, fields: list[Any], limits: Limits) -> NoReturn:
        """Say which of some fields is not what it may be."""
        for name, field in zip(self.rules, fields, strict=False):
            try:
                self.rules[name](field, limits)
            except _Mismatch as error:
                _refuse(f"{self.kind.__name__}.{name} is not {error}")
        raise AssertionError("one of them is not")

    def write(self, message: Any) -> list[Any]:
        """Give the elements that travel."""
        fields = self._get(message)
        end = len(fields)
        while end > self.required and _is_default(fields[end - 1], self._defaults[end - 1]):
            end -= 1
        head = [] if self.tag is None else [self.tag]
        return head + [_write(field) for field in fields[:end]]


def _is_default(field: Any, default: Any) -> bool:
    return type(field) is type(default) and field == default


def _write(field: Any) -> Any:
    if type(field) is tuple:
        return [_write(item) for item in field]
    layout = _LAYOUTS.get(type(field))
    return field if layout is None else layout.write(field)


def _refuse(message: str) -> NoReturn:
    raise ProtocolError(ErrorCode.BAD_MESSAGE, message)


_ERROR_LAYOUT = Layout(ErrorInfo, 2, code=_TEXT, message=_TEXT, data=_value)
_ERROR = _nested(_ERROR_LAYOUT.read)

_ADD_LAYOUT = Layout(
    m.QueryAdd,
    3,
    query_id=_ID,
    path=_TEXT,
    args=_arguments,
    digest=_or_none(_bytes(16)),
    journal=_JOURNAL,
    traceparent=_or_none(_TEXT),
)

CLIENT_LAYOUTS = (
    Layout(m.Connect, 2, tag=1, session=_bytes(16), version=_COUNT, newest_ts=_or_none(_TS), client=_TEXT),
    Layout(m.Authenticate, 0, tag=2, token=_or_none(_TEXT)),
    Layout(m.ModifyQuerySet, 0, tag=3, add=_each(_nested(_ADD_LAYOUT.read)), remove=_each(_ID)),
    Layout(
        m.Mutation,
        3,
        tag=4,
        request_id=_ID,
        path=_TEXT,
        args=_arguments,
        retry=_FLAG,
        issued_at=_or_none(_COUNT),
        traceparent=_or_none(_TEXT),
    ),
    Layout(m.Action, 3, tag=5, request_id=_ID, path=_TEXT, args=_arguments, traceparent=_or_none(_TEXT)),
    Layout(
        m.FetchArray,
        3,
        tag=6,
        request_id=_STREAM,
        query_id=_ID,
        digest=_bytes(32),
        start=_COUNT,
        stop=_or_none(_COUNT),
        points=_or_none(_natural(_INT64_MAX, 2)),
    ),
    Layout(m.CancelFetch, 1, tag=7, request_id=_STREAM),
    Layout(m.Ping, 0, tag=8, nonce=_COUNT),
    Layout(m.PresenceJoin, 3, tag=9, room_id=_ID, path=_TEXT, args=_arguments, state=_value),
    Layout(m.PresenceState, 2, tag=10, room_id=_ID, state=_value),
    Layout(m.PresenceLeave, 1, tag=11, room_id=_ID),
)

UPDATE_LAYOUTS = (
    Layout(m.QueryValue, 2, tag=0, query_id=_ID, value=_value, journal=_JOURNAL),
    Layout(m.QueryPatch, 2, tag=1, query_id=_ID, patches=_patches),
    Layout(m.QueryUnchanged, 1, tag=2, query_id=_ID),
    Layout(m.QueryFailed, 2, tag=3, query_id=_ID, error=_ERROR),
)
_UPDATES = {layout.tag: layout for layout in UPDATE_LAYOUTS}


def _read_update(fields: list[Any], limits: Limits) -> m.QueryUpdate:
    layout = _UPDATES.get(fields[0]) if fields and type(fields[0]) is int else None
    if layout is None:
        raise _Mismatch("a known kind of update")
    return cast(m.QueryUpdate, layout.read(fields[1:], limits))


_MEMBER_LAYOUT = Layout(m.PresenceMember, 3, id=_TEXT, who=_value, state=_value)
_MOVE_LAYOUT = Layout(m.PresenceMove, 2, id=_TEXT, state=_value)

SERVER_LAYOUTS = (
    Layout(
        m.Welcome,
        3,
        tag=32,
        version=_COUNT,
        max_message_bytes=_COUNT,
        idle_timeout=_seconds,
        server_time=_or_none(_COUNT),
    ),
    Layout(m.Transition, 2, tag=33, from_ts=_TS, to_ts=_TS, updates=_each(_nested(_read_update)), number=_COUNT),
    Layout(m.MutationResponse, 2, tag=34, request_id=_ID, ts=_or_none(_TS), result=_value, error=_or_none(_ERROR)),
    Layout(m.ActionResponse, 1, tag=35, request_id=_ID, result=_value, error=_or_none(_ERROR)),
    Layout(m.AuthError, 1, tag=36, error=_ERROR),
    Layout(
        m.Authenticated, 0, tag=40, token=_or_none(_TEXT), refresh_token=_or_none(_TEXT), expires_at=_or_none(_COUNT)
    ),
    Layout(m.ArrayResponse, 1, tag=37, request_id=_STREAM, dtype=_TEXT, shape=_each(_COUNT), error=_or_none(_ERROR)),
    Layout(m.FatalError, 1, tag=38, error=_ERROR, retry_after=_or_none(_seconds)),
    Layout(m.Pong, 0, tag=39, nonce=_COUNT),
    Layout(
        m.PresenceUpdate,
        1,
        tag=41,
        room_id=_ID,
        here=_each(_nested(_MEMBER_LAYOUT.read)),
        moved=_each(_nested(_MOVE_LAYOUT.read)),
        left=_each(_TEXT),
        whole=_FLAG,
        me=_or_none(_TEXT),
    ),
    Layout(m.PresenceEnded, 2, tag=42, room_id=_ID, error=_ERROR),
)

PART_LAYOUTS = (_ADD_LAYOUT, _ERROR_LAYOUT, _MEMBER_LAYOUT, _MOVE_LAYOUT)

_LAYOUTS: dict[type, Layout] = {
    layout.kind: layout for layout in (*CLIENT_LAYOUTS, *SERVER_LAYOUTS, *UPDATE_LAYOUTS, *PART_LAYOUTS)
}
_CLIENT = {layout.tag: layout for layout in CLIENT_LAYOUTS}
_SERVER = {layout.tag: layout for layout in SERVER_LAYOUTS}


# --- messages ---------------------------------------------------------------------------------------------------------


def encode(message: m.Message) -> bytes:
    """Encode a message.

    Raises:
        WireValueError: A value in it cannot travel.
    """
    return pack_checked(_LAYOUTS[type(message)].write(message), MAX_DEPTH + _ENVELOPE)


def decode_client(frame: bytes | str, limits: Limits = FROM_CLIENT) -> m.ClientMessage:
    """Decode a frame from a client.

    Raises:
        ProtocolError: It is not a message that a client may send; see ``errors.ErrorCode``.
    """
    message: m.ClientMessage = _decode(frame, limits, _CLIENT, patches=False)
    return message


def decode_server(frame: bytes | str, limits: Limits = FROM_SERVER) -> m.ServerMessage:
    """Decode a frame from a server.

    Raises:
        ProtocolError: It is not a message that a server may send.
    """
    return cast(m.ServerMessage, _decode(frame, limits, _SERVER, patches=True))


def _decode(frame: bytes | str, limits: Limits, layouts: dict[int | None, Layout], *, patches: bool) -> Any:
    if isinstance(frame, str):
        raise ProtocolError(ErrorCode.TEXT_FRAME, "frames are binary")
    fields = read_frame(frame, limits, patches=patches)
    if type(fields) is not list or not fields or type(fields[0]) is not int:
        _refuse("a message is a list that starts with its type number")
    layout = layouts.get(fields[0])
    if layout is None:
        raise ProtocolError(ErrorCode.UNKNOWN_MESSAGE, f"unknown message type {fields[0]}")
    return layout.read(fields[1:], limits)


# --- frames from parts that are packed already ------------------------------------------------------------------------


def list_head(length: int) -> bytes:
    """Encode the head of a list (the msgpack specification, "array format family"); its elements follow, packed already."""
    if length < 16:
        return bytes((0x90 | length,))
    return b"\xdc" + length.to_bytes(2, "big") if length < 1 << 16 else b"\xdd" + length.to_bytes(4, "big")


def encode_transition(from_ts: int, to_ts: int, packed_updates: Iterable[bytes], number: int = 0) -> bytes:
    """Join updates (see ``pack_update``), packed once and shared by many connections, into one Transition."""
    updates = list(packed_updates)
    parts = [b"\x95" if number else b"\x94" if updates else b"\x93", b"\x21", pack_raw(from_ts), pack_raw(to_ts)]
    if updates or number:
        parts.append(list_head(len(updates)))
    if number:
        updates.append(pack_raw(number))
    return b"".join(parts + updates)


def pack_update(update: m.QueryUpdate) -> bytes:
    """Pack one element of ``Transition.updates``."""
    return pack_checked(_LAYOUTS[type(update)].write(update), MAX_DEPTH + _ENVELOPE)


def pack_value_update(query_id: int, packed_value: bytes, journal: bytes | None = None) -> bytes:
    """Make a QueryValue of a result that is packed already."""
    if journal is None:
        return b"\x93\x00" + pack_raw(query_id) + packed_value
    return b"".join((b"\x94\x00", pack_raw(query_id), packed_value, pack_raw(journal)))


def pack_patch_update(query_id: int, packed_patches: Sequence[bytes]) -> bytes:
    """Make a QueryPatch of one or more patches that are packed already, to be applied in this order."""
    return b"".join((b"\x93\x01", pack_raw(query_id), list_head(len(packed_patches)), *packed_patches))


def pack_mutation_response(request_id: int, ts: int | None, packed_result: bytes) -> bytes:
    """Make a MutationResponse of a result that is packed already; failures are ``encode(MutationResponse(...))``."""
    return b"".join((b"\x94\x22", *pack_each((request_id, ts)), packed_result))


def pack_action_response(request_id: int, packed_result: bytes) -> bytes:
    """Make an ActionResponse of a result that is packed already; failures are ``encode(ActionResponse(...))``."""
    return b"".join((b"\x93\x23", pack_raw(request_id), packed_result))


def pack_presence_changes(
    here: Iterable[tuple[str, bytes, bytes]], moved: Iterable[tuple[str, bytes]], left: Sequence[str], *, whole: bool
) -> bytes:
    """Pack what has changed in a room, which all in it are told alike; who and state are packed already."""
    members = [b"".join((b"\x93", pack_raw(name), who, state)) for name, who, state in here]
    moves = [b"".join((b"\x92", pack_raw(name), state)) for name, state in moved]
    parts = [list_head(len(members)), *members, list_head(len(moves)), *moves, pack_raw(list(left)), pack_raw(whole)]
    return b"".join(parts)


def pack_presence_update(room_id: int, packed_changes: bytes, me: str | None = None) -> bytes:
    """Make a PresenceUpdate of what ``pack_presence_changes`` gave."""
    return b"".join((b"\x97\x29", pack_raw(room_id), packed_changes, pack_raw(me)))
