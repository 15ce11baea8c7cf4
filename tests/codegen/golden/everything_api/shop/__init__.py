# Written by `synovia codegen`, which overwrites it: change the application instead.
# ruff: noqa
# fmt: off
"""Calls of the functions in shop."""

from __future__ import annotations

from synovia_client import QueryCall
from . import orders as orders


def count() -> QueryCall[int]:
    """Count what is in the shop."""
    return QueryCall("shop:count", {})
