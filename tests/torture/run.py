"""One round: hubs, clients, faults, and then the checker."""

from __future__ import annotations

import asyncio
import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from uuid import uuid4

from helpers.mongod import ReplicaSet, drop_database
from synovia_client import RequestTimeout
from torture.actor import Actor, acting
from torture.checker import check
from torture.history import Anomaly, History, Outcome
from torture.hub import APP
from torture.nemesis import Nemesis
from torture.processes import HubProcess, running_hubs
from torture.readers import read_until
from torture.trouble import COMMITS
from torture.workload import Scale, act_until, final_state, prepare, seeds


@dataclass(frozen=True, slots=True)
class Round:
    """What to do.

    Attributes:
        seconds: How long the clients act at least; calming down and checking comes on top.
        sights: How many transitions the clients must have seen at least; on a busy machine they act longer for it.
        readers: Who come anew for each question.
        faults: The kinds of faults to make: all that apply (None), or none at all (empty).
        sabotage: The guarantee to switch off; see ``hub``.
        troubled: Have commits go wrong; see ``trouble``.
    """

    seed: int
    seconds: float
    clients: int = 8
    hubs: int = 2
    readers: int = 2
    scale: Scale = field(default_factory=Scale)
    faults: Sequence[str] | None = None
    sabotage: str | None = None
    troubled: bool = False
    sights: int = 0

    def is_done_by(self, history: History) -> bool:
        """Tell whether enough has happened to prove something: each kind of deed, and the transitions that are wanted."""
        done = {call.kind for call in history.calls if call.outcome is Outcome.OK or call.error == "peeked"}
        return len(history.sights) >= self.sights and (not self.sights or done == set(self.scale.weights))


@dataclass(slots=True)
class Report:
    """What came of a round."""

    round: Round
    history: History
    anomalies: list[Anomaly]
    printed: str

    @property
    def kinds(self) -> set[str]:
        """The kinds of anomalies that were found."""
        return {anomaly.kind for anomaly in self.anomalies}

    def __str__(self) -> str:
        history, outcomes = self.history, Counter(call.outcome for call in self.history.calls)
        faults = ", ".join(f"{kind} {count}" for kind, count in sorted(history.faults.items()))
        lines = [
            f"seed {self.round.seed}: {self.round.seconds:g} s, {self.round.clients} clients, {self.round.hubs} hubs",
            f"  operations {len(history.calls)}: " + ", ".join(f"{outcomes[outcome]} {outcome}" for outcome in Outcome),
            f"  faults {history.faults.total()}: {faults or 'none'}",
            f"  retries {history.counts['retries']}, run at another hub {history.counts['forwarded']}, "
            f"connections lost {history.counts['connections lost']}, "
            f"resyncs {history.counts['resyncs']}",
            f"  transitions checked {len(history.sights)}, readings {len(history.readings)}",
            f"  anomalies = {len(self.anomalies)}",
        ]
        return "\n".join(lines + [f"    {anomaly}"[:400] for anomaly in self.anomalies[:20]])


async def torture(plan: Round, store: str, replica_set: ReplicaSet | None = None) -> Report:
    """Run one round on a store that nobody else uses, and check its history."""
    history, draw = History(), seeds(plan.seed)
    with tempfile.TemporaryDirectory(prefix="synovia-torture-") as directory:
        logs = [Path(directory) / f"hub{number}.log" for number in range(plan.hubs)]
        environment = {COMMITS: str(plan.seed)} if plan.troubled else {}
        hubs = [HubProcess(store, log, plan.sabotage, APP, **environment) for log in logs]
        async with running_hubs(*hubs):
            await prepare(hubs[0].url, plan.scale, history)
            async with _cast(plan, history, hubs, draw) as actors:
                proxies = [actor.proxy for actor in actors]
                nemesis = Nemesis(history, hubs, proxies, replica_set, draw(), plan.faults, troubled=plan.troubled)
                await _play(plan, actors, hubs, history, nemesis, draw)
            stuck = [fault for hub in hubs if (fault := await _finish(hub, history)) is not None]
        printed = "\n".join(hub.printed() for hub in hubs)
    return Report(plan, history, stuck + check(history), printed)


async def _finish(hub: HubProcess, history: History) -> Anomaly | None:
    """Read the last state through a hub; one that does not answer although everything has been mended is stuck."""
    history.counts["forwarded"] += int((await hub.health() or {}).get("forwardedMutations", 0))
    try:
        history.finals.append(await final_state(hub.url))
    except RequestTimeout as error:
        return Anomaly("stuck", f"hub {hub.port}: {error}; its health: {await hub.health()}")
    return None


@asynccontextmanager
async def _cast(plan: Round, history: History, hubs: Sequence[HubProcess], draw: object) -> AsyncIterator[list[Actor]]:
    assert callable(draw)
    ports = [hub.port for hub in hubs]
    async with AsyncExitStack() as stack:
        acts = [acting(number, history, ports, draw()) for number in range(plan.clients)]
        yield await asyncio.gather(*(stack.enter_async_context(act) for act in acts))


async def _play(
    plan: Round,
    actors: Sequence[Actor],
    hubs: Sequence[HubProcess],
    history: History,
    nemesis: Nemesis,
    draw: Callable[[], int],
) -> None:
    """Let everybody act for a while, then mend everything and wait until all have their answers."""
    stopping = asyncio.Event()
    async with asyncio.TaskGroup() as tasks:
        for actor in actors:
            tasks.create_task(act_until(actor, plan.scale, stopping))
        people = [actor.person for actor in actors]
        for _ in range(plan.readers):
            tasks.create_task(read_until(stopping, history, hubs, people, plan.scale, draw()))
        raging = tasks.create_task(nemesis.rage(stopping)) if plan.faults != () else None
        await asyncio.sleep(plan.seconds)
        await _until_enough(plan, history)
        if raging is not None:
            await nemesis.made_each.wait()
        stopping.set()
        if raging is not None:
            await raging
        await nemesis.mend()


async def _until_enough(plan: Round, history: History) -> None:
    while not plan.is_done_by(history):  # noqa: ASYNC110 - a history is written by many, and has no event for this
        await asyncio.sleep(0.1)


@asynccontextmanager
async def fresh_database(replica_set: ReplicaSet) -> AsyncIterator[str]:
    """Give the address of a database of one's own, and drop it afterwards."""
    name = f"torture_{uuid4().hex[:10]}"
    address, _, options = replica_set.uri.partition("/?")
    try:
        yield f"{address}/{name}?{options}"
    finally:
        await asyncio.to_thread(drop_database, replica_set.uri, name)
