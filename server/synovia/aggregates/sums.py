"""The number of some documents and exact sums of their fields, as a database keeps them for many documents at once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from synovia.aggregates.totals import Total, is_number

Kept = Mapping[str, Any]
"""As a document has it: integers, texts and lists of these."""


@dataclass(frozen=True, slots=True)
class Sums:
    """What documents come to. Differences of them are so, too: their counts may be negative.

    Attributes:
        count: How many documents.
        totals: The sum of each field that is added up.
    """

    count: int
    totals: tuple[Total, ...]

    @classmethod
    def none(cls, fields: int) -> Sums:
        """Give the sums of no documents.

        Args:
            fields: How many fields are added up.
        """
        return cls(0, (Total(),) * fields)

    def moved(self, values: Sequence[Any], times: int) -> Sums:
        """Add a document by the values of its fields, or take one away (``times`` is -1)."""
        totals = zip(self.totals, values, strict=True)
        moved = (total.moved(value, times) if is_number(value) else total for total, value in totals)
        return Sums(self.count + times, tuple(moved))

    def __add__(self, other: Sums) -> Sums:
        totals = zip(self.totals, other.totals, strict=True)
        return Sums(self.count + other.count, tuple(mine + its for mine, its in totals))

    def __sub__(self, other: Sums) -> Sums:
        totals = zip(self.totals, other.totals, strict=True)
        return Sums(self.count - other.count, tuple(mine - its for mine, its in totals))

    def kept(self) -> dict[str, Any]:
        """Give what a database keeps of it."""
        return {"count": self.count, "totals": [_kept(total) for total in self.totals]}

    @classmethod
    def read(cls, kept: Kept) -> Sums:
        """Read what ``kept`` gave."""
        return cls(kept["count"], tuple(_total(each) for each in kept["totals"]))


def added(sums: Iterable[Sums], fields: int) -> Sums:
    """Add up sums."""
    found = Sums.none(fields)
    for each in sums:
        found += each
    return found


def _kept(total: Total) -> list[Any]:
    """Write a sum without the zeros at the end of its many bits."""
    zeros = (total.finite & -total.finite).bit_length() - 1 if total.finite else 0
    return [total.count, f"{total.finite >> zeros:x}", zeros, total.nans, total.rises, total.falls]


def _total(kept: Sequence[Any]) -> Total:
    count, digits, zeros, nans, rises, falls = kept
    return Total(count, int(digits, 16) << zeros, nans, rises, falls)
