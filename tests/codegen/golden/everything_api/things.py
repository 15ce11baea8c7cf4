# Written by `synovia codegen`, which overwrites it: change the application instead.
# ruff: noqa
# fmt: off
"""Calls of the functions in things."""

from __future__ import annotations

import builtins
import datetime
import numpy as np
from numpy.typing import NDArray
from synovia_client import ArrayRef, MutationCall, QueryCall, StoredFile, UNSET, Unset, UploadId
from typing import Any, Literal
from ._types import Cat, CatInput, Dog, DogInput, Page, Pair, PartInput, PlainInput, Thing, ThingId


def animals(*, kept: builtins.list[CatInput | DogInput]) -> QueryCall[dict[str, Cat | Dog]]:
    return QueryCall("things:animals", {"kept": kept})


def colors() -> QueryCall[builtins.list[Literal['red', 'dark blue'] | int]]:
    return QueryCall("things:colors", {})


def get(*, thing_id: ThingId) -> QueryCall[Thing | None]:
    """Read one.

    Args:
        thing_id: Which one; over
            two lines.

    Returns:
        None if there is none.
    """
    return QueryCall("things:get", {"thingId": thing_id})


def keep_file(*, scan: UploadId, more: UploadId | None | Unset = UNSET) -> MutationCall[StoredFile]:
    """Take a file."""
    return MutationCall("things:keep_file", {"scan": scan, "more": more})


def list(*, limit: int | Unset = UNSET) -> QueryCall[builtins.list[Thing]]:
    return QueryCall("things:list", {"limit": limit})


def nothing_needed() -> QueryCall[None]:
    """Take nothing, give nothing."""
    return QueryCall("things:nothing_needed", {})


def page(*, cursor: str | None | Unset = UNSET, limit: int | Unset = UNSET) -> QueryCall[Page[Thing]]:
    return QueryCall("things:page", {"cursor": cursor, "limit": limit})


def pairs() -> QueryCall[Pair[int, Pair[str, Cat | Dog]]]:
    return QueryCall("things:pairs", {})


def save(
    *,
    flag: bool,
    big: int,
    ratio: float,
    raw: bytes,
    at: datetime.datetime,
    role: Literal['reader', 'writer'],
    series: NDArray[np.float64] | ArrayRef,
    pictures: builtins.list[NDArray[Any] | ArrayRef],
    parts: builtins.list[PartInput],
    table: dict[str, builtins.list[int | None]],
    plain: PlainInput | None | Unset = UNSET,
    anything: Any | Unset = UNSET,
) -> MutationCall[ThingId]:
    """Save a thing."""
    return MutationCall(
        "things:save",
        {
            "flag": flag,
            "big": big,
            "ratio": ratio,
            "raw": raw,
            "at": at,
            "role": role,
            "series": series,
            "pictures": pictures,
            "parts": parts,
            "table": table,
            "plain": plain,
            "anything": anything,
        },
    )
