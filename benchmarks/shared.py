"""Shared documents: typing by 1, 10 and 100 editors in one, and opening a long one, beside a bare relay of pycrdt.

All editors are clients with documents of their own. One more looks how late letters are; it, and the first editor, are
connected by a relay that counts bytes. The peer asks nobody whether they may, and stores nothing.
"""

from __future__ import annotations

import asyncio
import random
import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from time import perf_counter
from typing import Any, Protocol

from pycrdt import Doc, Text
from pymongo import AsyncMongoClient

from benchmarks.databases import Database, database
from benchmarks.hub import HOST, HubProcess, hub
from benchmarks.relay import Relay
from benchmarks.results import Result, Row, Setting, compared, percentile
from benchmarks.yjs_relay import RelayEditor, yjs_relay
from synovia_client import Client

CROWDS = ((1, 5.0), (10, 2.0), (100, 0.2))
"""How many type, and how many letters a second each."""
LONG = 100_000
_PIECE = 1_000
_FIRST = 0x4E00
_PATHS = "plans:text", "plans:write_text"


class Editor(Protocol):
    """Somebody who has the document open."""

    doc: Doc[Any]


class Server(Protocol):
    """The hub, or its peer."""

    port: int

    async def cpu(self) -> float:
        """Tell the CPU seconds it has used."""
        ...


Opens = Callable[[int, str], AbstractAsyncContextManager[Editor]]
"""Opens a document, by the port and its name."""


@dataclass(frozen=True, slots=True)
class Found:
    """What a crowd has cost: milliseconds to sight of each letter, and bytes and CPU milliseconds of one."""

    late: list[float]
    sent: float
    received: float
    cpu: float


@asynccontextmanager
async def _of_hub(port: int, name: str) -> AsyncIterator[Editor]:
    async with (
        Client(f"ws://{HOST}:{port}", proxy=None) as client,
        client.shared_doc(*_PATHS, {"planId": name}) as shared,
    ):
        yield shared


def _of_relay(port: int, name: str) -> AbstractAsyncContextManager[Editor]:
    return RelayEditor(port, name)


def _text(editor: Editor) -> Text:
    found: Text = editor.doc.get("text", type=Text)
    return found


async def _typed(server: Server, opens: Opens, name: str, crowd: tuple[int, float], seconds: float) -> Found:
    """Have a crowd type for a while."""
    people, rate = crowd
    async with AsyncExitStack() as stack:
        counted, looked = [await stack.enter_async_context(Relay.running(server.port)) for _ in range(2)]
        ports = [counted.port, *[server.port] * (people - 1)]
        editors = [await stack.enter_async_context(opens(port, name)) for port in ports]
        reader = await stack.enter_async_context(opens(looked.port, name))
        typed: dict[str, float] = {}
        late: list[float] = []

        def look(event: Any) -> None:
            now = perf_counter()
            for step in event.delta:
                late.extend((now - typed.pop(each)) * 1_000 for each in step.get("insert", "") if each in typed)

        text_of_reader = _text(reader)
        observed = text_of_reader.observe(look)  # while it is held
        await asyncio.sleep(0.5)
        before, sent, received, own = await server.cpu(), counted.sent, looked.received, 0
        begin = perf_counter()
        for number in range(int(people * rate * seconds)):
            await asyncio.sleep(max(0.0, begin + number / (people * rate) - perf_counter()))
            letter = chr(_FIRST + number)
            typed[letter] = perf_counter()
            text = _text(editors[number % people])
            text.insert(len(str(text).encode()), letter)
            own += number % people == 0
        async with asyncio.timeout(60):
            while typed:  # noqa: ASYNC110 (others are to see it)
                await asyncio.sleep(0.005)
        text_of_reader.unobserve(observed)
        cpu = (await server.cpu() - before) / len(late)
        return Found(late, (counted.sent - sent) / own, (looked.received - received) / len(late), 1_000 * cpu)


async def _opened(port: int, opens: Opens, name: str) -> float:
    """Tell how many milliseconds it takes until somebody new has the whole text."""
    begin = perf_counter()
    async with opens(port, name) as editor:
        seconds = perf_counter() - begin
        assert len(str(_text(editor))) == LONG
    return 1_000 * seconds


async def _fill(port: int, opens: Opens, name: str) -> None:
    """Write the long text as people do: at many places, a piece at a time."""
    chance = random.Random(1)
    async with opens(port, name) as editor:
        text = _text(editor)
        for _ in range(LONG // _PIECE):
            text.insert(chance.randint(0, len(str(text))), "abcdefghi " * (_PIECE // 10))
            await asyncio.sleep(0)
        until_saved = getattr(editor, "until_saved", None)
        await (asyncio.sleep(1.0) if until_saved is None else until_saved())


async def _stored(where: Database) -> int:
    """Tell how many bytes the documents of a database have."""
    async with AsyncMongoClient[dict[str, Any]](where.uri) as client:
        return int((await client[where.name].command("dbStats"))["dataSize"])


async def _plan(served: HubProcess) -> str:
    async with Client(served.url, proxy=None) as client:
        return str(await client.mutation("plans:add"))


async def run(setting: Setting) -> Result:
    """Measure on MongoDB, where a hub keeps what is typed."""
    rows: list[Row] = []
    async with (
        database(setting) as where,
        hub(where.url, setting, "shared", modules=("plans",)) as served,
        yjs_relay() as peer,
    ):
        for crowd in CROWDS:
            rows += await _crowd_rows(setting, where, served, peer, crowd)
        plan, name = await _plan(served), secrets.token_hex(4)
        await _fill(served.port, _of_hub, plan)
        await _fill(peer.port, _of_relay, name)
        rounds = [
            (await _opened(served.port, _of_hub, plan), await _opened(peer.port, _of_relay, name))
            for _ in range(setting.rounds(7))
        ]
        figures, peers = zip(*rounds, strict=True)
        rows.append(compared(f"opening a text of {LONG:,} letters", "ms", figures, "relay", peers))
    return Result("shared", tuple(rows))


async def _crowd_rows(
    setting: Setting, where: Database, served: HubProcess, peer: Server, crowd: tuple[int, float]
) -> list[Row]:
    seconds, found, stored = 2.0 if setting.quick else 6.0, list[tuple[Found, Found]](), list[float]()
    for _ in range(setting.rounds(3)):
        plan, name = await _plan(served), secrets.token_hex(4)
        before = await _stored(where)
        own = await _typed(served, _of_hub, plan, crowd, seconds)
        stored.append((await _stored(where) - before) / len(own.late))
        found.append((own, await _typed(peer, _of_relay, name, crowd, seconds)))

    def row(what: str, unit: str, of: Callable[[Found], float]) -> Row:
        figures, peers = [of(own) for own, _ in found], [of(theirs) for _, theirs in found]
        return compared(f"{title}: {what}", unit, figures, "relay", peers)

    title = f"{crowd[0]} type, {crowd[0] * crowd[1]:g} letters a second"
    return [
        row("letter to sight, p50", "ms", lambda each: percentile(each.late, 50)),
        row("letter to sight, p95", "ms", lambda each: percentile(each.late, 95)),
        row("CPU of the server a letter", "ms", lambda each: each.cpu),
        row("sent by who types it", "B", lambda each: each.sent),
        row("received by each who reads", "B", lambda each: each.received),
        compared(f"{title}: stored a letter", "B", stored, "sent", [own.sent for own, _ in found]),
    ]
