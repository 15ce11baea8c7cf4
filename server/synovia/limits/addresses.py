"""What all connections and requests from one network address use together."""

from __future__ import annotations

import asyncio
import ipaddress
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import lru_cache

from starlette.types import Scope

from synovia.limits.bucket import Bucket
from synovia.limits.meter import Meter
from synovia.limits.recent import Recent
from synovia.limits.settings import HubLimits
from synovia.limits.shares import Share, Shares
from synovia.limits.slots import Slots

MOST_REMEMBERED = 10_000
"""Addresses without a connection whose use is still remembered; the oldest are forgotten."""
AT_ONCE = 8
"""Turns of an address that need not wait for one another."""
ALONE = 8.0
QUIET_SECONDS = 1.0
HANDSHAKE_MESSAGES = 10.0
"""What a handshake costs of an address that has had as many as it has places, of late."""
_TRANSLATED = ipaddress.ip_network("64:ff9b::/96")
"""IPv4 addresses as a translator before an IPv6 server shows them (RFC 6052); one /64 would be all of them together."""
_RETURN_SECONDS = 10.0
_MINUTE = 60.0
_HOUR = 3600.0


@lru_cache(maxsize=4096)
def network_of(host: str) -> str:
    """Give what stands for one user's network: an IPv4 address, or the /64 of an IPv6 one, of which one user has many."""
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return host[:64]
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return str(address.ipv4_mapped)
        if address in _TRANSLATED:
            return str(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF))
        return str(ipaddress.ip_network((address, 64), strict=False))
    return str(address)


def sign_ins(per_minute: float, now: float) -> Bucket:
    """Make the bucket that tokens to verify are taken from: all of a minute's may come at once."""
    return Bucket(per_minute / _MINUTE, now, burst=per_minute)


class Activity:
    """Who was heard of last: tells whether somebody else would notice what one address has the hub do."""

    __slots__ = ("_before", "_latest", "_latest_at")

    def __init__(self) -> None:
        self._latest: Address | None = None
        self._latest_at = self._before = float("-inf")

    def note(self, address: Address, now: float) -> None:
        """Hear of an address."""
        if address is not self._latest:
            self._before, self._latest = self._latest_at, address
        self._latest_at = now

    def heard_of_others(self, address: Address) -> float:
        """Tell when an address other than this one was heard of last."""
        return self._before if address is self._latest else self._latest_at


class Address(Share):
    """One network address.

    Attributes:
        connections: WebSockets that are open.
        arriving: Handshakes that wait for their turn.
        requests: HTTP requests that are being answered.
        visitors: Connections that are not WebSockets, or not yet.
        subscriptions: Queries in the query sets of all its connections.
        upload_bytes: Samples of uploads that are not complete.
        running: Lets so many functions run at once.
        storing: Lets so many chunks be on their way to the store at once.
        meter: Messages and bytes.
        handshakes: As many as there are places, within ten seconds, cost nothing of these: a clinic comes back at once.
        in_line: How many of its connections wait for these.
        sign_ins: Tokens to verify.
        anonymous_samples: Bytes of arrays from whoever is not signed in.
    """

    __slots__ = (
        "_activity", "_line", "_next_turn", "anonymous_samples", "arriving", "connections", "handshakes", "in_line",
        "meter", "requests", "running", "sign_ins", "storing", "subscriptions", "upload_bytes", "visitors",
    )  # fmt: skip

    def __init__(self, limits: HubLimits, now: float, activity: Activity, shares: Shares, network: str) -> None:
        super().__init__(shares, network)
        self._activity = activity
        self._next_turn = 0.0
        self.connections = 0
        self.arriving = 0
        self.requests = 0
        self.visitors = 0
        self.subscriptions = 0
        self.upload_bytes = 0
        self.running = Slots(limits.max_running_per_address)
        self.storing = asyncio.Semaphore(limits.max_chunks_per_address)
        self.in_line = 0
        self._line = asyncio.Lock()
        self.meter = Meter(limits.max_messages_per_second_per_address, limits.max_bytes_per_second_per_address, now)
        places = limits.max_connections_per_address
        self.handshakes = Bucket(places / _RETURN_SECONDS, now, burst=places)
        self.sign_ins = sign_ins(limits.max_authentications_per_minute_per_address, now)
        hourly = limits.max_anonymous_upload_bytes_per_hour
        self.anonymous_samples = Bucket(hourly / _HOUR, now, burst=hourly)

    @asynccontextmanager
    async def standing_in_line(self) -> AsyncIterator[None]:
        """Run the block behind those who stand there already."""
        self.in_line += 1
        try:
            async with self._line:
                yield
        finally:
            self.in_line -= 1

    def take(self, messages: float, size: float, now: float) -> None:
        """Count what has come from there."""
        self._activity.note(self, now)
        self.meter.take(messages, size, now)

    def take_handshake(self, now: float) -> None:
        """Count a handshake."""
        self.take(0 if self.handshakes.spend(1, now) <= 0 else HANDSHAKE_MESSAGES, 0, now)

    def turn(self, spacing: float, now: float) -> float:
        """Give something that takes a while its turn; tell the seconds until then, 0 or less while there are few.

        Args:
            spacing: Seconds from one turn to the next, so that others have theirs in between; an eighth if nobody else was
                heard of for a while.
        """
        if now - self._activity.heard_of_others(self) > QUIET_SECONDS:
            spacing /= ALONE
        self._next_turn = max(self._next_turn, now - AT_ONCE * spacing) + spacing
        return self._next_turn - now

    @property
    def in_use(self) -> bool:
        """Whether anybody is connected from there."""
        return bool(self.connections or self.arriving or self.requests or self.visitors)

    def idle(self, now: float) -> bool:
        """Tell whether a new one would be the same."""
        buckets = (self.meter, self.handshakes, self.sign_ins, self.anonymous_samples)
        return not self.in_use and all(each.full(now) for each in buckets)


class Addresses:
    """Every address that has a connection, or has used something up of late.

    Args:
        clock: Tells seconds, steadily.

    Attributes:
        application: The share of what the application schedules itself: as that of one address.
    """

    def __init__(self, limits: HubLimits, clock: Callable[[], float]) -> None:
        self._limits = limits
        self._clock = clock
        self._activity = Activity()
        self._shares = Shares(clock)
        self.application = Share(self._shares)
        self._callers = Recent[str, Share](MOST_REMEMBERED)
        self._known: dict[str, Address] = {}

    def __len__(self) -> int:
        return len(self._known)

    def of(self, host: str) -> Address:
        """Find what an address uses."""
        network = network_of(host)
        address = self._known.get(network)
        if address is None:
            if len(self._known) >= MOST_REMEMBERED:
                self.tidy()
            address = Address(self._limits, self._clock(), self._activity, self._shares, network)
            self._known[network] = address
        return address

    def payer(self, cause: str | None) -> Share:
        """Find the share of whoever causes a call: a network address, the ``Identity.pseudonym`` of who is signed in, or
        None for the application itself."""
        if cause is None:
            return self.application
        if "|" not in cause:
            return self.of(cause)
        return self._callers.use(cause, lambda: Share(self._shares, cause))

    def of_peer(self, scope: Scope) -> Address:
        """Find what the address uses that a request, or a handshake, comes from."""
        return self.of((scope.get("client") or ("unknown", 0))[0])

    def tidy(self) -> None:
        """Forget those that would be the same if they were made anew; if there are too many, the oldest unconnected ones."""
        now = self._clock()
        for network in [network for network, address in self._known.items() if address.idle(now)]:
            del self._known[network]
        excess = len(self._known) - MOST_REMEMBERED + MOST_REMEMBERED // 10  # not one at a time: this looks at all
        if excess > MOST_REMEMBERED // 20:
            unused = [name for name, address in self._known.items() if not address.in_use]
            for network in unused[:excess]:
                del self._known[network]
