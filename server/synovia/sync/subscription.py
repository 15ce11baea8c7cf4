"""One query of a connection's query set: what the client holds of it, and how to tell it what is new."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from synovia.sync.ports import Floor, LiveQuery, Ts, Version
from synovia_protocol.codec import pack_patch_update, pack_update, pack_value_update
from synovia_protocol.messages import QueryAdd, QueryFailed, QueryUnchanged

WORTH_A_LOOK = 4096
"""Packed results below this are sent whole rather than looked up as of an earlier time."""


class Subscription:
    """What a client holds of one query; the engine's subscriber.

    Attributes:
        added: What the client asked for, but for the arguments: the live query has these.
        live: What answers it; set right after the engine has given it.
        version: What the client holds; None: nothing that this connection has sent.
        moved: ``version`` came from another live query than ``live`` is, because the caller is another one now.
        settled: The live query whose newest version this is, if its query set looks at it no more; see ``QuerySet``.
        notify: Called when there may be something new.
    """

    __slots__ = ("_floor", "_newest_ts", "added", "live", "moved", "notify", "query_id", "settled", "version")

    live: LiveQuery

    def __init__(self, added: QueryAdd, notify: Callable[[], None], floor: Floor, newest_ts: Ts | None = None) -> None:
        self.added = replace(added, args={})
        self.query_id = added.query_id
        self.notify = notify
        self._floor = floor
        self.version: Version | None = None
        self.moved = False
        self.settled: LiveQuery | None = None
        self._newest_ts = newest_ts

    def asked_again(self) -> QueryAdd:
        """Give what the client asked for."""
        return replace(self.added, args=self.live.wire_arguments())

    def replaced(self, old: LiveQuery, new: LiveQuery) -> None:
        """Follow the engine, which has split a shared query by caller."""
        self.live = new
        self.moved = self.version is not None
        self.notify()

    def take_over(self, before: Subscription) -> None:
        """Hold what another subscription to the same query held until now."""
        self.version = before.version
        self._newest_ts = before._newest_ts
        self.moved = before.version is not None and (before.moved or self.live is not before.live)

    @property
    def new(self) -> bool:
        """Whether the client holds nothing of it yet, neither of this connection nor of an earlier one."""
        return self.version is None and self.added.digest is None

    def too_old(self, ts: Ts) -> bool:
        """Tell whether the result as of ``ts`` is not the answer: something was acknowledged before the client asked."""
        return (self.version is None or self.moved) and not self._floor.reached(ts)

    @property
    def resumes(self) -> bool:
        """Whether the client holds a result of an earlier connection, of which it has not been told anything yet."""
        return self.version is None and self.added.digest is not None

    @property
    def shareable(self) -> bool:
        """Whether the update depends only on the id and the two versions, and so is the same for other connections."""
        return not (self.moved or self.resumes)

    def looks_back_to(self, new: Version) -> Ts | None:
        """Tell as of when to look up what the client holds, because a patch from there may spare it the whole of ``new``."""
        if not self.resumes or new.packed is None or len(new.packed) < WORTH_A_LOOK:
            return None
        if new.journal != self.added.journal or new.digest() == self.added.digest:
            return None
        return self._newest_ts

    def same(self, new: Version) -> bool:
        """Tell whether the client need not be told of ``new``, because what it holds looks the same."""
        if not self.moved or self.version is None or self.version.error != new.error:
            return False
        return new.error is not None or self.version.digest() == new.digest()

    def update(self, new: Version, *, whole: bool = False) -> bytes | None:
        """Pack what leads the client to ``new``; None if that is not kept any more.

        Args:
            whole: Do not patch what this connection has been told: time has stood still since.
        """
        query_id = self.query_id
        if new.error is not None:
            return pack_update(QueryFailed(query_id, new.error))
        if self.version is None:
            return self._first(new)
        if not whole and not self.moved and self.version.error is None:
            return self._patch(self.version, new) or self._value(new)
        return self._value(new)

    def _first(self, new: Version) -> bytes | None:
        digest = self.added.digest
        if digest is None or new.journal != self.added.journal:
            return self._value(new)
        if new.digest() == digest:
            return pack_update(QueryUnchanged(self.query_id))
        old = None if self._newest_ts is None else self.live.past(self._newest_ts)
        if old is None or old.error is not None or old.digest() != digest:
            return self._value(new)
        return self._patch(old, new) or self._value(new)

    def _patch(self, old: Version, new: Version) -> bytes | None:
        if old.journal != new.journal:
            return None
        patches = self.live.patches(old, new)
        if patches is None or (new.packed is not None and sum(map(len, patches)) > len(new.packed)):
            return None
        return pack_patch_update(self.query_id, patches)

    def _value(self, new: Version) -> bytes | None:
        return None if new.packed is None else pack_value_update(self.query_id, new.packed, new.journal)
