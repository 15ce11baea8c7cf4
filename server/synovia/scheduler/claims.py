"""An action on its way: where it runs, since when it is ours, and how it has ended."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

from synovia.scheduler.due import Due
from synovia.scheduler.due_calls import DueCall
from synovia.scheduler.transitions import Claim
from synovia.store.base import Ts
from synovia_protocol.errors import ErrorInfo


class Claimed(NamedTuple):
    """An action that is ours to run since a commit."""

    claim: Claim
    since: Ts


@dataclass(slots=True)
class Place:
    """A place in a lane, where what is to be done there is found, and what has been claimed to follow."""

    due: Due
    lane: str
    following: tuple[DueCall, Claimed] | None = None


class Finish(NamedTuple):
    """How an attempt at an action has ended."""

    id_: str
    attempt: int
    error: ErrorInfo | None
    result: Any
