"""An action, and names that are somebody else's in JavaScript."""

from __future__ import annotations

from synovia import ActionContext, action


@action(public=True)
async def send(ctx: ActionContext, to: str, text: str = "") -> bool:
    """Send a mail. It says: "\\d", and ends with a "quote\""""
    return False


@action(public=True)
async def delete(ctx: ActionContext) -> dict[str, int]:
    return {}
