"""Hypothesis strategies for BSON values, chosen so that equal and nearly equal ones meet often."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from decimal import Decimal, localcontext
from typing import Any

from bson import Binary, Code, Decimal128, Int64, MaxKey, MinKey, ObjectId, Regex, Timestamp
from bson.datetime_ms import DatetimeMS
from hypothesis import strategies as st

TEXT = st.text(alphabet=["a", "b", "\0", "\1", "\x7f", "é", "\uffff", "\U0001f600"], max_size=3)
NAMES = st.sampled_from(["a", "b", "aa", "é", ""])


def _decimal(value: Decimal) -> Decimal128:
    with localcontext() as context:
        context.prec = 34
        return Decimal128(+value)


INTS = st.one_of(
    st.integers(-3, 3),
    st.integers(-(1 << 63), (1 << 63) - 1),
    st.sampled_from([1 << 53, (1 << 53) + 1, -(1 << 53) - 1, (1 << 63) - 1, -(1 << 63), (1 << 62) + 1]),
)
FLOATS = st.one_of(
    st.floats(),
    st.sampled_from([0.0, -0.0, 1.0, 0.1, -0.1, math.inf, -math.inf, math.nan, 2.0**53, 2.0**63, 5e-324, -5e-324]),
)
DECIMALS = st.one_of(
    st.sampled_from(["0", "-0", "1", "1.0", "0.1", "-0.1", "NaN", "Infinity", "-Infinity", "1E-6176", "9.9E+6144"]).map(
        Decimal128
    ),
    INTS.map(lambda value: _decimal(Decimal(value))),
    FLOATS.filter(math.isfinite).map(lambda value: _decimal(Decimal(value))),
    st.decimals(allow_nan=False, allow_infinity=False, places=3).map(_decimal),
)
NUMBERS = st.one_of(INTS, INTS.map(Int64), FLOATS, DECIMALS)
DATES = st.one_of(
    st.sampled_from([datetime(1970, 1, 1, tzinfo=UTC), datetime(2026, 1, 1, 0, 0, 0, 1000, tzinfo=UTC)]),
    st.integers(-(1 << 63), (1 << 63) - 1).map(DatetimeMS),
)
BINARIES = st.builds(Binary, st.binary(max_size=3), st.sampled_from([0, 1, 2, 5, 128]))
OBJECT_IDS = st.sampled_from([ObjectId(bytes(12)), ObjectId(b"\xff" * 12), ObjectId("6b012ca42122a9581e9de51b")])
SCALARS: st.SearchStrategy[Any] = st.one_of(
    st.none(),
    st.booleans(),
    NUMBERS,
    TEXT,
    BINARIES,
    OBJECT_IDS,
    DATES,
    st.builds(Timestamp, st.integers(0, 3), st.integers(1, 3)),
    st.builds(Regex, st.sampled_from(["", "a", "b"]), st.sampled_from(["", "i", "im"])),
    TEXT.map(Code),
    TEXT.map(lambda text: Code(text, {"a": 1})),
    st.sampled_from([MinKey(), MaxKey()]),
)
VALUES: st.SearchStrategy[Any] = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(NAMES, inner, max_size=3)),
    max_leaves=6,
)
"""Any value that an index can hold."""
