"""An index as keys know it: its fields, and the direction in which it is read."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple


class Order(StrEnum):
    """The direction of a scan over an index."""

    ASC = "asc"
    DESC = "desc"


class IndexSpec(NamedTuple):
    """A declared index: ascending over ``fields`` (database names, dots reach into maps), then over ``_id``.

    A field that holds an array makes one entry for each distinct element; at most one field of an index may. The index
    without fields is the table itself in the order of ``_id``.

    Attributes:
        defaults: What a document counts with that lacks a field: for each field, and each name on the way to it, the
            encoded value; None counts as null. Empty if that is so of all fields.
    """

    name: str
    fields: tuple[str, ...] = ()
    unique: bool = False
    defaults: tuple[tuple[bytes | None, ...], ...] = ()

    @property
    def plain(self) -> IndexSpec:
        """The same index as a database keeps it that knows of no defaults."""
        return self._replace(defaults=()) if self.defaults else self


BY_ID = IndexSpec("by_id")
