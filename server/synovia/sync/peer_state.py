"""What a hub knows of one of its clients, for whoever runs it."""

from __future__ import annotations

from dataclasses import dataclass

from synovia.identity import Identity


@dataclass(frozen=True, slots=True)
class PeerState:
    """A client that is connected.

    Attributes:
        protocol: ``synovia`` or ``convex``.
        identity: Who it is signed in as.
        holds: How many queries.
        ts: As of which instant; None: that is not counted.
        busy: Whether a request of it runs.
        waiting_bytes: Of answers that wait for their instant.
    """

    protocol: str
    identity: Identity | None
    holds: int
    ts: int | None
    busy: bool
    waiting_bytes: int
