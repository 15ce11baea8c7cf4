"""What the conversations of one hub work with."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

from synovia.identity import Authenticator
from synovia.limits.settings import HubLimits
from synovia.presence.rooms import Rooms
from synovia.store.base import ArraySource, ArrayStore
from synovia.sync.ports import Engine
from synovia.sync.running import RunningRequests
from synovia.sync.transitions import TransitionCache

Joining = Callable[[str | None], AbstractContextManager[object]]


@dataclass(frozen=True, slots=True)
class HubContext:
    """Given to each conversation.

    Attributes:
        arrays: Where samples are stored.
        read_arrays: The same, through a cache.
        clock: Tells the time of day in seconds since 1970, by which sign-ins expire.
        transitions: What was encoded for one client and serves others.
        rooms: In which clients are present.
        joining: Has what takes place in a block be part of the trace that a client names.
    """

    engine: Engine
    arrays: ArrayStore
    read_arrays: ArraySource
    authenticator: Authenticator
    limits: HubLimits
    clock: Callable[[], float]
    transitions: TransitionCache
    requests: RunningRequests
    rooms: Rooms
    joining: Joining = nullcontext
