"""One database that is opened again and again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from synovia.store.base import Store


@dataclass(frozen=True)
class Reopened:
    """Makes stores over one and the same database.

    Attributes:
        alone: Only one of them can be open.
    """

    store: Callable[[], Store]
    alone: bool
