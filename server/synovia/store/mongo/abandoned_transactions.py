"""Transactions that a hub left open when it died.

MongoDB does not abort a transaction when its client goes: it keeps the locks for ``transactionLifetimeLimitSeconds`` (60),
and looks only every 30 s. A hub that is killed after it has advanced the fence would so keep every other hub from
committing for more than a minute. Hubs therefore end each other's transactions that stand still for too long: who was only
paused finds its transaction gone, which is a conflict like any other.

Only transactions of clients that carry the store's own application name are looked at, so a client that was handed over
without it has to wait for the server.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Any, Final

from pymongo.errors import PyMongoError

from synovia.store.mongo.driver import Driver

logger = logging.getLogger("synovia")

STUCK_SECONDS: Final = 1.0
"""How long commits conflict, and how long a transaction stands still, before anybody looks for orphans."""
_CALM_SECONDS: Final = 5.0


class Orphans:
    """Watches one hub's conflicts, and ends what causes them if it stands still."""

    def __init__(self, driver: Driver) -> None:
        self._driver = driver
        self._conflicted_at = float("-inf")
        self._stuck_since: float | None = None

    def moved(self) -> None:
        """A commit went through."""
        self._stuck_since = None

    @property
    def are_others_about(self) -> bool:
        """Whether commits were turned away of late: another hub is about."""
        return asyncio.get_running_loop().time() - self._conflicted_at < _CALM_SECONDS

    async def conflicted(self) -> None:
        """A commit was turned away; if nothing else has happened for a while, look for the reason."""
        now = self._conflicted_at = asyncio.get_running_loop().time()
        if self._stuck_since is None:
            self._stuck_since = now
        elif now - self._stuck_since > STUCK_SECONDS:
            self._stuck_since = now
            await self._end()

    async def _end(self) -> None:
        try:
            sessions = await self._standing_still()
            if sessions:
                logger.warning("ending %d transactions that a hub has left open", len(sessions))
                await self._driver.command({"killSessions": [{"id": each} for each in sessions]}, on="admin")
        except (PyMongoError, TimeoutError) as error:
            logger.warning("transactions left open by a dead hub cannot be looked for: %s", error)

    async def _standing_still(self) -> list[Any]:
        """Give the ids of sessions whose transaction has had no command for a while."""
        idle = {
            "appName": self._driver.application_name,
            "type": "idleSession",
            "transaction.parameters.autocommit": False,
            "transaction.timeInactiveMicros": {"$gt": STUCK_SECONDS * 1_000_000},
        }
        stages = [{"$currentOp": {"allUsers": False, "idleSessions": True}}, {"$match": idle}]
        reply = await self._driver.command({"aggregate": 1, "pipeline": stages, "cursor": {}}, on="admin")
        return [each["lsid"]["id"] for each in reply["cursor"]["firstBatch"]]
