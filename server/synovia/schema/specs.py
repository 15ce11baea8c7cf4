"""Tables as the database knows them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from synovia.keys import IndexSpec

Document = dict[str, Any]
"""A document as the database holds it: BSON values, field names as on the wire, ``_id`` first."""


@dataclass(frozen=True, slots=True)
class TableSpec:
    """A table and its indexes; the index ``by_id`` always exists and is not listed."""

    name: str
    indexes: tuple[IndexSpec, ...] = ()

    @property
    def system(self) -> bool:
        """Whether Synovia itself keeps it."""
        return self.name.startswith("_")
