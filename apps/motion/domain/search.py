"""Finding users by the beginning of their address, their name or their last name, page by page, through indexes."""

from __future__ import annotations

from typing import NamedTuple

from motion.domain.people import folded
from motion.schema import User
from synovia import BadCursor, Page, Query, between, normal_email

_LAST = "\U0010ffff"


class _Place(NamedTuple):
    """An index to look in, the field it is over, and what that has to begin with."""

    by: str
    field: str
    start: str

    def has(self, user: User) -> bool:
        return bool(self.start) and (getattr(user, self.field) or "").startswith(self.start)


async def search_users(users: Query[User], text: str, cursor: str | None, limit: int) -> Page[User]:
    """Give the next users, first those found by their address, then those by name; each comes once.

    Raises:
        BadCursor: The cursor is not one of a search.
    """
    name = folded(text)
    places = [
        _Place("by_email", "email", normal_email(text)),
        _Place("by_name", "name_key", name),
        _Place("by_last_name", "last_name_key", name),
    ]
    at, inner = _read(cursor, len(places))
    items: list[User] = []
    while at < len(places) and len(items) < limit:
        by, field, start = places[at]
        if start:
            found = users.using(by, **{field: between(start, start + _LAST)})
            page = await found.paginate(inner, limit - len(items))
            items += [user for user in page.items if not any(earlier.has(user) for earlier in places[:at])]
            if page.next_cursor is not None:
                return Page(items=items, next_cursor=f"{at}:{page.next_cursor}")
        at, inner = at + 1, None
    return Page(items=items, next_cursor=f"{at}:" if at < len(places) else None)


def _read(cursor: str | None, places: int) -> tuple[int, str | None]:
    if cursor is None:
        return 0, None
    at, separator, inner = cursor.partition(":")
    if not separator or at not in map(str, range(places)):
        raise BadCursor("this cursor is not one of a search")
    return int(at), inner or None
