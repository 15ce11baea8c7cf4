"""ASGI applications on real ports, in this process."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Literal

import uvicorn

from synovia.cli.server import listen


@asynccontextmanager
async def serving(
    app: Any, *, port: int = 0, lifespan: Literal["on", "off"] = "on", root_path: str = ""
) -> AsyncIterator[int]:
    """Serve an application on a port, by default a free one."""
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning", lifespan=lifespan, root_path=root_path))
    with listen("127.0.0.1", port) as listener:
        task = asyncio.create_task(server.serve([listener]))
        try:
            yield listener.getsockname()[1]
        finally:
            server.should_exit = True
            await task
