"""The server's clock, as far as a client needs it: when tokens expire, and when a mutation was first asked for."""

from __future__ import annotations

from synovia_client.clock import Clock

_YEAR_10000 = 253_402_300_800_000
"""In milliseconds since 1970; no clock shows that, and a request that names such a time could not be sent again."""


class ServerTime:
    """Knows the server's time from its welcome on; in milliseconds since 1970."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._offset: float | None = None

    def learn(self, server_time: int | None) -> None:
        """Take what the server says its clock shows now; None when it does not say."""
        if server_time is not None and server_time >= _YEAR_10000:
            server_time = None
        self._offset = None if server_time is None else server_time - self._clock.time() * 1000

    def now(self) -> int | None:
        """Give the server's time; None when it is not known."""
        return None if self._offset is None else round(self._clock.time() * 1000 + self._offset)

    def until(self, moment: int | None) -> float | None:
        """Give the seconds until a moment of the server's clock; None when one of the two is not known."""
        now = self.now()
        return None if now is None or moment is None else (moment - now) / 1000
