"""Mutations that several hubs want to commit at once are run by one of them."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Final

from synovia.engine.outcomes import Outcome
from synovia.engine.peers import MutationCall, NotForwarded
from synovia.functions.registry import Registry
from synovia.hubs.channel import NotAPeer, connected
from synovia.hubs.leadership import Leadership, Mark, new_name
from synovia.hubs.link import Link, LinkLost
from synovia.hubs.listener import Listener
from synovia.hubs.wire import fingerprint, pack_call, pack_outcome, unpack_call, unpack_outcome
from synovia.tasks import end

logger = logging.getLogger("synovia")

MOST_BYTES: Final = 256 * 1024
"""Larger mutations are run where they come in."""
MOST_WAITING: Final = 1000
"""More are not sent to one hub at a time."""
MUTATION: Final = b"m"
PRESENCE: Final = b"p"
"""What a question begins with: a mutation that is to be run, or who is present."""
PATIENCE: Final = 10.0
"""Seconds until a mutation that another hub has not finished is run here."""


class Forwarding:
    """The other hubs of one database, for an engine (see ``engine/peers``).

    Args:
        host: Where this hub is reached by the others.
        registry: The application; hubs with another one have nothing to do with this one.
        leadership: What is known of who overtakes whom.
    """

    def __init__(self, secret: bytes, host: str, registry: Registry, leadership: Leadership | None = None) -> None:
        self._name = new_name()
        self._secret = secret
        self._host = host
        self._fingerprint = fingerprint(registry)
        self._leadership = leadership or Leadership(self._name)
        self._links: dict[bytes, Link] = {}
        self._connecting: dict[bytes, asyncio.Task[None]] = {}
        self._listener: Listener | None = None
        self.mark = b""
        self.counters: Counter[str] = Counter()

    async def start(
        self,
        run: Callable[[MutationCall], Awaitable[Outcome]],
        hear: Callable[[bytes], Awaitable[bytes]] | None = None,
    ) -> None:
        """Listen for other hubs.

        Args:
            run: Runs a mutation here, whoever should.
            hear: Takes what another hub tells of who is present there.
        """

        async def answer(question: bytes) -> bytes:
            if question.startswith(PRESENCE) and hear is not None:
                return await hear(question[len(PRESENCE) :])
            if not question.startswith(MUTATION):
                raise NotAPeer("it asks for something else than a mutation")
            self.counters["received"] += 1
            return pack_outcome(await run(unpack_call(question[len(MUTATION) :])))

        self._listener = Listener(self._secret, self._name + self._fingerprint, answer)
        try:
            port = await self._listener.open(self._host)
        except OSError as error:  # all goes on without, only slower where hubs want the same
            logger.warning("this hub cannot be reached by others at %s (SYNOVIA_HUBS_HOST): %s", self._host, error)
            return
        self.mark = Mark(self._name, self._host, port).pack()

    async def stop(self) -> None:
        """Let go of the other hubs."""
        self.mark = b""
        await end(self._connecting.values())
        for link in self._links.values():
            await link.close()
        if self._listener is not None:
            await self._listener.close()

    def heard(self, mark: bytes) -> None:
        """Take notice of a hub that has committed."""
        self._leadership.heard(mark)

    def overtaken(self, path: str) -> None:
        """Take notice that another hub's commit has overtaken a run of a function."""
        self._leadership.overtaken(path)

    def leads(self, path: str) -> bool:
        """Tell whether another hub should run a function, and can be asked to."""
        return self._link_for(path) is not None

    def _link_for(self, path: str) -> tuple[bytes, Link] | None:
        leader = self._leadership.leader(path) if self.mark else None
        if leader is None:
            return None
        link = self._links.get(leader.name)
        if link is None or not link.is_open:
            self._begin_to_connect(leader)
            return None
        return (leader.name, link) if len(link) < MOST_WAITING else None

    def _begin_to_connect(self, leader: Mark) -> None:
        if leader.name in self._connecting:
            return
        task = asyncio.create_task(self._connect(leader), name="connect to a hub")
        self._connecting[leader.name] = task
        task.add_done_callback(lambda _: self._connecting.pop(leader.name, None))

    async def _connect(self, leader: Mark) -> None:
        self._links = {name: link for name, link in self._links.items() if link.is_open}
        try:
            self._links[leader.name] = await self.connect(leader)
        except LinkLost as error:
            logger.info("the hub at %s:%d is left alone: %s", leader.host, leader.port, error)
            self._leadership.avoid(leader.name)

    async def connect(self, mark: Mark) -> Link:
        """Open a connection to another hub; whoever has opened it closes it.

        Raises:
            LinkLost: It cannot be reached, or is another one.
        """
        try:
            channel = await connected(mark.host, mark.port, self._secret, mark.name + self._fingerprint)
        except (OSError, EOFError, TimeoutError, NotAPeer) as error:
            raise LinkLost(str(error) or type(error).__name__) from error
        return Link(channel)

    @property
    def name(self) -> bytes:
        """The name of this hub, new each time that it starts."""
        return self._name

    async def forward(self, call: MutationCall) -> Outcome:
        """Have another hub run a mutation.

        Raises:
            NotForwarded: It has to be run here.
        """
        found = self._link_for(call.path)
        if found is None:
            raise NotForwarded("there is no hub to run it", sent=False)
        name, link = found
        try:
            packed = pack_call(call)
        except (TypeError, ValueError) as error:
            raise NotForwarded(f"it does not travel: {error}", sent=False) from error
        if len(packed) > MOST_BYTES:
            raise NotForwarded("it is too large", sent=False)
        self.counters["forwarded"] += 1
        try:
            async with asyncio.timeout(PATIENCE):
                outcome = unpack_outcome(await link.ask(MUTATION + packed))
        except (LinkLost, TimeoutError) as error:
            self._leadership.avoid(name)
            self.counters["returned"] += 1
            raise NotForwarded(str(error) or "it takes too long", sent=True) from error
        if outcome.unknown:
            self.counters["returned"] += 1
            raise NotForwarded("nobody can tell there whether it was committed", sent=True)
        return outcome
