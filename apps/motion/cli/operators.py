"""What the operator does to the database itself, without a hub between: making the first admin."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from synovia import Synovia


async def appoint(store: str, email: str) -> dict[str, Any]:
    """Make an admin of whoever has an address, and give the account.

    Raises:
        StoreError: The database cannot be used.
        FunctionError: That is no address.
    """
    server = Synovia(Path(__file__).parents[1], store=store)
    await server.start(alone=False)
    try:
        account: dict[str, Any] = await server.mutation("admin:appoint", {"email": email}, trusted=True)
    finally:
        await server.stop()
    return account
