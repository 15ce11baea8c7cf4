# Written by `synovia codegen`, which overwrites it: change the application instead.
# ruff: noqa
# fmt: off
"""Calls of the functions in shop/orders/new."""

from __future__ import annotations

import builtins
from synovia_client import MutationCall, QueryCall, UNSET, Unset
from ..._types import Part, ThingId


def create(*, thing_id: ThingId, how_many: int | Unset = UNSET) -> MutationCall[builtins.list[ThingId]]:
    return MutationCall("shop/orders/new:create", {"thingId": thing_id, "howMany": how_many})


def list(*, owner: ThingId) -> QueryCall[builtins.list[Part]]:
    return QueryCall("shop/orders/new:list", {"owner": owner})
