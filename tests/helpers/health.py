"""What ``/health`` says."""

from __future__ import annotations

import asyncio
import json
import urllib.error
import urllib.request
from typing import Any

from helpers.patience import PATIENCE


async def health_of(port: int) -> tuple[int, Any]:
    """Ask a server on this machine; give the status and the report."""

    def fetch() -> tuple[int, Any]:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=PATIENCE) as response:
                return response.status, json.load(response)
        except urllib.error.HTTPError as error:
            with error:
                return error.code, json.load(error)

    return await asyncio.to_thread(fetch)
