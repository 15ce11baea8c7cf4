"""What the conversations with Convex clients work with."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field

from synovia.convex.functions import ConvexFunctions
from synovia.convex.results import ResultCache
from synovia.sync.context import HubContext
from synovia.sync.ports import Ts

MOST_COMMITS = 10_000


class CommitTimes:
    """When the last mutations were committed: a request that comes again is told the same instant, as by its record the
    same result. Another hub, and one that was started again, tells a later one."""

    def __init__(self) -> None:
        self._known: OrderedDict[tuple[bytes, int], Ts] = OrderedDict()

    def first(self, session: bytes, number: int, ts: Ts) -> Ts:
        """Give the instant that was told first of a request, which is ``ts`` if none was."""
        known = self._known.setdefault((session, number), ts)
        if len(self._known) > MOST_COMMITS:
            self._known.popitem(last=False)
        return known


@dataclass(frozen=True, slots=True)
class ConvexContext:
    """Given to each conversation.

    Attributes:
        hub: What all conversations of the hub have.
        functions: The application's functions by the paths that Convex clients use.
        results: What was written for one client and serves others.
        commits: When mutations were committed that may be sent again.
    """

    hub: HubContext
    functions: ConvexFunctions
    commits: CommitTimes = field(default_factory=CommitTimes)
    results: ResultCache = field(default_factory=ResultCache)
