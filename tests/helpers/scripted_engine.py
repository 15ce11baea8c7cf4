"""An engine whose live queries do what a test says: the orders of events that a real one only rarely takes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from synovia.engine.freshness import Floor
from synovia.errors import NotFound
from synovia.functions.log_lines import LogLine
from synovia.identity import SERVER, Account, Identity
from synovia.sync.ports import Outcome
from synovia_protocol import codec, patch
from synovia_protocol.digest import digest
from synovia_protocol.errors import ErrorInfo


@dataclass(eq=False)
class ScriptedVersion:
    since: int
    value: Any = None
    error: ErrorInfo | None = None
    journal: bytes | None = None
    kept: bool = True
    log_lines: tuple[LogLine, ...] = ()

    @property
    def packed(self) -> bytes | None:
        return codec.pack(self.value) if self.kept and self.error is None else None

    @property
    def size(self) -> int:
        return len(self.packed or b"")

    def digest(self) -> bytes:
        return b"" if self.error else digest(self.value)


@dataclass(eq=False)
class ScriptedLive:
    """A live query: versions by hand, and how far it is known; ``behind`` None: up to the head.

    ``gaps`` are the instants ``[from, to)`` at which the result was never known.
    """

    versions: list[ScriptedVersion] = field(default_factory=list)
    behind: int | None = None
    gaps: list[tuple[int, int]] = field(default_factory=list)
    patches_kept: bool = True
    subscribers: list[Any] = field(default_factory=list)
    weight: int = 1
    has_room: bool = False

    @property
    def loaded(self) -> bool:
        return bool(self.versions)

    def wire_arguments(self) -> dict[str, Any]:
        return {}

    def known_through(self, head: int) -> int:
        return head if self.behind is None else min(head, self.behind)

    @property
    def newest_since(self) -> int:
        ends = [high for _, high in self.gaps]
        return max([self.versions[-1].since if self.versions else 0, *ends])

    def newest(self, head: int) -> tuple[int, ScriptedVersion | None]:
        ts = self.known_through(head)
        return ts, self.version_at(ts)

    def version_at(self, ts: int) -> ScriptedVersion | None:
        if any(low <= ts < high for low, high in self.gaps) or (self.behind is not None and ts > self.behind):
            return None
        return next((version for version in reversed(self.versions) if version.since <= ts), None)

    def past(self, ts: int) -> ScriptedVersion | None:
        return self.version_at(ts)

    def patches(self, old: ScriptedVersion, new: ScriptedVersion) -> list[bytes] | None:
        if not self.patches_kept or old not in self.versions:
            return None
        return [codec.pack(patch.diff(old.value, new.value))]

    def shows(self, digest: bytes) -> bool:
        return False

    def now(self, since: int, value: Any, **options: Any) -> None:
        """Give it another version and tell its subscribers."""
        self.versions.append(ScriptedVersion(since, value, **options))
        self.tell()

    def tell(self) -> None:
        for subscriber in list(self.subscribers):
            subscriber.notify()


class ScriptedEngine:
    """Live queries by path; ``personal`` paths have one for each caller."""

    def __init__(self) -> None:
        self.head = 100
        self.lives: dict[tuple[str, Identity | None], ScriptedLive] = {}
        self.personal: set[str] = set()
        self.next_floor: Floor | None = None

    @property
    def dirty(self) -> list[ScriptedLive]:
        return [live for live in self.lives.values() if live.subscribers and live.behind is not None]

    def live(self, path: str, identity: Identity | None = None) -> ScriptedLive:
        return self.lives.setdefault((path, identity if path in self.personal else None), ScriptedLive())

    def floor(self, notify: Callable[[], None]) -> Floor:
        return self.next_floor or Floor(self.head)

    async def wait_until_current(self, live: Any) -> None:
        raise NotImplementedError

    def subscribe(
        self,
        subscriber: Any,
        path: str,
        args: dict[str, Any],
        identity: Identity | None,
        journal: bytes | None = None,
        account: Account = SERVER,
        anew: bool = False,
    ) -> ScriptedLive:
        if path == "no:such":
            raise NotFound("there is no query 'no:such'")
        live = self.live(path, identity)
        live.subscribers.append(subscriber)
        return live

    def look_back(self, live: ScriptedLive, ts: int) -> bool:
        return False

    def unsubscribe(self, subscriber: Any, live: ScriptedLive) -> None:
        live.subscribers.remove(subscriber)

    async def mutate(self, *args: Any, **kwargs: Any) -> Outcome:
        raise NotImplementedError

    async def run_action(self, *args: Any, **kwargs: Any) -> Outcome:
        raise NotImplementedError

    async def wait_for(self, ts: int) -> None:
        raise NotImplementedError
