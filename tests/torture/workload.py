"""What the clients do, drawn from a seed: few things, so that they meet."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from synovia_client import Client
from torture.actor import TIMEOUTS, Actor
from torture.history import Call, Final, History

Deed = Callable[[Actor, "Scale"], Awaitable[Call]]


@dataclass(frozen=True, slots=True)
class Scale:
    """How many things there are; the fewer, the more conflicts.

    Attributes:
        weights: How often each kind of deed is chosen; one that is not named is not done.
        pause: The longest wait of a client between two deeds, in seconds.
    """

    accounts: int = 8
    balance: int = 100
    registers: int = 6
    posts: int = 4
    counters: int = 4
    weights: dict[str, int] = field(default_factory=lambda: dict.fromkeys(DEEDS, 1))
    pause: float = 0.02


async def transfer(actor: Actor, scale: Scale) -> Call:
    source, target = actor.random.sample(range(scale.accounts), 2)
    name = actor.next_name()
    args = {"ref": name, "source": f"a{source}", "target": f"a{target}", "amount": actor.random.randint(1, 30)}
    return await actor.call("transfer", "accounts:transfer", args, name)


async def append(actor: Actor, scale: Scale) -> Call:
    names = [f"r{number}" for number in range(scale.registers)]
    read = actor.random.sample(names, actor.random.randint(1, 3))
    to = actor.random.sample(names, actor.random.randint(1, 2))
    name = actor.next_name()
    args = {"read": read, "append": to, "item": actor.number * 1_000_000 + int(name.partition("n")[2])}
    return await actor.call("append", "registers:transact", args, name)


async def peek(actor: Actor, scale: Scale) -> Call:
    names = [f"r{number}" for number in range(scale.registers)]
    return await actor.call("peek", "registers:peek", {"read": actor.random.sample(names, min(2, len(names)))})


async def leave(actor: Actor, scale: Scale) -> Call:
    post = f"g{actor.random.randrange(scale.posts)}"
    return await actor.call("leave", "guards:leave", {"post": post, "side": actor.random.randrange(2)})


async def arrive(actor: Actor, scale: Scale) -> Call:
    return await actor.call("arrive", "guards:arrive", {"post": f"g{actor.random.randrange(scale.posts)}"})


async def increment(actor: Actor, scale: Scale) -> Call:
    name = f"c{actor.random.randrange(scale.counters)}"
    return await actor.call("increment", "counters:increment", {"name": name})


async def place(actor: Actor, scale: Scale) -> Call:
    args = {"person": actor.person, "inside": actor.random.random() < 0.5}
    return await actor.call("place", "roles:place", args)


async def claim_handle(actor: Actor, scale: Scale) -> Call:
    return await _claim(actor, "handle")


async def claim_seat(actor: Actor, scale: Scale) -> Call:
    return await _claim(actor, "seat")


async def _claim(actor: Actor, what: str) -> Call:
    """Everybody wants the next name, so that several want it at once."""
    call, counts = actor.next_name(), actor.history.counts
    name = f"{what}{counts[what + 's claimed'] + actor.random.randrange(2)}"
    done = await actor.call(what, f"names:claim_{what}", {"name": name, "owner": call}, call)
    counts[what + "s claimed"] += done.outcome == "ok"
    return done


DEEDS: dict[str, Deed] = {
    "transfer": transfer,
    "append": append,
    "peek": peek,
    "leave": leave,
    "arrive": arrive,
    "increment": increment,
    "place": place,
    "handle": claim_handle,
    "seat": claim_seat,
}


async def prepare(url: str, scale: Scale, history: History) -> None:
    """Fill the database before anybody looks."""
    history.total = scale.accounts * scale.balance
    async with Client(url, timeouts=TIMEOUTS, proxy=None) as client:
        await client.mutation("accounts:create", {"count": scale.accounts, "balance": scale.balance})
        await client.mutation("registers:create", {"count": scale.registers})
        await client.mutation("guards:create", {"count": scale.posts})


async def act_until(actor: Actor, scale: Scale, stopping: asyncio.Event) -> None:
    """Do one thing after the other until it is time to stop."""
    kinds, weights = list(scale.weights), list(scale.weights.values())
    while not stopping.is_set():
        kind = actor.random.choices(kinds, weights)[0]
        await DEEDS[kind](actor, scale)
        await asyncio.sleep(actor.random.random() * scale.pause)


async def final_state(url: str) -> Final:
    """Read everything through one hub, not before it has seen all commits."""
    async with Client(url, timeouts=TIMEOUTS, proxy=None) as client:
        await client.mutation("counters:increment", {"name": "last"})
        accounts, first, second, registers, on_duty, counters = [
            await client.query(path, args) for path, args in _STATE
        ]
        return Final(
            accounts,
            (first, second),
            await client.query("accounts:ledger"),
            registers,
            on_duty,
            {name: value for name, value in counters.items() if name != "last"},
            await client.query("names:handles"),
            await client.query("names:seats"),
        )


_STATE: list[tuple[str, dict[str, Any]]] = [
    ("accounts:all_of_them", {}),
    ("accounts:on_side", {"side": 0}),
    ("accounts:on_side", {"side": 1}),
    ("registers:all_of_them", {}),
    ("guards:on_duty", {}),
    ("counters:all_of_them", {}),
]


def seeds(seed: int) -> Callable[[], int]:
    """Give further seeds drawn from one."""
    chance = random.Random(seed)
    return lambda: chance.randrange(1 << 32)
