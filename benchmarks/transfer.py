"""Transfers a second between 10,000 accounts by 50 clients: uniform, and skewed so that most want the same few accounts.

Every transfer is serializable and durable. The peers are a node server on ``node:sqlite`` (one process, one connection, WAL
with ``synchronous = FULL``) and one on PostgreSQL (a pool of 50 connections, ``SERIALIZABLE``, ten tries), and what a Python
developer would write by hand on ``sqlite3`` and on PyMongo (``snapshot`` and ``majority``, ten tries); those that are not
installed are named. They keep no record of requests and push nothing.
"""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field

from benchmarks.databases import database
from benchmarks.hub import hub
from benchmarks.peers.bank import Bank, node_bank, python_bank
from benchmarks.peers.installed import NotInstalled
from benchmarks.results import Aim, Result, Row, Setting, compared
from benchmarks.tellers import Tellers, tellers
from synovia_client import Client

ACCOUNTS = 10_000
CLIENTS = 50
SECONDS = 2.0
SKEWS = {"uniform": 0.0, "Zipf 1.5": 1.5}
_STEP = 1_000


@dataclass(slots=True)
class _Figures:
    """What one server has done, round by round."""

    rates: list[float] = field(default_factory=list)
    failed: int = 0


@dataclass(slots=True)
class _Server:
    name: str
    tellers: Tellers
    figures: dict[str, _Figures] = field(default_factory=lambda: {name: _Figures() for name in SKEWS})


async def run(setting: Setting) -> Result:
    """Measure hub and peers in alternating rounds, on each store."""
    rows, missing = list[Row](), list[str]()
    for store, kind in (("SQLite", "sqlite"), ("MongoDB", "postgres")):
        async with AsyncExitStack() as stack:
            servers = [await stack.enter_async_context(_hub(store, setting))]
            servers.append(await stack.enter_async_context(_peer(python_bank(store, ACCOUNTS, setting))))
            try:
                servers.append(await stack.enter_async_context(_peer(node_bank(kind, ACCOUNTS))))
            except NotInstalled as error:
                missing.append(str(error))
            await _measure(servers, setting)
            rows += _rows(store, servers)
    return Result("transfer", tuple(rows), "; ".join(missing) or None)


async def _measure(servers: Sequence[_Server], setting: Setting) -> None:
    for server in servers:
        await server.tellers.drive(ACCOUNTS, 0.0, SECONDS)
    for _ in range(setting.rounds(5)):
        for name, skew in SKEWS.items():
            for server in servers:
                done = await server.tellers.drive(ACCOUNTS, skew, SECONDS)
                server.figures[name].rates.append(done.rate)
                server.figures[name].failed += done.failed


def _rows(store: str, servers: Sequence[_Server]) -> list[Row]:
    ours, peers = servers[0], servers[1:]
    uniform, skewed = (ours.figures[name] for name in SKEWS)
    rows = [
        compared(f"{store}, {name}", "/s", ours.figures[name].rates, peer.name, peer.figures[name].rates, aim)
        for peer in peers
        for name, aim in zip(SKEWS, _AIMS.get(peer.name, _NO_AIMS), strict=True)
    ]
    rows.append(compared(f"{store}, Zipf 1.5", "/s", skewed.rates, "uniform", uniform.rates, Aim(1.0, at_least=True)))
    for server in servers:
        failed = float(server.figures["Zipf 1.5"].failed)
        rows.append(Row(f"failed, Zipf 1.5, {server.name}", failed, "", "none", 0.0, failed, _NONE))
    return rows


_AIMS = {
    "node + node:sqlite": (Aim(0.7, at_least=True), Aim(0.7, at_least=True)),
    "node + PostgreSQL": (Aim(0.8, at_least=True), Aim(5.0, at_least=True)),
}
_NO_AIMS = (None, None)
_NONE = Aim(0.0)


@asynccontextmanager
async def _hub(store: str, setting: Setting) -> AsyncIterator[_Server]:
    async with AsyncExitStack() as stack:
        if store == "SQLite":
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="synovia-transfer-"))
            url = f"sqlite:///{folder}/bank.sqlite"
        else:
            url = (await stack.enter_async_context(database(setting))).url
        running = await stack.enter_async_context(hub(url, setting, f"transfer-{store.lower()}"))
        async with Client(running.url, proxy=None) as client:
            for first in range(0, ACCOUNTS, _STEP):
                await client.mutation("bank:open_many", {"first": first, "count": _STEP})
        driving = await stack.enter_async_context(tellers())
        await driving.join_hub(running.port, CLIENTS)
        yield _Server(f"Synovia on {store}", driving)


@asynccontextmanager
async def _peer(bank: AbstractAsyncContextManager[Bank]) -> AsyncIterator[_Server]:
    async with AsyncExitStack() as stack:
        name, port = await stack.enter_async_context(bank)
        driving = await stack.enter_async_context(tellers())
        await driving.join_peer(port, CLIENTS)
        yield _Server(name, driving)
