"""Hypothesis strategies for wire values, lists of documents and messages, and equality to the bit."""

from __future__ import annotations

import copy
import datetime as dt
import struct
from typing import Any

from hypothesis import strategies as st

from synovia_protocol import messages as m
from synovia_protocol.codec import pack
from synovia_protocol.errors import ErrorInfo

INT64_MAX = 2**63 - 1


def float_of_bits(bits: int) -> float:
    """Make the float with these 64 bits, payload of a NaN included."""
    return float(struct.unpack("<d", bits.to_bytes(8, "little"))[0])


def bits_of_float(value: float) -> int:
    """Give the 64 bits of a float."""
    return int.from_bytes(struct.pack("<d", value), "little")


floats = st.one_of(
    st.floats(),
    st.integers(0, 2**64 - 1).map(float_of_bits),
    st.sampled_from([0.0, -0.0, 1.0, -1.0, 5e-324, 2.0**53, float("inf"), float("-inf")]),
    st.integers(1, 2**52 - 1).map(lambda payload: float_of_bits(0x7FF0_0000_0000_0000 | payload)),
)
integers = st.one_of(st.integers(-(2**63), INT64_MAX), st.integers(-3, 300))
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
datetimes = st.integers(-(2**45), 2**45).map(
    lambda ms: dt.datetime(1970, 1, 1, tzinfo=dt.UTC) + dt.timedelta(milliseconds=ms)
)
refs = st.builds(
    m.ArrayRef,
    st.binary(min_size=32, max_size=32),
    st.sampled_from(["float64", "int8", "bool"]),
    st.lists(st.integers(0, 2**40), max_size=3).map(tuple),
)
scalars = st.one_of(st.none(), st.booleans(), integers, floats, texts, st.binary(max_size=12), datetimes, refs)
keys = st.one_of(st.sampled_from(["a", "b", "_id", "notes", "é", "\U0001f600"]), texts)
values = st.recursive(
    scalars,
    lambda inner: st.one_of(st.lists(inner, max_size=6), st.dictionaries(keys, inner, max_size=6)),
    max_leaves=25,
)
small_values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-2, 2), st.sampled_from([0.0, -0.0, 1.0, float("nan")]), texts),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(keys, inner, max_size=4)),
    max_leaves=8,
)
arguments = st.dictionaries(keys, values, max_size=4)


def sorted_keys(value: Any) -> Any:
    """Put every map's keys in order, for the order of keys is no part of a value."""
    if isinstance(value, dict):
        return {key: sorted_keys(value[key]) for key in sorted(value)}
    return [sorted_keys(item) for item in value] if isinstance(value, (list, tuple)) else value


def bits(value: Any) -> bytes:
    """Give bytes that are the same exactly when two values are the same to the bit."""
    return pack(sorted_keys(value))


@st.composite
def documents(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Draw a list of documents with ids of their own."""
    names = draw(st.lists(st.integers(0, 40), unique=True, max_size=12))
    return [{"_id": f"{name:024x}", "n": draw(integers), "more": draw(small_values)} for name in names]


@st.composite
def edited_documents(draw: st.DrawFn) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Draw a list of documents, and the same after moves, edits, insertions and removals."""
    before = draw(documents())
    after = copy.deepcopy(before)
    for _ in range(draw(st.integers(0, 5))):
        _edit(draw, after)
    return before, after


def _edit(draw: st.DrawFn, items: list[dict[str, Any]]) -> None:
    what = draw(st.sampled_from(["insert", "edit", "move", "remove"]))
    if what == "insert" or not items:
        name = f"{draw(st.integers(100, 10**9)):024x}"
        if all(item["_id"] != name for item in items):
            items.insert(draw(st.integers(0, len(items))), {"_id": name, "more": draw(small_values)})
        return
    index = draw(st.integers(0, len(items) - 1))
    if what == "edit":
        items[index][draw(st.sampled_from(["n", "more", "x"]))] = draw(small_values)
    elif what == "remove":
        del items[index]
    else:
        items.insert(draw(st.integers(0, len(items) - 1)), items.pop(index))


@st.composite
def edited_values(draw: st.DrawFn) -> tuple[Any, Any]:
    """Draw a value, and the same with something in it replaced, removed, inserted or moved."""
    before = draw(values)
    after = copy.deepcopy(before)
    for _ in range(draw(st.integers(1, 3))):
        after = _edit_value(draw, after)
    return before, after


def _edit_value(draw: st.DrawFn, value: Any) -> Any:
    if isinstance(value, dict) and value:
        key = draw(st.sampled_from(sorted(value)))
        if draw(st.booleans()):
            value[key] = _edit_value(draw, value[key])
        else:
            del value[key]
    elif isinstance(value, list) and value:
        index = draw(st.integers(0, len(value) - 1))
        what = draw(st.sampled_from(["inside", "insert", "remove", "move", "double"]))
        if what == "inside":
            value[index] = _edit_value(draw, value[index])
        elif what == "insert":
            value.insert(index, draw(small_values))
        elif what == "remove":
            del value[index]
        elif what == "move":
            value.append(value.pop(index))
        else:
            value.insert(index, copy.deepcopy(value[index]))
    else:
        return draw(small_values)
    return value


naturals = st.one_of(st.integers(0, 300), st.integers(0, INT64_MAX))
streams = st.integers(1, 2**32 - 1)
journals = st.one_of(st.none(), st.binary(max_size=20))
errors = st.builds(ErrorInfo, texts, texts, values)
query_adds = st.builds(
    m.QueryAdd, naturals, texts, arguments, st.one_of(st.none(), st.binary(min_size=16, max_size=16)), journals
)
client_messages = st.one_of(
    st.builds(m.Connect, st.binary(min_size=16, max_size=16), st.integers(0, 9), st.one_of(st.none(), naturals), texts),
    st.builds(m.Authenticate, st.one_of(st.none(), texts)),
    st.builds(
        m.ModifyQuerySet,
        st.lists(query_adds, max_size=3).map(tuple),
        st.lists(naturals, max_size=3).map(tuple),
    ),
    st.builds(m.Mutation, naturals, texts, arguments, st.booleans(), st.one_of(st.none(), naturals)),
    st.builds(m.Action, naturals, texts, arguments),
    st.builds(
        m.FetchArray,
        streams,
        naturals,
        st.binary(min_size=32, max_size=32),
        naturals,
        st.one_of(st.none(), naturals),
        st.one_of(st.none(), st.integers(2, 10**6)),
    ),
    st.builds(m.CancelFetch, streams),
    st.builds(m.Ping, naturals),
)
updates = st.one_of(
    st.builds(m.QueryValue, naturals, values, journals),
    st.builds(m.QueryPatch, naturals, st.lists(values, min_size=1, max_size=3).map(tuple)),
    st.builds(m.QueryUnchanged, naturals),
    st.builds(m.QueryFailed, naturals, errors),
)
server_messages = st.one_of(
    st.builds(m.Welcome, naturals, naturals, st.floats(0, 1e6), st.one_of(st.none(), naturals)),
    st.builds(m.Transition, naturals, naturals, st.lists(updates, max_size=4).map(tuple), naturals),
    st.builds(m.MutationResponse, naturals, st.one_of(st.none(), naturals), values, st.one_of(st.none(), errors)),
    st.builds(m.ActionResponse, naturals, values, st.one_of(st.none(), errors)),
    st.builds(m.AuthError, errors),
    st.builds(
        m.Authenticated, st.one_of(st.none(), texts), st.one_of(st.none(), texts), st.one_of(st.none(), naturals)
    ),
    st.builds(
        m.ArrayResponse,
        streams,
        st.sampled_from(["float64", "int16"]),
        st.lists(naturals, max_size=3).map(tuple),
        st.one_of(st.none(), errors),
    ),
    st.builds(m.FatalError, errors, st.one_of(st.none(), st.floats(0, 1e6))),
    st.builds(m.Pong, naturals),
)
