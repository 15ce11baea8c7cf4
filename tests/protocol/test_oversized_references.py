from __future__ import annotations

import msgpack
import pytest

from synovia_protocol.codec import FROM_CLIENT, unpack
from synovia_protocol.errors import BadFrame
from synovia_protocol.messages import ArrayRef
from synovia_protocol.values import EXT_ARRAY_REF


def packed(dtype: str, shape: list[int]) -> bytes:
    payload = msgpack.packb((b"d" * 32, dtype, shape))
    data: bytes = msgpack.packb(msgpack.ExtType(EXT_ARRAY_REF, payload))
    return data


@pytest.mark.parametrize(("dtype", "shape"), [("float64", [1] * 90_000), ("x" * 2_000, [1])])
def test_a_reference_that_would_fill_the_memory_of_references_is_refused(dtype: str, shape: list[int]) -> None:
    with pytest.raises(BadFrame, match="an array reference of"):
        unpack(packed(dtype, shape), FROM_CLIENT)


def test_a_reference_with_as_many_axes_as_numpy_has_is_read() -> None:
    shape = [2**62] + [1] * 63
    assert unpack(packed("float64", shape), FROM_CLIENT) == ArrayRef(b"d" * 32, "float64", shape)
