"""Documents as lines of JSON and back, to the last bit."""

from __future__ import annotations

import base64
import datetime as dt
import json
import math
import struct
from typing import Any

import bson
import pytest
from bson import Binary, DBRef, Decimal128, Int64, ObjectId, json_util
from bson.codec_options import CodecOptions, DatetimeConversion
from hypothesis import given
from hypothesis import strategies as st

from helpers.bson_values import VALUES
from synovia.export.lines import BadLine, document_of, line_of

CODEC: CodecOptions[dict[str, Any]] = CodecOptions(
    tz_aware=True, tzinfo=dt.UTC, datetime_conversion=DatetimeConversion.DATETIME_AUTO
)
KEYS = st.sampled_from(["a", "é", "", "a.b", "$date", "$oid", "$bson", "$x"])


def assert_kept(document: dict[str, Any]) -> None:
    body = bson.encode(document)
    line = line_of(bson.decode(body, CODEC))
    assert line.endswith(b"\n")
    assert line.count(b"\n") == 1
    assert bson.encode(document_of(line)) == body


@given(st.dictionaries(KEYS, VALUES, max_size=4))
def test_every_document_is_kept_to_the_last_bit(fields: dict[str, Any]) -> None:
    assert_kept({"_id": 1, **fields})


@pytest.mark.parametrize(
    "value",
    [
        5, Int64(5), Int64(2**40), -(2**31), Int64(-(2**31)), 5.0, 1e300, -0.0, math.inf, math.nan,
        struct.unpack("<d", b"\x01\0\0\0\0\0\xf8\x7f")[0], struct.unpack("<d", b"\0\0\0\0\0\0\xf8\xff")[0],
        dt.datetime(2026, 11, 28, 12, 0, 0, 123_000, tzinfo=dt.UTC), dt.datetime(1, 1, 1, tzinfo=dt.UTC),
        Decimal128("1.10"), b"\0\xff", Binary(bytes(16), 4), ObjectId("6b012ca42122a9581e9de51b"), DBRef("a", 1),
        {"$date": "no date"}, {"a": {"$oid": 5}}, "line\n\u2028",
    ],
)  # fmt: skip
def test_a_value_is_kept(value: Any) -> None:
    assert_kept({"_id": "x", "value": value, "list": [value, {"in": value}]})


def test_others_read_it_with_what_they_have() -> None:
    document = {"_id": ObjectId(), "n": 5, "big": Int64(2**40), "f": 1.0, "d": Decimal128("1.1"), "b": b"x"}
    assert json_util.loads(line_of(document).decode()) == document
    assert json.loads(line_of({"_id": "a", "n": 1, "f": 1.5, "t": "é", "l": [True, None]})) == {
        "_id": "a", "n": 1, "f": 1.5, "t": "é", "l": [True, None],
    }  # fmt: skip


def test_the_id_comes_first() -> None:
    assert line_of({"a": 1, "_id": 2}) == b'{"_id":2,"a":1}\n'


def test_documents_may_nest_as_deep_as_in_mongodb() -> None:
    for line in (b'{"_id":' + b"[" * 199 + b"]" * 199 + b"}", b'{"$bson": "' + base64.b64encode(_nested(200)) + b'"}'):
        assert "_id" in document_of(line)


def _nested(depth: int) -> bytes:
    """Give a document of that depth, itself included, with a key that only BSON has."""
    value: Any = {"$x": 1}
    for _ in range(depth - 1):
        value = {"a": value}
    return bson.encode({"_id": 1, **value})


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (b"{", "it is no JSON"),
        (b"\xff", "it is not UTF-8"),
        (b"[]", "no document"),
        (b"5", "no document"),
        (b"{}", "no document"),
        (b'{"_id": 1, "_id": 2}', "one key twice"),
        (b'{"_id": 1, "a": NaN}', "it is no JSON: NaN"),
        (b'{"_id": 1, "a": 1e999}', "beyond a 64-bit float"),
        (b'{"_id": 99999999999999999999999}', "beyond 64 bits"),
        (b'{"_id": {"$oid": "x"}}', "'\\$oid' has no such value"),
        (b'{"_id": 1, "a": {"$date": {"$numberLong": "x"}}}', "no such value"),
        (b'{"_id": 1, "a": {"$nothing": 1}}', "no value of Extended JSON"),
        (b'{"_id": 1, "a": {"$oid": "6b012ca42122a9581e9de51b", "more": 1}}', "no such value"),
        (b'{"$bson": "AAAA"}', "holds is no document"),
        (b'{"$bson": "!"}', "holds is no document"),
        (b'{"_id": 1, "a": {"$bson": "' + base64.b64encode(bson.encode({"_id": 1})) + b'"}}', "within a document"),
        (b'{"_id": 1, "a": [{"$bson": "' + base64.b64encode(bson.encode({"_id": 1})) + b'"}]}', "within a document"),
        (b'{"_id":' + b"[" * 100_000, "nest more than 200 deep"),
        (b'{"_id":' + b"[" * 200 + b"]" * 200 + b"}", "nest more than 200 deep"),
        (
            b'{"_id":1,"a":' + b'{"a":' * 500 + b'{"$bson":1}' + b"}" * 501,
            "nest more than 200 deep|holds is no document",
        ),
        (b'{"$bson": "' + base64.b64encode(_nested(201)) + b'"}', "nest more than 200 deep"),
    ],
)
def test_what_is_no_line_is_told(line: bytes, said: str) -> None:
    with pytest.raises(BadLine, match=said):
        document_of(line)
