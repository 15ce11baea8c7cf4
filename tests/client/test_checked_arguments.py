"""What a call takes along of its arguments is what the server will read of them, and no change that comes later."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers.wire_strategies import arguments, keys, scalars
from synovia_client.arguments import checked
from synovia_client.errors import FunctionError
from synovia_protocol.codec import pack, unpack


@given(st.one_of(arguments, st.dictionaries(keys, scalars, max_size=4)))
def test_what_is_taken_along_is_what_will_be_read(args: dict[str, Any]) -> None:
    taken, before = checked("m:f", args), copy.deepcopy(args)
    read = unpack(pack(before))
    assert repr(taken) == repr(read)
    for value in args.values():
        if isinstance(value, list | dict):
            value.clear()
    args["another"] = 1
    assert repr(taken) == repr(read)


@pytest.mark.parametrize("args", [{"x": 1 << 64}, {"x": object()}, {1: 2}, {"x": "y" * 1_000}, {"x": ["y" * 1_000]}])
def test_what_cannot_be_sent_is_refused(args: Any) -> None:
    with pytest.raises(FunctionError) as refused:
        checked("m:f", args, max_message_bytes=1_000)
    assert refused.value.code == ("too_large" if len(repr(args)) > 1_000 else "invalid_arguments")
