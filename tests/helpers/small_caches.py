"""Caches of a hub made small, so that they are full at once and whatever grows on is a leak."""

from __future__ import annotations

from synovia.dashboard import call_log
from synovia.engine.log import Log
from synovia.store.sqlite import connection
from synovia.sync.transitions import TransitionCache
from synovia.transaction.document_cache import DocumentCache

SMALL_BYTES, SMALL_KIB, FEW_COMMITS, FEW_CALLS = 256 * 1024, 1024, 128, 100


def keep_little() -> None:
    """Make small what a hub keeps within bounds: documents, commits, transitions, calls, and pages of SQLite."""
    DocumentCache.__init__.__defaults__ = (SMALL_BYTES,)
    TransitionCache.__init__.__defaults__ = (SMALL_BYTES,)
    Log.__init__.__kwdefaults__ = {**(Log.__init__.__kwdefaults__ or {}), "keep": FEW_COMMITS}
    call_log.MOST_CALLS = FEW_CALLS  # type: ignore[misc]
    connection.CACHE_KIB = SMALL_KIB  # type: ignore[misc]
