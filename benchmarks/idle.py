"""``python -m benchmarks.idle [CONNECTIONS]``: what a connection that says nothing costs the hub, in bytes of memory.

Linux only: the memory of the hub's process is read from ``/proc``.
"""

from __future__ import annotations

import asyncio
import logging
import multiprocessing
import resource
import sys
from pathlib import Path

from benchmarks.crowd import crowd
from benchmarks.hub import EMBEDDED, hub
from benchmarks.results import Setting

AIM = 25_000
"""Bytes of a connection."""
CONNECTIONS = 3_000
_WARM = 200
"""So many connect before, and go: what the first ones make for all is not counted."""
_GROUP = 100


async def bytes_of_a_connection(connections: int) -> float:
    """Connect so many clients, each of which says who it is and nothing more; tell what each takes."""
    async with hub(EMBEDDED, Setting(mongodb=""), "idle") as running:
        async with crowd("that goes") as first:
            await first.join_hub(running.port, [[]] * _WARM)
            await first.expect(_WARM)
        async with crowd("that stays") as idle:
            before = _resident("hub idle")
            for number in range(1, connections // _GROUP + 1):
                await idle.join_hub(running.port, [[]] * _GROUP)
                await idle.expect(number * _GROUP)
            return (_resident("hub idle") - before) / connections


def _resident(process: str) -> int:
    """Tell the bytes that a helper process has in memory."""
    [pid] = [each.pid for each in multiprocessing.active_children() if each.name == process]
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * resource.getpagesize()


def main() -> None:
    """Measure and print."""
    logging.disable(logging.WARNING)
    connections = int(sys.argv[1]) if len(sys.argv) > 1 else CONNECTIONS
    found = asyncio.run(bytes_of_a_connection(connections))
    print(f"{connections} idle connections: {found / 1000:.1f} kB each (aim: {AIM / 1000:.0f} kB)")


if __name__ == "__main__":
    main()
