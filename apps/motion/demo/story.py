"""``python -m motion.demo``: the main job as it happens, on real parts, with every claim checked.

A hub on a loopback port and three programs against it: two of Anna, a physiotherapist, and one of her patient Ben. The exit
code is 0 only if everything that is claimed was found to be so.
"""

from __future__ import annotations

import argparse
import asyncio
import secrets
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter, time
from typing import Any

from rich.console import Console
from rich.markup import escape

from motion.demo.databases import Database, NoMongoDB, embedded, mongodb, named
from motion.demo.show import Show
from motion.demo.stage import Frame, Stage, stage
from motion.files import BothKnees, read_motion
from motion.files.motion import Floats
from motion.gait import walk
from synovia import StoreUnavailable
from synovia_client import Client, FunctionError, Subscription
from synovia_protocol.codec import encode
from synovia_protocol.digest import digest
from synovia_protocol.messages import QueryPatch, QueryValue, Transition

REAL = Path(__file__).resolve().parents[4] / "shared" / "data" / "subject01_walk1_ik.mot"
EARLIER = 24
PATIENCE = 15.0
POINTS = 240
LIMIT = 200
DAY_MS = 86_400_000


@dataclass(frozen=True, slots=True)
class Push:
    """A new result on one program's screen.

    Attributes:
        value: The result.
        size: Bytes of the transition that brought it.
        whole: Bytes of a transition with the whole result.
        patched: It came as a patch.
        milliseconds: From the commit to its arrival here.
    """

    value: list[dict[str, Any]]
    size: int
    whole: int
    patched: bool
    milliseconds: float


class Program:
    """A desktop program or phone: a client, what it watches, and what the hub sent it."""

    def __init__(self, client: Client, staged: Stage, frames: list[Frame]) -> None:
        self.client = client
        self._stage = staged
        self._frames = frames
        self._subscription: Subscription[Any] | None = None
        self._values: AsyncGenerator[Any, None] | None = None

    @property
    def shown(self) -> Any:
        """The list as it stands on the screen now."""
        return None if self._subscription is None else self._subscription.value

    async def watch(self, path: str) -> Push:
        """Subscribe to a list and wait for its first result."""
        self._subscription = self.client.subscribe(path, {"limit": LIMIT})
        self._values = aiter(self._subscription)
        return await self.pushed(lambda value: True)

    async def pushed(self, shows: Callable[[list[dict[str, Any]]], bool]) -> Push:
        """Wait for the result that ``shows`` something."""
        assert self._values is not None, "watch() comes first"  # noqa: S101
        async with asyncio.timeout(PATIENCE):
            async for value in self._values:
                at = perf_counter()
                if shows(value):
                    return self._push(value, at)
        raise RuntimeError("the subscription ended")

    def _push(self, value: Any, at: float) -> Push:
        frame, transition = self._newest()
        update = transition.updates[-1]
        whole = Transition(transition.from_ts, transition.to_ts, (QueryValue(update.query_id, value),))
        waited = self._stage.since_commit(transition.to_ts, at)
        return Push(value, len(frame.data), len(encode(whole)), isinstance(update, QueryPatch), waited)

    def _newest(self) -> tuple[Frame, Transition]:
        for frame in reversed(self._frames):
            if (transition := frame.transition()) is not None:
                return frame, transition
        raise RuntimeError("no transition has been sent")

    def sample_frames(self) -> list[int]:
        """List the sizes of all raw array frames so far, in bytes."""
        return [len(frame.data) for frame in self._frames if frame.is_samples]


@dataclass
class Cast:
    """Who takes part."""

    show: Show
    desk: Program
    room: Program
    ben: Program
    ben_id: str
    pushes: list[tuple[str, int, int, float]]

    def tell(self, name: str, push: Push) -> None:
        """Show a push beside the whole result, and keep it for the table."""
        self.pushes.append((name, push.size, push.whole, push.milliseconds))


def same_bits(one: Floats, other: Floats) -> bool:
    """Tell whether two arrays are equal to the last bit."""
    return one.dtype == other.dtype and one.shape == other.shape and one.tobytes() == other.tobytes()


# --- the story --------------------------------------------------------------------------------------------------------


async def story(cast: Cast, motion: BothKnees, source: str) -> None:
    """Play the main job from the first subscription to the last check."""
    first = await subscribe(cast)
    recording = await save(cast, motion, source, len(first.value))
    await look(cast, recording, motion)
    await rename(cast, recording)
    await share(cast, recording, motion)
    await zoom_out(cast)
    await compare(cast)


async def subscribe(cast: Cast) -> Push:
    first = await cast.desk.watch("recordings:list_mine")
    text = f"subscribes to [bold]recordings:list_mine[/]: {len(first.value)} recordings, {first.size:,} B"
    cast.show.says("desk", text)
    empty = await cast.ben.watch("recordings:list_shared")
    cast.show.says("ben", f"subscribes to [bold]recordings:list_shared[/]: nothing yet, {empty.size} B")
    return first


async def save(cast: Cast, motion: BothKnees, source: str, before: int) -> dict[str, Any]:
    size = motion.left_knee.nbytes * 2
    cast.show.says("room", f"saves {source}: 2 x {motion.sample_count} float64, {size:,} B")
    saving = asyncio.ensure_future(cast.room.client.mutation("recordings:save", arguments(motion, "gait, first visit")))
    push = await cast.desk.pushed(lambda value: len(value) > before)
    recording_id = await saving
    cast.tell("a recording is saved", push)
    cast.show.says("desk", f"sees it: {push.size} B pushed {push.milliseconds:.1f} ms after the commit")
    cast.show.claim(f"pushed as a patch; the whole list is {push.whole:,} B", push.patched and push.size < push.whole)
    cast.show.claim("the list moved no samples", not cast.desk.sample_frames())
    [recording] = [item for item in push.value if item["_id"] == recording_id]
    return recording


async def look(cast: Cast, recording: dict[str, Any], motion: BothKnees) -> None:
    began = perf_counter()
    left, right = [await cast.desk.client.array(recording[knee]) for knee in ("leftKnee", "rightKnee")]
    waited = (perf_counter() - began) * 1000
    frames = cast.desk.sample_frames()
    sizes = " and ".join(f"{size:,}" for size in frames)
    cast.show.says("desk", f"asks for both knees: raw frames of {sizes} B in {waited:.1f} ms")
    exact = same_bits(left, motion.left_knee) and same_bits(right, motion.right_knee)
    cast.show.claim("every sample is what was saved, to the last bit", exact)
    cast.show.plot("as fetched", left, right)


async def rename(cast: Cast, recording: dict[str, Any]) -> None:
    notes = "gait, barefoot"
    calling = cast.room.client.mutation("recordings:rename", {"recordingId": recording["_id"], "notes": notes})
    cast.show.says("room", f"renames it to [bold]{notes}[/]")
    renaming = asyncio.ensure_future(calling)
    push = await cast.desk.pushed(lambda value: any(item.get("notes") == notes for item in value))
    await renaming
    cast.tell("it is renamed", push)
    cast.show.says("desk", f"sees it: {push.size} B pushed {push.milliseconds:.1f} ms after the commit")
    cast.show.claim(f"one field of one of {len(push.value)} documents: under 200 B", push.patched and push.size < 200)


async def share(cast: Cast, recording: dict[str, Any], motion: BothKnees) -> None:
    args = {"recordingId": recording["_id"], "userId": cast.ben_id}
    cast.show.says("ben", "tries to open it by its id")
    await denied(cast, "recordings:get", recording, "not_found", "not his, so it does not exist for him")
    cast.show.says("desk", "shares it with Ben")
    watching = asyncio.gather(
        cast.ben.pushed(lambda value: len(value) == 1),
        cast.desk.pushed(lambda value: any("sharedWith" in item for item in value)),
    )
    await cast.desk.client.mutation("recordings:share", args)
    own_list_was_ahead = any("sharedWith" in item for item in cast.desk.shown)
    push, own = await watching
    cast.show.claim("when her call returned, her own list showed it already", own_list_was_ahead)
    cast.tell("it is shared: Ben's list", push)
    cast.tell("it is shared: Anna's list", own)
    cast.show.says("ben", f"sees it: {push.size} B pushed {push.milliseconds:.1f} ms after the commit")
    [shown] = push.value
    left, right = [await cast.ben.client.array(shown[knee]) for knee in ("leftKnee", "rightKnee")]
    exact = same_bits(left, motion.left_knee) and same_bits(right, motion.right_knee)
    cast.show.claim("his samples are the same, to the last bit", exact)
    cast.show.says("ben", "tries to rename it")
    await denied(cast, "recordings:rename", recording, "forbidden", "he may look, but not change it")


async def denied(cast: Cast, path: str, recording: dict[str, Any], code: str, claim: str) -> None:
    client, args = cast.ben.client, {"recordingId": recording["_id"]}
    try:
        if path == "recordings:get":
            await client.query(path, args)
        else:
            await client.mutation(path, {**args, "notes": "mine"})
    except FunctionError as error:
        cast.show.claim(f"{claim} ([dim]{error.code}[/])", error.code == code)
    else:
        cast.show.claim(claim, False)


async def zoom_out(cast: Cast) -> None:
    long = walk(600, seed=5)
    size = long.left_knee.nbytes
    cast.show.says("room", f"saves ten minutes of walking: 2 x {long.sample_count:,} samples, {size * 2:,} B")
    saving = asyncio.ensure_future(cast.room.client.mutation("recordings:save", arguments(long, "ten minutes")))
    push = await cast.desk.pushed(lambda value: any(item.get("notes") == "ten minutes" for item in value))
    await saving
    cast.tell("a long recording is saved", push)
    [recording] = [item for item in push.value if item.get("notes") == "ten minutes"]
    before = len(cast.desk.sample_frames())
    left, right = [await cast.desk.client.array(recording[knee], points=POINTS) for knee in ("leftKnee", "rightKnee")]
    thin = sum(cast.desk.sample_frames()[before:])
    cast.show.says("desk", f"asks for {POINTS} points a side for its plot: {thin:,} B instead of {size * 2:,} B")
    kept = all(
        (thinned.min(), thinned.max(), len(thinned) <= POINTS) == (whole.min(), whole.max(), True)
        for thinned, whole in ((left, long.left_knee), (right, long.right_knee))
    )
    cast.show.claim("no peak is lost", kept)
    part = await cast.desk.client.array(recording["leftKnee"], 30_001, 30_501)
    cast.show.says("desk", "zooms into five seconds in the middle")
    cast.show.claim("the range is exact, to the last bit", same_bits(part, long.left_knee[30_001:30_501]))
    right_part = await cast.desk.client.array(recording["rightKnee"], 30_001, 30_501)
    cast.show.plot("300 to 305 s", part, right_part)


async def compare(cast: Cast) -> None:
    fresh = await cast.room.client.query("recordings:list_mine", {"limit": LIMIT})
    cast.show.claim(
        f"after {len(cast.pushes)} pushes the live list equals a fresh query", digest(cast.desk.shown) == digest(fresh)
    )


# --- setting the stage ------------------------------------------------------------------------------------------------


def arguments(motion: BothKnees, notes: str, *, days_ago: int = 0) -> dict[str, Any]:
    """Make the arguments of ``recordings:save``."""
    return {
        "leftKnee": motion.left_knee,
        "rightKnee": motion.right_knee,
        "sampleRate": motion.sample_rate,
        "endTime": int(time() * 1000) - days_ago * DAY_MS,
        "exerciseType": "walking",
        "notes": notes,
    }


def find_recording() -> tuple[BothKnees, str]:
    """Read the real recording where it is at hand, else generate a gait; also say which it is."""
    if REAL.is_file():
        return read_motion(REAL).both(), f"[bold]{REAL.name}[/] (a real person, motion capture)"
    return walk(10.0, seed=1), "[bold]a generated gait[/]"


@asynccontextmanager
async def performance(show: Show, staged: Stage) -> AsyncIterator[Cast]:
    """Connect the three programs; Anna has some recordings already, and Ben is her contact."""
    run = secrets.token_hex(3)  # a store that outlives the demonstration may hold the people of another run
    anna, ben = f"anna.{run}@example.org", f"ben.{run}@example.org"
    async with AsyncExitStack() as stack:
        programs = []
        for email in (anna, anna, ben):
            client = await stack.enter_async_context(Client(staged.url, token=f"dev:{email}"))
            await client.connected()
            programs.append(Program(client, staged, staged.connections[-1]))
        desk, room, phone = programs
        await desk.client.mutation("users:register", {"role": "physiotherapist", "name": "Anna"})
        ben_id = await phone.client.mutation("users:register", {"role": "patient", "name": "Ben"})
        await desk.client.mutation("contacts:add", {"email": ben})
        await phone.client.mutation("contacts:add", {"email": anna})
        for number in range(EARLIER):
            earlier = arguments(walk(2, seed=number), f"session {number + 1}", days_ago=EARLIER - number)
            await room.client.mutation("recordings:save", earlier)
        yield Cast(show, desk, room, phone, ben_id, [])


async def play(show: Show, database: Database) -> None:
    """Run the whole story on one database."""
    show.begin(database.title)
    motion, source = find_recording()
    async with stage(database.url) as staged, performance(show, staged) as cast:
        show.says("hub", f"serves {staged.url}; Anna has {EARLIER} recordings, Ben is her patient")
        await story(cast, motion, source)
    show.pushes(cast.pushes)


def main(args: list[str] | None = None) -> int:
    """Play on the store that ``--store`` names, or on the embedded one and on MongoDB; give the exit code."""
    parser = argparse.ArgumentParser(prog="python -m motion.demo", description=main.__doc__)
    parser.add_argument("--store", help="a store's URL, as mongodb://127.0.0.1/demo?replicaSet=rs0")
    url = parser.parse_args(args).store
    console = Console(highlight=False, emoji=False)
    show = Show(console)
    try:
        _play_all(show, url)
    except StoreUnavailable as error:
        console.print(f"[red]The store cannot be used:[/] {escape(str(error))}")
        return 1
    return show.verdict()


def _play_all(show: Show, url: str | None) -> None:
    if url is not None:
        asyncio.run(play(show, named(url)))
        return
    asyncio.run(play(show, embedded()))
    try:
        with mongodb() as database:
            asyncio.run(play(show, database))
    except NoMongoDB as error:
        show.console.print(f"\n[yellow]MongoDB was left out:[/] {escape(str(error))}")
