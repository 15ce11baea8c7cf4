"""Results of live queries as of instants that this hub has not followed, for clients that come back holding them."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from synovia.charges import at_cost
from synovia.engine.executor import Executor
from synovia.engine.live_query import PAST, LiveQuery, Version
from synovia.engine.places import Places
from synovia.engine.runs import IdentityNeeded
from synovia.store.base import StoreError, Ts
from synovia.tasks import begin, end

logger = logging.getLogger("synovia")

MOST_PASTS = 8
"""So many earlier instants of one query are looked up within the time that they are kept."""
PAST_SECONDS = 2.0
"""So long a client that comes back waits for that at most; then it gets the whole value."""


class Pasts:
    """Looks up the past: results are functions of the query and the instant, and stores keep it readable for some minutes.

    Args:
        keep: Seconds for which what was found is kept.
        notify: Is told when something was found, or was not.
    """

    def __init__(self, executor: Executor, places: Places, keep: float, notify: Callable[[LiveQuery], None]) -> None:
        self._executor = executor
        self._places = places
        self._keep = keep
        self._notify = notify
        self._tasks: set[asyncio.Task[None]] = set()

    def look_back(self, live: LiveQuery, ts: Ts, head: Ts) -> bool:
        """Find the result of a query as of an instant up to ``head``.

        Returns:
            Whether to wait: ``live.past(ts)`` may be there later, and the subscribers are notified then.
        """
        if ts in live.looking:
            return True
        known = ts in live.pasts or live.version_at(ts) is not None
        if known or ts > head or len(live.pasts) + len(live.looking) >= MOST_PASTS:
            return False
        live.looking.add(ts)
        task = begin(self._look_back(live, ts), f"past {live.key.path}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return True

    async def _look_back(self, live: LiveQuery, ts: Ts) -> None:
        version = None
        try:
            async with asyncio.timeout(PAST_SECONDS), self._places.taken(live.account):
                query = self._executor.query(
                    live.function, live.arguments(), live.identity, ts, journal=live.key.journal, shared=live.shared
                )
                run = await at_cost(live.account.address, query)
            if run.error is None:
                version = Version(PAST, run.packed, None, None, run.journal, run.arrays)
        except (StoreError, TimeoutError, IdentityNeeded) as error:
            logger.info("%s as of %d cannot be looked up: %s", live.key.path, ts, error)
        finally:
            live.looking.discard(ts)
            live.pasts[ts] = version
            asyncio.get_running_loop().call_later(self._keep, live.pasts.pop, ts, None)
            self._notify(live)

    async def stop(self) -> None:
        """End what is being looked up."""
        await end(self._tasks)
