"""What the engine needs of other hubs on the same database: to have a mutation run by one of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from synovia.engine.outcomes import Outcome
from synovia.functions.access import CallOrigin
from synovia.identity import Identity


@dataclass(slots=True)  # frozen ones take five times as long to make, and there are many for each mutation
class MutationCall:
    """A mutation as ``Engine.mutate`` was asked for it; it has a name already.

    Attributes:
        cause: Who causes what it schedules (``charges.cause``).
    """

    path: str
    args: Mapping[str, Any]
    identity: Identity | None
    session: bytes
    number: int
    retry: bool = False
    issued_at: int | None = None
    mark: bytes = b""
    origin: CallOrigin = CallOrigin.CLIENT
    cause: str | None = None


class NotForwarded(Exception):
    """Another hub has not answered.

    Attributes:
        sent: It may have the mutation all the same, and commit it.
    """

    def __init__(self, reason: str, *, sent: bool) -> None:
        super().__init__(reason)
        self.sent = sent


class Peers(Protocol):
    """Other hubs.

    Attributes:
        mark: How others find this hub; each of its commits says it.
        counters: Mutations that were ``forwarded``, and ``received`` from others; ``returned``: forwarded in vain.
    """

    counters: Counter[str]

    @property
    def mark(self) -> bytes: ...

    def heard(self, mark: bytes) -> None:
        """Take notice of a hub that has committed."""
        ...

    def overtaken(self, path: str) -> None:
        """Take notice that another hub's commit has overtaken a run of a function."""
        ...

    def leads(self, path: str) -> bool:
        """Tell whether another hub should run a function, and can be asked to."""
        ...

    async def forward(self, call: MutationCall) -> Outcome:
        """Have another hub run a mutation.

        Raises:
            NotForwarded: It has to be run here.
        """
        ...


class NoPeers:
    """A hub that knows no other."""

    mark = b""

    def __init__(self) -> None:
        self.counters: Counter[str] = Counter()

    def heard(self, mark: bytes) -> None:
        pass

    def overtaken(self, path: str) -> None:
        pass

    def leads(self, path: str) -> bool:
        return False

    async def forward(self, call: MutationCall) -> Outcome:
        raise NotForwarded("there is no other hub", sent=False)
