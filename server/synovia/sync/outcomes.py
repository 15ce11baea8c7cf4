"""What came of a call that came over a socket, whatever protocol that speaks."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Coroutine
from typing import Any

from synovia.sync.context import HubContext
from synovia.sync.frame_socket import Ending, FrameSocket
from synovia.sync.ports import Outcome
from synovia_protocol.errors import CloseCode, ErrorCode, ErrorInfo

logger = logging.getLogger("synovia.sync")


def to_its_end(
    context: HubContext, socket: FrameSocket, call: Coroutine[Any, Any, Outcome], path: str
) -> Awaitable[Outcome]:
    """Have a request go on to its end even if the task that waits for it ends with its connection."""
    return context.requests.run(call, f"{socket.name} {path}")


async def outcome_of(context: HubContext, socket: FrameSocket, call: Awaitable[Outcome], path: str) -> Outcome | None:
    """Run a request, which goes on to its end even if the client goes, and until this hub has seen its commit.

    Returns:
        None if it is not known how it ended; then the connection ends.
    """
    try:
        outcome = await call
        if outcome.ts is not None and outcome.ts > context.engine.head:
            await context.engine.wait_for(outcome.ts)
    except Exception:
        logger.exception("%s: %s could not be run", socket.name, path)
        error = ErrorInfo(ErrorCode.SERVER_ERROR, f"{path} could not be run; its outcome is unknown")
        socket.end(Ending(error, CloseCode.SERVER_ERROR, retry_after=1.0))
        return None
    return outcome
