"""Synovia's own client beside npm ``convex``: the same list, the same hub, the same machine, both in one Node.js.

A reader follows a list of documents through a relay that counts bytes; a writer of the same kind changes one field of one
document at a time. Then the reader's connection is cut, one document is changed, and it comes back.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.hub import EMBEDDED, HOST, HubProcess, hub
from benchmarks.node import NodeProgram, node_program
from benchmarks.probe import furnish
from benchmarks.relay import Relay
from benchmarks.results import Aim, Result, Row, Setting, compared, percentile

DOCUMENTS, CHANGES = 100, 40
_ROOT = Path(__file__).parents[1]
_NEEDED = ("clients/js/node_modules/ws", "examples/convex-chat/front/node_modules/convex")
_SCRIPT = Path(__file__).with_name("guests.mjs")
_PATIENCE = 60.0
_PEER = "npm convex"


def missing() -> str | None:
    """Tell why the clients cannot be measured here; None if they can."""
    if shutil.which("node") is None:
        return "there is no Node.js: https://nodejs.org"
    if not all((_ROOT / path).exists() for path in _NEEDED):
        return "the clients lack their packages: make bench sees to them"
    return None


@dataclass(frozen=True, slots=True)
class _Round:
    """What one kind of client took.

    Attributes:
        milliseconds: From the call of each mutation to the reader's new list.
        received: Bytes to the reader for each change.
        runs: How often the query was run for each change.
        back: Bytes to the reader for coming back after a cut, with one change missed.
        back_runs: How often the query was run then.
        cpu: Milliseconds of the hub's CPU for each change.
    """

    milliseconds: list[float]
    received: float
    runs: float
    back: float
    back_runs: float
    cpu: float


async def run(setting: Setting) -> Result:
    """Measure both, in alternating rounds."""
    if reason := missing():
        return Result("guests", (), skipped=reason)
    async with (
        hub(EMBEDDED, setting, "guests") as running,
        node_program("clients", _SCRIPT, patience=_PATIENCE) as clients,
    ):
        await furnish(running.url, "a", DOCUMENTS)
        rounds = [
            [await _round(clients, running, kind) for kind in ("synovia", "convex")] for _ in range(setting.rounds(5))
        ]
    return Result("guests", tuple(_rows([own for own, _ in rounds], [guest for _, guest in rounds])))


def _rows(own: list[_Round], guests: list[_Round]) -> list[Row]:
    title = f"one field of one of {DOCUMENTS} documents"

    def row(name: str, unit: str, figure: Any, aim: Aim | None = None) -> Row:
        return compared(name, unit, [figure(each) for each in own], _PEER, [figure(each) for each in guests], aim)

    return [
        row(f"{title}: bytes to a reader", "B", lambda each: each.received),
        row(f"{title}: call to a reader's new list, p50", "ms", lambda each: percentile(each.milliseconds, 50)),
        row(f"{title}: call to a reader's new list, p95", "ms", lambda each: percentile(each.milliseconds, 95)),
        row(f"{title}: runs of the query", "", lambda each: each.runs),
        row(f"{title}: CPU of the hub", "ms", lambda each: each.cpu),
        row("back after a cut, one change missed: bytes to the reader", "B", lambda each: each.back),
        row("back after a cut, one change missed: runs of the query", "", lambda each: each.back_runs),
    ]


async def _round(clients: NodeProgram, running: HubProcess, kind: str) -> _Round:
    async with Relay.running(running.port) as relay:
        address = f"http://{HOST}:{running.port}"
        await clients.ask("open", kind=kind, reader=f"http://{HOST}:{relay.port}", writer=address, room="a")
        await clients.ask("change", count=5)  # warm
        before, runs, cpu = relay.received, await running.runs(), await running.cpu()
        times = await clients.ask("change", count=CHANGES)
        received = (relay.received - before) / CHANGES
        runs, cpu = await running.runs() - runs, await running.cpu() - cpu
        relay.cut()
        before, back_runs = relay.received, await running.runs()
        changed = await clients.ask("change_unseen")
        relay.mend()
        await clients.ask("shown", **changed)
        back, back_runs = relay.received - before, await running.runs() - back_runs
        await clients.ask("close")
    return _Round(times, received, runs / CHANGES, back, back_runs, cpu * 1000 / CHANGES)
