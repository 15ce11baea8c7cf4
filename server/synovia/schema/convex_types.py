"""What Python's types do not say and a Convex client has to be told; every other client sees the same as without."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Final, Literal, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class ConvexMark:
    """Stands in an annotation; pydantic passes it over.

    Attributes:
        kind: ``int64``: a Convex client is sent a bigint, not a number. ``null``: None is sent as null, where a field that
            is None is otherwise left out. ``raw``: any Convex value, whose ints are bigints and whose floats are numbers.
    """

    kind: Literal["int64", "null", "raw"]


INT64: Final = ConvexMark("int64")
NULL: Final = ConvexMark("null")
RAW: Final = ConvexMark("raw")

Int64 = Annotated[int, INT64]
"""An integer that Convex clients have as a bigint (``v.int64()``). Every other int is a number to them."""

Nullable = Annotated[T | None, NULL]
"""``Nullable[str]``: a field that Convex clients are sent as null while it is None (``v.union(v.string(), v.null())``)."""

ConvexValue = Annotated[Any, RAW]
"""Any Convex value (``v.any()``), kept apart as Convex clients do: a float is a number, an int is a bigint."""


class ConvexInt64(int):
    """An int that a Convex client has sent as a bigint, or is to be sent as one where no annotation says so."""
