"""The cases of values.json and messages.json."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from synovia_protocol import messages as m
from synovia_protocol.codec import encode, pack
from synovia_protocol.edits import ListEdit, MapEdit
from synovia_protocol.errors import ErrorInfo
from vectors.tagged import DIGEST, ERROR, FLOATS, REF, SESSION, Case, nested, number, tagged, time

INTEGERS = [0, 1, 127, 128, 255, 256, 65535, 65536, 2**32 - 1, 2**32, 2**53 - 1, 2**53, 2**53 + 1, 2**63 - 1]
NEGATIVES = [-1, -32, -33, -128, -129, -32768, -32769, -(2**31), -(2**31) - 1, -(2**53) - 1, -(2**63)]
VALUES: dict[str, Any] = {
    "null": None,
    "false": False,
    "true": True,
    **{f"integer {value}": value for value in INTEGERS + NEGATIVES},
    **{f"float {name}": number(bits) for name, bits in FLOATS.items()},
    "empty string": "",
    "string of 31 bytes": "a" * 31,
    "string of 32 bytes": "a" * 32,
    "string of 256 bytes": "é" * 128,
    "string beyond the basic plane": "a\u0000é\uffff\U0001f600",
    "empty bytes": b"",
    "bytes": b"\x00\xc1\xff",
    "empty list": [],
    "list of 16": list(range(16)),
    "empty map": {},
    "map of 16": {f"k{index:02}": index for index in range(16)},
    "keys that are no names": {"": 1, "__proto__": 2, "constructor": 3, "é\U0001f600": 4},
    "timestamp of 32 bits": time(1_700_000_000_000),
    "timestamp of 64 bits": time(1_700_000_000_123),
    "timestamp before 1970": time(-1),
    "timestamp after 2514": time(2**34 * 1000 + 5),
    "timestamp zero": time(0),
    "array reference": REF,
    "array reference of no axis": m.ArrayRef(DIGEST, "bool", ()),
    "array reference, long": m.ArrayRef(DIGEST, "uint16", (2**40,)),
    "a document": {"_id": "65f0c0ffee65f0c0ffee65f0", "startTime": 1_700_000_000_000, "notes": "", "leftKnee": REF},
    "as deep as may be": nested(64),
}
ACCEPTED: dict[str, tuple[Any, str]] = {
    "integer in 8 bytes": (1, "cf0000000000000001"),
    "negative in 8 bytes": (-1, "d3ffffffffffffffff"),
    "float of 32 bits": (1.5, "ca3fc00000"),
    "string with a long header": ("a", "db0000000161"),
    "list with a long header": ([None], "dd00000001c0"),
    "map with a long header": ({"a": None}, "df00000001a161c0"),
    "timestamp of 96 bits": (time(1000), "c70cff000000000000000000000001"),
    "a later duplicate of a key wins": ({"a": 2}, "82a16101a16102"),
}


def make_values() -> Case:
    """Make values.json."""
    return {
        "values": [{"name": name, "value": tagged(v), "packed": pack(v).hex()} for name, v in VALUES.items()],
        "accepted": [{"name": name, "value": tagged(v), "packed": h} for name, (v, h) in ACCEPTED.items()],
    }


# --- messages --------------------------------------------------------------------------------------------------------

FULL_ERROR = ErrorInfo("app:busy", "later", {"retryAfter": 1.5})
TRACEPARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
PATCH = MapEdit({"notes": "new"}, ["old"])
CLIENT_MESSAGES: dict[str, m.ClientMessage] = {
    "first connection": m.Connect(SESSION),
    "later connection": m.Connect(SESSION, 1, 7_300_000_000_000_000_001, "synovia-js/0.1.0"),
    "sign in": m.Authenticate("token"),
    "sign out": m.Authenticate(),
    "subscribe": m.ModifyQuerySet(
        (m.QueryAdd(1, "recordings:list_mine", {"limit": 20}), m.QueryAdd(2, "users:me", {}))
    ),
    "resume": m.ModifyQuerySet((m.QueryAdd(3, "a:b", {}, bytes(range(16)), b"journal"),), (1, 2)),
    "ask within a trace": m.ModifyQuerySet((m.QueryAdd(4, "a:b", {}, traceparent=TRACEPARENT),)),
    "resume without a journal": m.ModifyQuerySet((m.QueryAdd(3, "a:b", {}, bytes(range(16))),)),
    "unsubscribe": m.ModifyQuerySet(remove=(1, 300)),
    "modify nothing": m.ModifyQuerySet(),
    "mutation": m.Mutation(1, "recordings:rename", {"recordingId": "65f0c0ffee65f0c0ffee65f0", "notes": "x"}),
    "mutation with an array": m.Mutation(2, "recordings:save", {"leftKnee": REF}),
    "mutation sent again": m.Mutation(2**40, "a:b", {}, retry=True),
    "mutation first asked for long ago": m.Mutation(7, "a:b", {}, True, 1_700_000_000_000),
    "mutation within a trace": m.Mutation(8, "a:b", {}, traceparent=TRACEPARENT),
    "action within a trace": m.Action(9, "a:b", {}, TRACEPARENT),
    "action": m.Action(3, "mail:send", {"to": ["a@example.org"]}),
    "fetch all": m.FetchArray(4, 1, DIGEST),
    "fetch a range": m.FetchArray(5, 1, DIGEST, 1000, 2000),
    "fetch thinned": m.FetchArray(2**32 - 1, 1, DIGEST, 0, None, 800),
    "cancel": m.CancelFetch(5),
    "ping": m.Ping(),
    "numbered ping": m.Ping(77),
    "join a room": m.PresenceJoin(1, "documents:room", {"document": "65f0c0ffee65f0c0ffee65f0"}, {"cursor": 3}),
    "join a room without a state": m.PresenceJoin(2, "documents:room", {}),
    "show a state": m.PresenceState(1, {"cursor": 4, "selection": [4, 9]}),
    "show no state": m.PresenceState(1, None),
    "leave a room": m.PresenceLeave(1),
}
SERVER_MESSAGES: dict[str, m.ServerMessage] = {
    "welcome": m.Welcome(1, 1 << 20, 30.0),
    "welcome with the time": m.Welcome(1, 1 << 20, 0.5, 1_700_000_000_123),
    "time advances": m.Transition(5, 9),
    "time advances, numbered": m.Transition(5, 9, (), 3),
    "values": m.Transition(0, 5, (m.QueryValue(1, [{"_id": "a"}]), m.QueryValue(2, None, b"journal")), 1),
    "patch": m.Transition(5, 9, (m.QueryPatch(1, (PATCH,)),), 2),
    "patches": m.Transition(5, 9, (m.QueryPatch(1, (ListEdit([0, 1, [7]], [0, PATCH]), [1, 2], None)),), 2),
    "unchanged": m.Transition(5, 5, (m.QueryUnchanged(1),), 1),
    "failed": m.Transition(5, 9, (m.QueryFailed(1, ERROR), m.QueryFailed(2, FULL_ERROR)), 2),
    "seventeen updates": m.Transition(2**62, 2**62 + 1, tuple(m.QueryUnchanged(index) for index in range(17)), 200),
    "mutation done": m.MutationResponse(1, 2**62, "65f0c0ffee65f0c0ffee65f0"),
    "mutation done, no result": m.MutationResponse(1, 2**62),
    "mutation failed": m.MutationResponse(1, None, None, ERROR),
    "action done": m.ActionResponse(3, {"sent": True}),
    "action failed": m.ActionResponse(3, None, FULL_ERROR),
    "token accepted": m.Authenticated(),
    "token exchanged": m.Authenticated("access", "refresh", 1_700_000_900_000),
    "token refused": m.AuthError(ErrorInfo("invalid_token", "expired")),
    "array follows": m.ArrayResponse(4, "float64", (1000,)),
    "thinned array follows": m.ArrayResponse(5, "int16", (400, 2)),
    "array failed": m.ArrayResponse(4, error=ErrorInfo("array_not_found", "no live query shows it")),
    "end": m.FatalError(ErrorInfo("unsupported_version", "version 2")),
    "end for now": m.FatalError(ErrorInfo("stopping", "back soon"), 0.5),
    "pong": m.Pong(77),
    "all in a room": m.PresenceUpdate(
        1,
        (m.PresenceMember("a", {"name": "Ada"}, None), m.PresenceMember("b", None, {"cursor": 3})),
        whole=True,
        me="a",
    ),
    "one moves in a room": m.PresenceUpdate(1, (), (m.PresenceMove("b", {"cursor": 4}),)),
    "one leaves a room": m.PresenceUpdate(1, left=("b",)),
    "out of a room": m.PresenceEnded(1, ErrorInfo("forbidden", "you may not")),
}
ACCEPTED_MESSAGES: dict[str, tuple[str, Any, str]] = {
    "an unknown field": ("client", m.Ping(5), "930805a36e6577"),
    "an unknown field of a query": ("client", m.ModifyQuerySet((m.QueryAdd(1, "a", {}),)), "9203919701a16180c0c0c007"),
    "defaults sent": ("client", m.Mutation(1, "a", {}), "950401a16180c2"),
    "an unknown field of an update": ("server", m.Transition(1, 2, (m.QueryUnchanged(3),)), "942101029193020307"),
    "an integer of seconds": ("server", m.Welcome(1, 2, 30.0), "942001021e"),
}


def make_messages() -> Case:
    """Make messages.json."""
    directions: tuple[tuple[str, Mapping[str, m.Message]], ...] = (
        ("client", CLIENT_MESSAGES),
        ("server", SERVER_MESSAGES),
    )
    return {
        "messages": [
            {"name": name, "direction": direction, "message": tagged(message), "frame": encode(message).hex()}
            for direction, messages in directions
            for name, message in messages.items()
        ],
        "accepted": [
            {"name": name, "direction": direction, "message": tagged(message), "frame": frame}
            for name, (direction, message, frame) in ACCEPTED_MESSAGES.items()
        ],
    }
