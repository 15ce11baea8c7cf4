"""Pages in a real Chromium: an hour at 100 Hz opened and moved about in, a live session watched, a list of 1,000 documents.

The limit of every picture is the same page at rest: Chromium then gives 60 frames a second, or what the machine allows.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from time import perf_counter
from typing import TypeAlias

from benchmarks.bare import bare
from benchmarks.browser import browser, missing
from benchmarks.hub import EMBEDDED, HOST, MOTION, hub
from benchmarks.node import NodeProgram
from benchmarks.results import Aim, Result, Row, Setting, compared, limited
from motion.cli.following import append
from motion.gait import walk
from synovia_client import Client
from synovia_protocol.arrays import CHUNK_BYTES

HOUR, RATE, BATCH = 3_600.0, 100.0, 10
SEED = 5
EMAIL = "anna@example.org"
TOKEN = f"dev:{EMAIL}"
ACCOUNT = {"name": EMAIL, "token": TOKEN}
GESTURES = {"zoom": "zooming by wheel", "pan": "moving by wheel", "strip": "dragging the strip"}
OUTLINE_BYTES = 2 * 4_096 * 8
"""What the desk fetches first of a long recording: minimum and maximum of 2,048 parts, for both knees."""
ALL_BYTES = round(2 * HOUR * RATE * 8)
ZOOM_STEPS = 24
DOCUMENTS, CHANGES = 1_000, 50
_AS_AT_REST = Aim(0.95, at_least=True)

_Round: TypeAlias = "tuple[dict[str, float], dict[str, float]]"
"""What the page counted while something happened, and at rest before."""


async def run(setting: Setting) -> Result:
    """Measure all three, if there is a browser."""
    if reason := missing():
        return Result("page", (), skipped=reason)
    async with browser() as window:
        rows = [*await _recording(setting, window), *await _live(setting, window), *await _list(setting, window)]
    return Result("page", tuple(rows))


# --- a recording of an hour -------------------------------------------------------------------------------------------


async def _recording(setting: Setting, window: NodeProgram) -> list[Row]:
    async with _clinic(setting, "page-recording") as (url, anna), bare() as peer:
        motion = walk(HOUR, seed=SEED, sample_rate=RATE)
        knees = {"leftKnee": motion.left_knee, "rightKnee": motion.right_knee}
        recording = await anna.mutation("recordings:save", {**knees, "sampleRate": RATE, "startTime": 0})
        address = f"ws://{HOST}:{peer.port}/download"
        opened = [await _opened(window, url, recording, address) for _ in range(setting.rounds(5) + 1)][1:]
        rows = [
            compared(
                "an hour at 100 Hz: time to its plot",
                "ms",
                [a for a, _ in opened],
                "bare WebSocket",
                [b for _, b in opened],
            ),
            *[row for name, title in GESTURES.items() for row in await _moved(setting, window, title, name)],
        ]
        steps = await window.ask("zoomed", steps=ZOOM_STEPS)
        fetched = sum(steps) / 1000
        return [*rows, limited(f"an hour: {ZOOM_STEPS} zoom steps, bytes fetched", "kB", fetched, ALL_BYTES / 1000)]


async def _opened(window: NodeProgram, url: str, recording: str, address: str) -> tuple[float, float]:
    """Open a recording from the list, in a new window, and fetch as many bytes without all that, in ms."""
    await window.ask("open", url=url, account=ACCOUNT)
    await window.ask("there", selector="a.recording")
    await window.ask("frames", seconds=0.5)
    ours = await window.ask("drawn", hash=f"#/recordings/{recording}", selector=".plot-area canvas")
    bare_ms = [await window.ask("bare", url=address, bytes=OUTLINE_BYTES, frame=CHUNK_BYTES) for _ in range(3)]
    return ours, sorted(bare_ms)[1]


async def _moved(setting: Setting, window: NodeProgram, what: str, gesture: str) -> list[Row]:
    rounds = [await _pair(window, 4, gesture) for _ in range(setting.rounds(3))]
    return _smooth(what, rounds)


# --- what changes by itself -------------------------------------------------------------------------------------------


async def _live(setting: Setting, window: NodeProgram) -> list[Row]:
    async with _clinic(setting, "page-live") as (url, anna):
        session = await anna.mutation("live:start", {"sampleRate": RATE})
        measured = walk(600.0, seed=SEED, sample_rate=RATE)
        count = 0

        async def measure() -> None:
            nonlocal count
            batch = slice(count, count + BATCH)
            count = await append(anna, session, count, measured.left_knee[batch], measured.right_knee[batch])

        await window.ask("open", url=f"{url}#/live/{session}", account=ACCOUNT)
        async with _paced(RATE / BATCH, measure):
            await window.ask("there", selector=".plot-area canvas")
            await asyncio.sleep(12)  # until the ten seconds that are shown are full
        rounds = []
        for _ in range(setting.rounds(3)):
            rest = await window.ask("frames", seconds=1.5)
            async with _paced(RATE / BATCH, measure):
                await window.ask("frames", seconds=0.5)
                rounds.append((await window.ask("frames", seconds=4), rest))
        return _smooth("a live session at 100 Hz", rounds)


async def _list(setting: Setting, window: NodeProgram) -> list[Row]:
    async with hub(EMBEDDED, setting, "page-list") as running, Client(running.url, proxy=None) as writer:
        add = [writer.mutation("sensors:add", {"room": "a", "rank": rank}) for rank in range(DOCUMENTS)]
        sensors = await asyncio.gather(*add)
        changes = 0

        async def change() -> None:
            nonlocal changes
            changes += 1
            place = changes * 37 % DOCUMENTS
            await writer.mutation("sensors:set_level", {"sensorId": sensors[place], "level": changes})

        await window.ask("open", url=running.url.replace("ws", "http", 1) + "/", script="list.jsx")
        await window.ask("there", selector=f"li:nth-child({DOCUMENTS})")
        rounds, rows = [], []
        for _ in range(setting.rounds(3)):
            rest = await window.ask("frames", seconds=1)
            before, rendered = changes, await window.ask("counted")
            async with _paced(CHANGES, change):
                rounds.append((await window.ask("frames", seconds=4), rest))
            await window.ask("there", selector=f"li:text-is('{_label(changes)}')")
            rows.append(((await window.ask("counted"))["rows"] - rendered["rows"]) / (changes - before))
        title = f"a list of {DOCUMENTS:,} documents, {CHANGES} changes a second"
        return [limited(f"{title}: rows rendered a change", "", max(rows), 1.0), *_smooth(title, rounds)]


def _label(change: int) -> str:
    return f"sensor {change * 37 % DOCUMENTS} of a: {change}"


# --- what they share --------------------------------------------------------------------------------------------------


@asynccontextmanager
async def _clinic(setting: Setting, name: str) -> AsyncIterator[tuple[str, Client]]:
    """Run a hub of the motion application; give the address of its page and somebody's client."""
    async with AsyncExitStack() as stack:
        running = await stack.enter_async_context(hub(EMBEDDED, setting, name, application=MOTION))
        anna = await stack.enter_async_context(Client(running.url, token=TOKEN, proxy=None))
        await anna.mutation("users:register", {"role": "physiotherapist"})
        yield running.url.replace("ws", "http", 1) + "/", anna


@asynccontextmanager
async def _paced(rate: float, work: Callable[[], Awaitable[None]]) -> AsyncIterator[None]:
    """Do something so many times a second; what was begun is finished."""
    ending = asyncio.Event()

    async def again() -> None:
        began = perf_counter()
        for number in itertools.count(1):
            await work()
            with suppress(TimeoutError):
                await asyncio.wait_for(ending.wait(), max(0.0, began + number / rate - perf_counter()))
                return

    task = asyncio.create_task(again())
    try:
        yield
    finally:
        ending.set()
        await task


async def _pair(window: NodeProgram, seconds: float, gesture: str) -> _Round:
    rest = await window.ask("frames", seconds=1)
    return await window.ask("frames", seconds=seconds, gesture=gesture), rest


def _smooth(what: str, rounds: list[_Round]) -> list[Row]:
    """Compare the frames of rounds with those of the same page at rest just before."""

    def beside(title: str, key: str, unit: str, aim: Aim | None = None) -> Row:
        busy, rest = ([each[side][key] for each in rounds] for side in (0, 1))
        return compared(f"{what}: {title}", unit, busy, "at rest", rest, aim)

    seen = [busy["drawn"] for busy, _ in rounds]
    due = [busy["turns"] or rest["rate"] for busy, rest in rounds]
    pictures = [compared(f"{what}: new pictures", "/s", seen, "frames with movement", due)] if all(seen) else []
    share = [100 * busy["busy"] for busy, _ in rounds]
    return [
        beside("frames", "rate", "/s", _AS_AT_REST),
        *pictures,
        beside("longest frame", "longest", "ms"),
        compared(f"{what}: main thread busy", "%", share, "all of it", [100.0] * len(rounds)),
    ]
