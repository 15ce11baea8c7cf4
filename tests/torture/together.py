"""``python -m torture.together``: people in a room, and three who write one text, while hubs are killed and lines cut.

Two hubs on one MongoDB serve them. In each round something happens: one hub is killed and started again, or both are, lines
are cut amid a frame, a line goes dead without being closed, or somebody leaves in good order; whoever was away comes back in
the next one. Then everybody who is there has to see everybody who is there and nobody else, within 30 seconds; where both
hubs were killed, these begin when one of them listens again. All the while three of them type, each letter another one, and
take some out again; in the end all three have to have the same text, with each letter that was typed and not taken out. Exit
code 1 if something is not so.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import random
import subprocess
import sys
import time
from collections import defaultdict
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pycrdt import Doc, Text

from helpers.mongod import free_port, running_mongod
from synovia_client import Client, Presence, SharedDoc
from torture.processes import UNLIMITED
from torture.proxy import Direction, Proxy

TOGETHER = Path(__file__).parents[1] / "apps" / "together.py"
SEEN_SECONDS = 30.0
CALM_SECONDS = 3.0
"""So long nothing may be wrong any more: a client that has not noticed yet that its line is cut shows what was."""
STARTING_SECONDS = 300.0
EDITORS = 3
HAPPENINGS = ("a hub is killed", "both hubs are killed", "lines are cut", "a line goes dead", "somebody leaves")
PATHS = "together:text", "together:write_text"


@dataclass
class Hub:
    """A hub as a process of its own, on the same port each time."""

    store: str
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it; clients wait for it by themselves."""
        command = [sys.executable, "-m", "synovia.cli", "dev", str(TOGETHER), "--port", str(self.port), "--no-reload"]
        variables = {**os.environ, **UNLIMITED, "SYNOVIA_HUBS_SECRET": "hubs that help each other"}
        self.process = subprocess.Popen(
            [*command, "--store", self.store], env=variables, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )

    def kill(self) -> None:
        """End it as a crash would."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()

    async def listens(self) -> None:
        """Wait until it lets clients in."""
        async with asyncio.timeout(STARTING_SECONDS):
            while True:
                with contextlib.suppress(OSError):
                    (await asyncio.open_connection("127.0.0.1", self.port))[1].transport.abort()
                    return
                await asyncio.sleep(0.05)


@dataclass
class Person:
    """Somebody in the room, over a line of their own.

    Attributes:
        is_there: Whether the others have to see them.
    """

    name: str
    proxy: Proxy
    client: Client
    room: dict[str, Any]
    presence: Presence
    is_there: bool = True

    async def enter(self) -> None:
        """Come in."""
        self.presence = self.client.presence("together:room", self.room, state=self.name)
        await self.presence.__aenter__()

    async def leave(self) -> None:
        """Go in good order."""
        await self.presence.__aexit__(None, None, None)

    def sees(self, names: set[str]) -> bool:
        """Tell whether they know that these are there, and nobody else."""
        shown = [member.state for member in self.presence.members]
        return self.presence.current and len(shown) == len(names) and set(shown) == names


@dataclass
class Editor:
    """One of those who write the text.

    Attributes:
        kept: The letters that somebody has typed and nobody has taken out.
    """

    shared: SharedDoc
    kept: set[str]
    typed: int = 0

    @property
    def text(self) -> Text:
        text: Text = self.shared.doc.get("text", type=Text)
        return text

    def type(self, chance: random.Random, letter: str) -> None:
        """Put a letter somewhere, or take one out."""
        text = str(self.text)
        if text and chance.random() < 0.2:
            at = chance.randrange(len(text))
            self.kept.discard(text[at])
            start = len(text[:at].encode())
            del self.text[start : start + len(text[at].encode())]
        else:
            self.text.insert(len(text[: chance.randint(0, len(text))].encode()), letter)
            self.kept.add(letter)
            self.typed += 1


class Trial:
    """The people, the hubs, and what befalls them."""

    def __init__(self, hubs: list[Hub], chance: random.Random) -> None:
        self._hubs = hubs
        self._chance = chance
        self._people: list[Person] = []
        self._away: list[Person] = []
        self._left: list[Person] = []
        self._editors: list[Editor] = []
        self._letters = 0
        self.seconds: dict[str, list[float]] = defaultdict(list)
        self.faults: list[str] = []

    async def gather(self, stack: AsyncExitStack, people: int) -> None:
        """Have everybody come in, and three of them open the text."""
        names = [f"p{number}" for number in range(people)]
        clients = [(name, *(await self._connected(stack, name))) for name in names]
        args = {"id": await clients[0][2].mutation("together:add", {"title": "a", "writers": names})}
        kept = set[str]()
        for name, proxy, client in clients:
            person = Person(name, proxy, client, args, client.presence("together:room", args, state=name))
            await person.presence.__aenter__()
            self._people.append(person)
        for person in self._people[:EDITORS]:
            shared = client_doc(person.client, args)
            self._editors.append(Editor(await stack.enter_async_context(shared), kept))

    async def _connected(self, stack: AsyncExitStack, name: str) -> tuple[Proxy, Client]:
        ports = [hub.port for hub in self._hubs]
        proxy = await stack.enter_async_context(Proxy(lambda: self._chance.sample(ports, len(ports))))
        client = await stack.enter_async_context(Client(proxy.url, token=f"dev:{name}@example.org"))
        await client.connected(STARTING_SECONDS)
        return proxy, client

    async def type(self) -> None:
        """Type until cancelled."""
        while True:
            self._chance.choice(self._editors).type(self._chance, chr(0x4E00 + self._letters))
            self._letters += 1
            await asyncio.sleep(0.05)

    async def round(self) -> None:
        """Have something happen, and see how long it takes until all know who is there."""
        await self.come_back()
        what = self._chance.choice(HAPPENINGS)
        began = time.monotonic()
        match what:
            case "a hub is killed":
                await asyncio.gather(*(hub.listens() for hub in self._hubs))
                began = time.monotonic()
                self._restart(self._chance.choice(self._hubs))
            case "both hubs are killed":
                self._restart(*self._hubs)
                await self._one_listens()
                began = time.monotonic()
            case "lines are cut":
                for person in self._chance.sample(self._people, len(self._people) // 2):
                    person.proxy.cut(self._chance.choice([*Direction]))
            case "a line goes dead":
                self._take_away().proxy.stall()
            case _:
                person = self._take_away()
                await person.leave()
                self._left.append(person)
        await self.until_seen(what, began)

    @staticmethod
    def _restart(*hubs: Hub) -> None:
        for hub in hubs:
            hub.kill()
        for hub in hubs:
            hub.start()

    async def _one_listens(self) -> None:
        waiting = [asyncio.create_task(hub.listens()) for hub in self._hubs]
        await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        for task in waiting:
            task.cancel()

    def _take_away(self) -> Person:
        person = self._chance.choice(self._people[EDITORS:])
        person.is_there = False
        self._away.append(person)
        return person

    async def come_back(self) -> None:
        """Have those come back who were away."""
        began, back = time.monotonic(), self._away
        self._away = []
        for person in back:
            person.is_there = True
            person.proxy.resume()
        for person in self._left:
            await person.enter()
        self._left = []
        if back:
            await self.until_seen("somebody comes back", began)

    async def until_seen(self, what: str, began: float) -> None:
        """Wait until everybody who is there sees everybody who is there, and nobody else."""
        there = [person for person in self._people if person.is_there]
        names = {person.name for person in there}
        wrong_until = began
        while (now := time.monotonic()) - max(wrong_until, began) < CALM_SECONDS:
            if not all(person.sees(names) for person in there):
                wrong_until = now
            if wrong_until - began > SEEN_SECONDS:
                for person in there:
                    if not person.sees(names):
                        shown = sorted(str(member.state) for member in person.presence.members)
                        current = "" if person.presence.current else ", as of the connection before"
                        told = f"{person.name} sees {', '.join(shown)}{current}; there are {', '.join(sorted(names))}"
                        self.faults.append(f"{what}: after {SEEN_SECONDS:g} s {told}")
                break
            await asyncio.sleep(0.02)
        self.seconds[what].append(wrong_until - began)

    async def converge(self) -> None:
        """See whether all three come to have the same text, and each letter of it."""
        async with asyncio.timeout(120):
            for editor in self._editors:
                await editor.shared.until_saved()
            kept = sorted(self._editors[0].kept)
            for editor in self._editors:
                while sorted(str(editor.text)) != kept:
                    await editor.shared.changed.after(editor.shared.changed.count)
        if len({str(editor.text) for editor in self._editors}) != 1:
            self.faults.append("the three texts are not the same")

    def lines(self) -> list[str]:
        """Say how long it took."""
        found = [
            f"{what}: {len(seconds)} times, the last to know who is there did after {max(seconds):.1f} s at most"
            f" ({sorted(seconds)[len(seconds) // 2]:.1f} s at the median)"
            for what, seconds in sorted(self.seconds.items())
        ]
        typed = sum(editor.typed for editor in self._editors)
        left = len(self._editors[0].kept)
        return [*found, f"{typed} letters typed by {EDITORS}, {left} of them left: the same text at all three"]


def client_doc(client: Client, args: dict[str, Any]) -> SharedDoc:
    """Open the text of a plan."""
    return client.shared_doc(*PATHS, args, doc=Doc[Any]())


async def tried(store: str, people: int, rounds: int, seed: int) -> Trial:
    """Do so many rounds on a store."""
    hubs = [Hub(store), Hub(store)]
    trial = Trial(hubs, random.Random(seed))
    try:
        for hub in hubs:
            hub.start()
        async with AsyncExitStack() as stack:
            await trial.gather(stack, people)
            await trial.until_seen("all come in", time.monotonic())
            typing = asyncio.create_task(trial.type())
            for _ in range(rounds):
                if not trial.faults:
                    await trial.round()
            typing.cancel()
            await trial.come_back()
            await trial.converge()
    finally:
        for hub in hubs:
            hub.kill()
    return trial


def main() -> None:
    """Do it, and print how long it took."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--people", type=int, default=8)
    parser.add_argument("--rounds", type=int, default=12)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    with running_mongod() as uri:
        store = urlsplit(uri)._replace(path=f"/together_{os.getpid()}").geturl()
        trial = asyncio.run(tried(store, given.people, given.rounds, given.seed))
    for line in (*trial.lines(), *trial.faults):
        print(line)
    print(f"load {os.getloadavg()[0]:.1f}")
    if trial.faults:
        sys.exit(1)


if __name__ == "__main__":
    main()
