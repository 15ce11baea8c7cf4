"""Wire values: what packs comes back to the bit, and what is none is refused on both ends."""

from __future__ import annotations

import datetime as dt
import math
import threading
import tracemalloc
from decimal import Decimal
from enum import StrEnum
from typing import Any

import msgpack
import numpy as np
import pytest
from hypothesis import given

from helpers.wire_strategies import bits, bits_of_float, float_of_bits, values
from synovia_protocol.codec import FROM_CLIENT, Limits, pack, unpack, unpack_patch
from synovia_protocol.edits import ListEdit, MapEdit
from synovia_protocol.errors import CloseCode, ErrorCode, IntegerTooLarge, ProtocolError, WireValueError
from synovia_protocol.messages import ArrayRef

REF = ArrayRef(bytes(range(32)), "float64", (3, 4))


def nested(depth: int) -> Any:
    value: Any = 0
    for _ in range(depth):
        value = [value]
    return value


def refusal(data: bytes, limits: Limits = FROM_CLIENT) -> ErrorCode:
    with pytest.raises(ProtocolError) as caught:
        unpack(data, limits)
    return caught.value.code


@given(values)
def test_what_is_packed_comes_back_to_the_bit(value: Any) -> None:
    packed = pack(value)
    again = unpack(packed)
    assert pack(again) == packed
    assert bits(again) == bits(value)


@pytest.mark.parametrize("number", [0, 127, 128, -32, -33, 2**31, 2**53 + 1, 2**63 - 1, -(2**63)])
def test_integers_of_64_bits_stay_integers(number: int) -> None:
    again = unpack(pack(number))
    assert type(again) is int
    assert again == number


@pytest.mark.parametrize("number", [2**63, 2**64 - 1, 2**64, -(2**63) - 1])
@pytest.mark.parametrize("wrap", [lambda n: n, lambda n: [n], lambda n: {"a": [1.5, {"b": n}]}])
def test_integers_beyond_64_bits_are_not_packed(number: int, wrap: Any) -> None:
    with pytest.raises(WireValueError):
        pack(wrap(number))


def test_unsigned_numpy_integer_beyond_64_bits_is_not_packed() -> None:
    with pytest.raises(WireValueError):
        pack([np.uint64(2**63)])


def test_bytes_that_look_like_a_huge_integer_are_none() -> None:
    value = {"a": b"\xcf\xff\xff\xff\xff\xff\xff\xff\xff", "b": [7, 2**63 - 1]}
    assert unpack(pack(value)) == value


@pytest.mark.parametrize("pattern", [0x7FF0_0000_0000_0001, 0xFFF8_0000_DEAD_BEEF, 0x8000_0000_0000_0000, 1])
def test_floats_keep_their_bits(pattern: int) -> None:
    assert bits_of_float(unpack(pack(float_of_bits(pattern)))) == pattern


def test_types_that_compare_equal_stay_apart() -> None:
    assert [type(item) for item in unpack(pack([True, 1, 1.0, False, 0, -0.0]))] == [bool, int, float] * 2
    assert math.copysign(1, unpack(pack(-0.0))) == -1


def test_datetimes_are_utc_and_cut_to_milliseconds() -> None:
    zone = dt.timezone(dt.timedelta(hours=2))
    moment = dt.datetime(1969, 12, 31, 23, 59, 59, 999_999, tzinfo=zone)
    assert unpack(pack(moment)) == dt.datetime(1969, 12, 31, 21, 59, 59, 999_000, tzinfo=dt.UTC)


def test_subclasses_and_numpy_scalars_pack_as_what_they_are() -> None:
    class Colour(StrEnum):
        RED = "red"

    value = (Colour.RED, np.float64(0.1), np.float32(0.5), np.int16(-3), np.bool_(True))
    assert pack(value) == pack(["red", 0.1, 0.5, -3, True])


@pytest.mark.parametrize(
    "value",
    [
        {1: 2},
        {"a": [{b"k": 1}]},
        {None: 1},
        {("a",): 1},
        {1, 2},
        Decimal(1),
        1j,
        object(),
        "\ud800",
        dt.datetime(2020, 1, 1),
        np.zeros(3),
        nested(65),
        nested(600),
        {"a": nested(64)},
    ],
)
def test_what_is_not_a_wire_value_is_not_packed(value: Any) -> None:
    with pytest.raises(WireValueError):
        pack(value)


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ({1}, "set is not a wire value"),
        ([{1}], "[0]: set is not a wire value"),
        ({"rows": [{"size": 1}, {"size": {1}}]}, ".rows[1].size: set is not a wire value"),
        ({"rows": ({"size": 2**70},)}, ".rows[0].size: an integer beyond 64 bits with sign"),
        ({"rows": [1, {"size": 2**63}]}, ".rows[1].size: an integer beyond 64 bits with sign"),
        ({"rows": [[1], {"size": np.uint64(2**63)}]}, ".rows[1].size: an integer beyond 64 bits with sign"),
        (-(2**63) - 1, "an integer beyond 64 bits with sign"),
        ({"a": {"two words": "half \ud800"}}, ".a['two words']: a text holds half a surrogate pair"),
        ({"a": [1.0, "x", b"", None, np.float64(1), object()]}, ".a[5]: object is not a wire value"),
        ({"x" * 200: 1, "y": {1}}, ".y: set is not a wire value"),
        ({"\ud800": {1}}, "['\\ud800']: a text holds half a surrogate pair"),
    ],
)
def test_what_is_not_a_wire_value_is_told_with_its_place(value: Any, told: str) -> None:
    with pytest.raises(WireValueError) as refused:
        pack(value)
    assert str(refused.value) == told
    assert isinstance(refused.value, IntegerTooLarge) == ("integer" in told)


def test_the_place_of_a_fault_in_what_holds_itself_is_found_at_once() -> None:
    twice: list[Any] = []
    twice += [twice, twice]
    first: list[Any] = [{1}]
    first += [first, first]
    deep: Any = {1}
    for _ in range(80):
        deep = [deep]
    for value in (twice, first, [deep, twice]):
        with pytest.raises(WireValueError):
            pack(value)


def test_a_list_that_holds_itself_is_not_packed() -> None:
    endless: list[Any] = []
    endless.append(endless)
    with pytest.raises(WireValueError):
        pack(endless)


def test_a_refused_value_leaves_no_trace_in_the_next_one() -> None:
    with pytest.raises(WireValueError):
        pack(["left over", object()])
    assert pack([1]) == b"\x91\x01"


def test_packing_in_many_threads_does_not_mix() -> None:
    wrong: list[Any] = []

    def work(number: int) -> None:
        value = [REF, {"n": number}, [number] * 50]
        wrong.extend(1 for _ in range(300) if unpack(pack(value)) != value)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", ErrorCode.BAD_FRAME),
        (b"\xc1", ErrorCode.BAD_FRAME),
        (b"\x92\x01", ErrorCode.BAD_FRAME),  # truncated
        (b"\x94\x01", ErrorCode.BAD_FRAME),  # so much that it could not even be true
        (b"\x8f\xa1a", ErrorCode.BAD_FRAME),
        (b"\xd9\x05ab", ErrorCode.BAD_FRAME),
        (b"\x01\x02", ErrorCode.BAD_FRAME),  # trailing byte
        (b"\xa2\xc3\x28", ErrorCode.BAD_FRAME),  # not UTF-8
        (b"\xa3\xed\xa0\x80", ErrorCode.BAD_FRAME),  # a surrogate
        (b"\x81\x01\x02", ErrorCode.BAD_FRAME),  # key is an integer
        (b"\x81\xc4\x01a\x02", ErrorCode.BAD_FRAME),  # key is bytes
        (b"\x81\xc0\x02", ErrorCode.BAD_FRAME),
        (b"\x81\x90\x02", ErrorCode.BAD_FRAME),
        (b"\xcf" + b"\xff" * 8, ErrorCode.BAD_FRAME),
        (b"\x91\x81\xa1a\xcf\x80" + bytes(7), ErrorCode.BAD_FRAME),
        (b"\xd4\x05\x00", ErrorCode.BAD_FRAME),  # unknown extension
        (b"\xd4\x01\x00", ErrorCode.BAD_FRAME),  # an array reference that is none
        (b"\xd5\x02\x91\x80", ErrorCode.BAD_FRAME),  # a patch
        (b"\xd7\xff" + b"\xff" * 8, ErrorCode.BAD_FRAME),  # nanoseconds beyond a second
        (b"\xc7\x0c\xff" + b"\x00" * 4 + b"\x7f" * 8, ErrorCode.BAD_FRAME),  # beyond the year 9999
        (b"\xc7\x03\xffabc", ErrorCode.BAD_FRAME),
        (b"\x91" * 64 + b"\x90", ErrorCode.TOO_LARGE),
        (b"\x91" * 2000 + b"\x90", ErrorCode.TOO_LARGE),
        (b"\x81\xa1a" * 65 + b"\x90", ErrorCode.TOO_LARGE),
        (bytes(2_000_000), ErrorCode.TOO_LARGE),
    ],
)
def test_bad_bytes_are_refused(data: bytes, code: ErrorCode) -> None:
    assert refusal(data) is code


def test_the_deepest_value_comes_back() -> None:
    assert unpack(pack(nested(64)), FROM_CLIENT) == nested(64)


@pytest.mark.parametrize(
    "ref", [[b"short", "float64", [1]], [bytes(32), 1, [1]], [bytes(32), "float64", [-1]], [bytes(32), "float64"], 7]
)
def test_malformed_array_references_are_refused(ref: Any) -> None:
    assert refusal(msgpack.packb(msgpack.ExtType(1, msgpack.packb(ref)))) is ErrorCode.BAD_FRAME


def test_too_large_has_a_close_code_of_its_own() -> None:
    with pytest.raises(ProtocolError) as caught:
        unpack(bytes(2_000_000), FROM_CLIENT)
    assert caught.value.close_code is CloseCode.TOO_LARGE


EMPTY_LISTS = 1_000_000
AMPLIFYING = {
    "flat": b"\xdd" + EMPTY_LISTS.to_bytes(4, "big") + b"\x90" * EMPTY_LISTS,
    "in twenty lists": b"\x9f\x90\x90\x90\x90\x90" + (b"\xdc\xff\x00" + b"\x90" * 0xFF00) * 10,
    "each list the last item of another": (b"\xdc\xff\x01" + b"\x90" * 0xFF00) * 15 + b"\x90",
    "headers that promise more than there is": b"\xdd\x00\x01\x86\x9f" * 1000,
    "one header that does": b"\xdd\xff\xff\xff\xff" + b"\x90" * 1000,
    "map header that does": b"\xdf\xff\xff\xff\xff" + b"\xa1a\x90" * 1000,
    "scalars": b"\xdd" + EMPTY_LISTS.to_bytes(4, "big") + b"\x01" * EMPTY_LISTS,
    "maps": b"\xdd" + EMPTY_LISTS.to_bytes(4, "big") + b"\x80" * EMPTY_LISTS,
}


@pytest.mark.parametrize("data", AMPLIFYING.values(), ids=AMPLIFYING.keys())
def test_a_small_frame_cannot_make_a_large_heap(data: bytes) -> None:
    tracemalloc.start()
    try:
        code = refusal(data)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert code in (ErrorCode.TOO_LARGE, ErrorCode.BAD_FRAME)
    assert peak < 16 * 2**20


def test_as_many_elements_as_are_allowed_pass_and_one_more_does_not() -> None:
    limits = Limits(max_elements=1000)
    value = [[0] * 498, [0] * 497]  # 997 items and three lists
    assert unpack(pack(value), limits) == value
    assert refusal(pack([[0] * 498, [0] * 498]), limits) is ErrorCode.TOO_LARGE
    assert refusal(pack([0] * 1001), limits) is ErrorCode.TOO_LARGE


# --- patches as bytes


@pytest.mark.parametrize(
    "payload",
    [
        [],
        7,
        [7],
        [None],
        [{}, 7],
        [{}, [7]],
        [[1]],  # a start without a length
        [[1, [2]]],
        [[-1, 2]],
        [[True, 2]],
        [[], [1]],
        [[], [-1, 5]],
        [[], ["a", 5]],
        [[], 7],
    ],
)
def test_malformed_patches_are_refused(payload: Any) -> None:
    with pytest.raises(ProtocolError) as caught:
        unpack_patch(msgpack.packb(msgpack.ExtType(2, msgpack.packb(payload))))
    assert caught.value.code is ErrorCode.BAD_FRAME


@pytest.mark.parametrize(
    "patch",
    [
        MapEdit({"a": [MapEdit({})]}),  # inside a value
        MapEdit({"a": {"b": ListEdit()}}),
        ListEdit([[MapEdit({})]]),  # among new items
        ListEdit([], [0, [MapEdit({})]]),
    ],
)
def test_a_patch_inside_a_value_is_refused(patch: Any) -> None:
    with pytest.raises(ProtocolError) as caught:
        unpack_patch(pack(patch))
    assert caught.value.code is ErrorCode.BAD_FRAME


@pytest.mark.parametrize("inner", [b"\x81\x01\x02", b"\x81\xc4\x01a\x02", b"\xcf" + b"\xff" * 8, b"\xd4\x05\x00"])
def test_what_is_no_wire_value_is_refused_inside_a_patch(inner: bytes) -> None:
    payload = b"\x91\x81\xa1k" + inner
    with pytest.raises(ProtocolError) as caught:
        unpack_patch(msgpack.packb(msgpack.ExtType(2, payload)))
    assert caught.value.code is ErrorCode.BAD_FRAME


def test_patches_nest_as_deeply_as_values_and_no_deeper() -> None:
    def chain(depth: int) -> Any:
        patch: Any = 0
        for _ in range(depth):
            patch = MapEdit({"a": patch})
        return patch

    assert pack(unpack_patch(pack(chain(64)))) == pack(chain(64))
    for depth in (65, 300):
        with pytest.raises(ProtocolError) as caught:
            unpack_patch(pack(chain(depth)))
        assert caught.value.code is ErrorCode.TOO_LARGE


def test_the_elements_of_all_patches_of_a_frame_are_counted_together() -> None:
    patch = MapEdit({f"k{index}": MapEdit({"a": [0] * 50}) for index in range(30)})
    assert pack(unpack_patch(pack(patch), Limits(max_elements=2000))) == pack(patch)
    with pytest.raises(ProtocolError) as caught:
        unpack_patch(pack(patch), Limits(max_elements=1500))
    assert caught.value.code is ErrorCode.TOO_LARGE
