"""Calling what a user gave us, without letting its mistakes into our loops."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any


def call_safely(callback: Callable[..., object], *args: Any) -> None:
    """Call it; what it raises goes to the event loop's exception handler, and nowhere else."""
    try:
        callback(*args)
    except Exception as error:
        context = {"message": "a callback of the Synovia client failed", "exception": error}
        asyncio.get_running_loop().call_exception_handler(context)
