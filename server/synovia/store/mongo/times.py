"""Timestamps as integers and as BSON, and the time inside a resume token."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bson import Timestamp

from synovia.store.base import Ts


def timestamp(ts: Ts) -> Timestamp:
    return Timestamp(ts >> 32, ts & 0xFFFFFFFF)


def ts_of(time: Timestamp) -> Ts:
    return time.time << 32 | time.inc


def token_ts(token: Mapping[str, Any] | None) -> Ts | None:
    """Read the cluster time at the head of a resume token: ``82`` (the type), then eight bytes; None if it is not there.

    Every version since 4.0 writes tokens so. If one day they differ, only the idle clock stops.
    """
    data = token.get("_data") if token else None
    if not isinstance(data, str) or not data.startswith("82") or len(data) < 18:
        return None
    try:
        return int(data[2:18], 16)
    except ValueError:
        return None
