"""Frames of clients, good ones and everything else: each is a message, or is refused."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers.convex_wire import KIT
from synovia.convex import messages as m
from synovia.convex.functions import ConvexFunctions, canonical_path
from synovia.convex.versions import ClientVersion
from synovia.errors import FunctionError
from synovia.functions.registry import load_application

FUNCTIONS = ConvexFunctions(load_application(KIT))
SESSION = "12345678-1234-1234-1234-123456789abc"
GOOD: list[dict[str, Any]] = [
    {"type": "Connect", "sessionId": SESSION, "connectionCount": 3, "maxObservedTimestamp": "AQAAAAAAAAA=", "clientTs": 5},
    {"type": "Authenticate", "baseVersion": 1, "tokenType": "User", "value": "token"},
    {"type": "Authenticate", "baseVersion": 1, "tokenType": "Admin", "value": "key", "impersonating": {}},
    {
        "type": "ModifyQuerySet", "baseVersion": 0, "newVersion": 1,
        "modifications": [
            {"type": "Add", "queryId": 0, "udfPath": "values:echo", "args": [{"value": {"$integer": "AQAAAAAAAAA="}}]},
            {"type": "Remove", "queryId": 7},
        ],
    },
    {"type": "Mutation", "requestId": 0, "udfPath": "messages:send", "args": [{"channel": "a"}], "componentPath": None},
    {"type": "Action", "requestId": 1, "udfPath": "actions:add", "args": [{"a": 1, "b": 2.5}]},
    {"type": "Event", "eventType": "ClientConnect", "event": {}},
]  # fmt: skip
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@st.composite
def nearly_good(draw: st.DrawFn) -> Any:
    """Give a good message in which something was replaced, or left out."""
    message = json.loads(json.dumps(draw(st.sampled_from(GOOD))))
    place: Any = message
    while True:
        key = draw(st.sampled_from(sorted(place) if isinstance(place, dict) else range(len(place))))
        inner = place[key]
        if not (isinstance(inner, dict | list) and inner) or draw(st.booleans()):
            break
        place = inner
    if draw(st.booleans()) and isinstance(place, dict):
        del place[key]
    else:
        place[key] = draw(anything)
    return message


@pytest.mark.parametrize("message", GOOD, ids=lambda message: message["type"])
def test_good_messages_are_read(message: dict[str, Any]) -> None:
    m.parse(json.dumps(message))


def read_all(text: str) -> None:
    with suppress(m.Malformed, FunctionError):
        message = m.parse(text)
        calls = (
            message.add if isinstance(message, m.ModifyQuerySet) else [message] if isinstance(message, m.Call) else []
        )
        for call in calls:
            FUNCTIONS.find_any(call.path).arguments(call.args)


@given(nearly_good())
def test_nearly_good_messages_are_read_or_refused(message: Any) -> None:
    read_all(json.dumps(message))


@given(anything)
def test_any_json_is_read_or_refused(message: Any) -> None:
    read_all(json.dumps(message))


@given(st.text())
def test_any_text_is_read_or_refused(text: str) -> None:
    read_all(text)


@pytest.mark.parametrize("text", ["[" * 200_000, "9" * 10_000, '"\\ud800"', "NaN", "", b"{}"])
def test_odd_frames_are_refused(text: str | bytes) -> None:
    with pytest.raises(m.Malformed):
        m.parse(text)


@pytest.mark.parametrize(
    ("path", "canonical"),
    [
        ("m", "m:default"),
        ("m.js", "m:default"),
        ("a/m.js:f", "a/m:f"),
        ("a/m:f", "a/m:f"),
        (":f", ":f"),
        ("", ":default"),
    ],
)
def test_paths(path: str, canonical: str) -> None:
    assert canonical_path(path) == canonical


@pytest.mark.parametrize(
    ("text", "name", "version", "chunks"),
    [
        ("npm-1.28.0", "npm", (1, 28, 0), True),
        ("npm-1.27.9", "npm", (1, 27, 9), False),
        ("npm-cli-1.30.0", "npm-cli", (1, 30, 0), False),
        ("npm-1.30.0-alpha.1", "npm", (1, 30, 0), True),
        ("python-0.8.1", "python", (0, 8, 1), False),
        ("x" * 500, "x" * 64, (0, 0, 0), False),
        ("", "", (0, 0, 0), False),
    ],
)
def test_versions_of_clients(text: str, name: str, version: tuple[int, int, int], chunks: bool) -> None:
    client = ClientVersion.of(text)
    assert (client.name, client.version, client.takes_chunks) == (name, version, chunks)


def test_the_version_in_the_path_is_that_of_npm() -> None:
    assert ClientVersion.of("1.49.0", "npm").takes_chunks
