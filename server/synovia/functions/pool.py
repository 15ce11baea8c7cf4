"""``Pool``: actions that wait in a line of their own, and so many of which run at the same time."""

from __future__ import annotations

import re

from synovia.errors import SchemaError

MOST_PARALLEL = 10_000
_NAME = re.compile(r"[a-z][a-z0-9_-]{0,62}")


class Pool:
    """A line of its own for scheduled actions that name it, as ``@action(pool="pictures")``.

    What waits in one pool holds up nobody in another, nor the actions without a pool.

    Args:
        name: Lower case letters, digits, ``_`` and ``-``.
        parallelism: How many of its actions run at the same time, at each hub; a hub's settings may say another number.
        across_hubs: Whether that is for all hubs of a database together, as for a service that takes so many requests at
            once; each action then costs a look at those that run.

    Raises:
        SchemaError: One of these cannot be.
    """

    def __init__(self, name: str, *, parallelism: int, across_hubs: bool = False) -> None:
        if not isinstance(name, str) or _NAME.fullmatch(name) is None:
            raise SchemaError(f"a pool is named in lower case letters, digits, _ and -, not {name!r}")
        if type(parallelism) is not int or not 1 <= parallelism <= MOST_PARALLEL:
            raise SchemaError(f"pool {name!r}: parallelism is 1 to {MOST_PARALLEL}")
        self.name = name
        self.parallelism = parallelism
        self.across_hubs = across_hubs

    def __repr__(self) -> str:
        across = ", across_hubs=True" if self.across_hubs else ""
        return f"Pool({self.name!r}, parallelism={self.parallelism}{across})"
