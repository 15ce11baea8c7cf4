"""Where the hubs of a database are reached by each other, as the database says it."""

from __future__ import annotations

from synovia.schema import Table


class KnownHub(Table, name="_hubs", system=True):
    """A hub that runs, or has ended without saying so.

    Attributes:
        mark: Its name, new each time that it starts, and where it listens for others.
    """

    mark: bytes
