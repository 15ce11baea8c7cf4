"""What the operator does to the database itself, without a hub between: making the first admin."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from synovia.app import Synovia
from synovia.config import Settings
from synovia.functions.access import CallOrigin
from synovia.scheduler.settings import SchedulerSettings


async def appoint(store: str, email: str) -> dict[str, Any]:
    """Make an admin of whoever has an address, and give the account.

    Raises:
        StoreError: The database cannot be used.
        FunctionError: That is no address.
    """
    settings = Settings(scheduler=SchedulerSettings(enabled=False))
    server = Synovia(Path(__file__).parents[1], store=store, settings=settings)
    await server.start()
    try:
        outcome = await server.engine.mutate("admin:appoint", {"email": email}, None, origin=CallOrigin.APPLICATION)
    finally:
        await server.stop()
    account: dict[str, Any] = outcome.value()
    return account
