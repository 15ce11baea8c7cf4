"""What the hub asks of the engine: the interface it is written, and tested, against."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any, Protocol

from synovia.functions.log_lines import LogLine
from synovia.identity import SERVER, Account, Identity
from synovia_protocol.errors import ErrorInfo

Ts = int


class Version(Protocol):
    """A result that a live query had from ``since`` on, until its next version."""

    @property
    def packed(self) -> bytes | None:
        """The whole result, packed; None if only the patches that lead on from it are kept."""
        ...

    @property
    def error(self) -> ErrorInfo | None: ...

    @property
    def journal(self) -> bytes | None: ...

    @property
    def log_lines(self) -> tuple[LogLine, ...]: ...

    @property
    def size(self) -> int:
        """The bytes that it keeps in memory, roughly."""
        ...

    def digest(self) -> bytes: ...


class LiveQuery(Protocol):
    """One function with its arguments, kept up to date for all who subscribe to it."""

    @property
    def loaded(self) -> bool:
        """Whether there is a first version."""
        ...

    @property
    def weight(self) -> int:
        """As how many subscriptions one to it counts: more than one if its arguments are large."""
        ...

    def wire_arguments(self) -> dict[str, Any]:
        """Give the arguments as they were asked with."""
        ...

    def known_through(self, head: Ts) -> Ts:
        """Tell the newest ts, up to ``head``, at which the result is known."""
        ...

    def newest(self, head: Ts) -> tuple[Ts, Version | None]:
        """Give the newest ts up to ``head`` at which the result is known, and the version there, if it is kept."""
        ...

    @property
    def newest_since(self) -> Ts:
        """Since when the newest version is known without a break; nothing is known of the instants just before."""
        ...

    def version_at(self, ts: Ts) -> Version | None:
        """Give the version as of ``ts``; None if it is not kept any more, or was never known."""
        ...

    def past(self, ts: Ts) -> Version | None:
        """As ``version_at``; also what ``Engine.look_back`` has found."""
        ...

    def patches(self, old: Any, new: Any) -> list[bytes] | None:
        """Give packed patches from the version ``old`` to ``new``; None: send the whole value."""
        ...

    @property
    def has_room(self) -> bool:
        """Whether clients may be present in it, and see each other."""
        ...

    def shows(self, digest: bytes) -> bool:
        """Tell whether the newest result has a reference to this array."""
        ...


class Outcome(Protocol):
    """How a function call ended; ``ts`` is None if nothing was committed."""

    @property
    def ts(self) -> Ts | None: ...

    @property
    def packed(self) -> bytes | None: ...

    @property
    def error(self) -> ErrorInfo | None: ...

    @property
    def arrays(self) -> frozenset[bytes]: ...

    @property
    def log_lines(self) -> tuple[LogLine, ...]: ...

    @property
    def unknown(self) -> bool:
        """Whether nobody knows if a mutation was committed; only the same request again can tell."""
        ...


class Floor(Protocol):
    """The instant that an answer must not be older than."""

    def reached(self, ts: Ts) -> bool:
        """Tell whether what holds at ``ts`` is recent enough; False while that is not known."""
        ...


class Engine(Protocol):
    """The part of the engine that connections use."""

    @property
    def head(self) -> Ts: ...

    @property
    def dirty(self) -> Collection[LiveQuery]:
        """The live queries somebody holds whose newest result is not known to hold up to the head."""
        ...

    def floor(self, notify: Callable[[], None]) -> Floor:
        """Give the floor of what is asked for now: everything that was acknowledged before."""
        ...

    async def wait_until_current(self, live: Any) -> None:
        """Wait until the newest result of a live query holds everything that was acknowledged before this call."""
        ...

    def subscribe(
        self,
        subscriber: Any,
        path: str,
        args: dict[str, Any],
        identity: Identity | None,
        journal: bytes | None = None,
        account: Account = SERVER,
        anew: bool = False,
    ) -> LiveQuery: ...

    def look_back(self, live: Any, ts: Ts) -> bool:
        """Begin to find the result as of an instant from before this hub followed it; tell whether to wait for it."""
        ...

    def unsubscribe(self, subscriber: Any, live: Any) -> None: ...

    async def mutate(
        self,
        path: str,
        args: dict[str, Any],
        identity: Identity | None,
        *,
        session: bytes | None = None,
        number: int | None = None,
        retry: bool = False,
        issued_at: int | None = None,
        committing: Callable[[], None] | None = None,
    ) -> Outcome: ...

    async def run_action(
        self, path: str, args: dict[str, Any], identity: Identity | None, *, account: Account = SERVER
    ) -> Outcome: ...

    async def wait_for(self, ts: Ts) -> None: ...
