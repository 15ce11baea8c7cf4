"""``synovia sweep``: delete unused arrays without a hub."""

from __future__ import annotations

import time
from pathlib import Path

from synovia.store import open_store
from synovia.store.base import StoreUnavailable
from synovia.store.sweep import Swept, sweep

_FILE = "sqlite:///"


async def sweep_store(url: str, grace: float, request_ttl: int) -> Swept:
    """Sweep a database once.

    Args:
        grace: Seconds for which unused arrays are kept.
        request_ttl: Seconds for which the hubs keep the records of mutations; opening the database sets it.

    Raises:
        StoreUnavailable: It is not there, or cannot be reached.
    """
    check_there(url)
    store = open_store(url, request_ttl=request_ttl)
    await store.open([])
    try:
        return await sweep(store, time.time() - grace)
    finally:
        await store.close()


def check_there(url: str) -> None:
    """Raise StoreUnavailable for a file that is not there: opening it would make one."""
    if url.startswith(_FILE) and not Path(url.removeprefix(_FILE)).exists():
        raise StoreUnavailable(f"there is no file {url.removeprefix(_FILE)}")
