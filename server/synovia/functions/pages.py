"""Pages of a longer list, and where they ended when a query first ran."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, Generic, Literal, TypeVar

import msgpack
from pydantic import Field

from synovia.errors import BadCursor
from synovia.schema import Model

I = TypeVar("I")  # noqa: E741 (an item)

MAX_PAGE_SIZE = 1_000
END: Final = b""
"""Stands in a journal for the end of the list: such a page takes in whatever is added there."""


END_CURSOR: Final = "_end"
"""The same as a cursor, for clients that need one also when there is nothing more."""


class Page(Model, Generic[I]):
    """Some items of a longer list; ``next_cursor`` leads to the following ones, None says that there are none.

    Attributes:
        split_cursor: Where the page may be cut into two; only if it was asked for by ``PaginationOptions``.
        page_status: Whether it should be, likewise: ``SplitRequired`` says that ``items`` are not all of the page.
    """

    items: list[I]
    next_cursor: str | None = Field(default=None)
    split_cursor: str | None = Field(default=None)
    page_status: Literal["SplitRecommended", "SplitRequired"] | None = Field(default=None)


class PaginationOptions(Model):
    """What ``usePaginatedQuery`` of Convex asks for: an argument ``pagination_opts`` that is handed to ``paginate``.

    Attributes:
        num_items: How many documents the page has when it is first read; ``MAX_PAGE_SIZE`` at most are.
        cursor: Where it begins; None: at the beginning of the list.
        end_cursor: Where it ends, instead of after ``num_items``.
        maximum_rows_read: The page ends after so many documents at most.
        id: Tells the pages of several lists of one client apart.
    """

    num_items: int = Field(ge=1)
    cursor: str | None = None
    end_cursor: str | None = None
    maximum_rows_read: int | None = Field(default=None, ge=1)
    id: float | None = None


class Journal:
    """Where each page of a query ended when it first ran, so that a rerun gives the same stretch of the list.

    Pages that stay where they are neither overlap nor leave a gap when rows come and go (Convex calls it query journal).
    """

    def __init__(self, ends: Iterable[bytes | None] = ()) -> None:
        self._given = list(ends)
        self.ends: list[bytes | None] = []

    @classmethod
    def of(cls, packed: bytes | None) -> Journal:
        """Read a journal that a client has kept; it may hold anything.

        Raises:
            BadCursor: It was not made by this server.
        """
        try:
            ends = [] if packed is None else msgpack.unpackb(packed)
        except ValueError:
            ends = None
        if not isinstance(ends, list) or not all(end is None or isinstance(end, bytes) for end in ends):
            raise BadCursor("this journal was not made by this server")
        return cls(ends)

    def pack(self) -> bytes | None:
        """Encode where the pages ended; None if none was read."""
        packed: bytes | None = msgpack.packb(self.ends) if self.ends else None
        return packed

    def next_end(self) -> bytes | None:
        """Tell where the next page to be read ended the first time; None if it had no end or is read for the first time."""
        place = len(self.ends)
        return self._given[place] if place < len(self._given) else None

    def note(self, end: bytes | None) -> None:
        self.ends.append(end)
