"""What the conversations with Convex clients work with."""

from __future__ import annotations

from dataclasses import dataclass, field

from synovia.convex.functions import ConvexFunctions
from synovia.convex.results import ResultCache
from synovia.sync.context import HubContext


@dataclass(frozen=True, slots=True)
class ConvexContext:
    """Given to each conversation.

    Attributes:
        hub: What all conversations of the hub have.
        functions: The application's functions by the paths that Convex clients use.
        results: What was written for one client and serves others.
        show_logs: Whether clients are sent what functions log.
    """

    hub: HubContext
    functions: ConvexFunctions
    show_logs: bool = False
    results: ResultCache = field(default_factory=ResultCache)
