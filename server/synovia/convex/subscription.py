"""One query that a Convex client follows: what it has been told of it last."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

from synovia.convex.functions import ConvexFunction
from synovia.convex.messages import Result
from synovia.engine.live_query import weight_of
from synovia.sync.ports import Floor, LiveQuery, Ts, Version
from synovia_protocol import codec
from synovia_protocol.errors import ErrorInfo


class Refusal:
    """Stands for the live query that there is none of: the same error at every instant.

    Args:
        args: What was asked with; kept packed.
    """

    loaded = True

    def __init__(self, error: ErrorInfo, args: dict[str, object]) -> None:
        self._version = RefusalVersion(error)
        self._args = codec.pack(args)
        self.weight = weight_of(len(self._args))

    def wire_arguments(self) -> dict[str, Any]:
        """Give the arguments as they were asked with."""
        args: dict[str, Any] = codec.unpack_own(self._args)
        return args

    def known_through(self, head: Ts) -> Ts:
        """Tell that it is known."""
        return head

    def version_at(self, ts: Ts) -> Version | None:
        """Give the error."""
        return self._version


class RefusalVersion:
    """The version of a ``Refusal``."""

    packed = None
    journal = None
    log_lines = ()
    size = 0

    def __init__(self, error: ErrorInfo) -> None:
        self.error = error

    def digest(self) -> bytes:
        """Give the digest of an error."""
        return b""


class ConvexSubscription:
    """The engine's subscriber for one query of one client.

    Attributes:
        function: None if there is no such function.
        since: The version of the query set that it came with.
        live: What answers it; set right after the engine has given it.
        version: What the client has been told last; None: nothing.
        result: The same as it was told.
        journal: Where the pages of the query end for this client, as the client keeps it.
    """

    __slots__ = ("floor", "function", "journal", "live", "notify", "query_id", "result", "since", "version")

    live: LiveQuery | Refusal

    def __init__(
        self,
        query_id: int,
        since: int,
        function: ConvexFunction | None,
        journal: bytes | None,
        notify: Callable[[], None],
    ) -> None:
        self.query_id = query_id
        self.since = since
        self.function = function
        self.journal = journal
        self.notify = notify
        self.floor: Floor | None = None
        self.version: Version | None = None
        self.result: Result | None = None

    def replaced(self, old: LiveQuery, new: LiveQuery) -> None:
        """Follow the engine, which has split a shared query by caller."""
        self.live = new
        self.notify()

    def known_through(self, ts: Ts) -> Ts | None:
        """Tell the newest instant, up to ``ts``, at which there is an answer; None: there is none yet."""
        return self.live.known_through(ts) if self.live.loaded else None

    def is_fresh(self, ts: Ts) -> bool:
        """Tell whether what holds at ``ts`` answers what was asked: it has all that was acknowledged before."""
        return self.floor is None or self.floor.reached(ts)

    def told(self, version: Version, result: Result) -> None:
        """Note what the client is being told."""
        self.version, self.result, self.floor = version, result, None
        if version.journal is not None:
            self.journal = version.journal

    @property
    def journal_text(self) -> str | None:
        """The journal as it travels."""
        return None if self.journal is None else base64.b64encode(self.journal).decode()
