"""Messages and bytes: what one connection, or one address, may send in a second."""

from __future__ import annotations

from synovia.limits.bucket import Bucket


class Meter:
    """Messages and bytes of one connection, or of one address.

    Args:
        messages, size: What may come in a second; ``size`` is in bytes.

    Attributes:
        left: The share that was left of a full bucket, of the emptier of the two, when something was last taken; there is
            so much at least.
    """

    __slots__ = ("_bytes", "_messages", "left")

    def __init__(self, messages: float, size: float, now: float) -> None:
        self._messages = Bucket(messages, now)
        self._bytes = Bucket(size, now)
        self.left = 1.0

    def take(self, messages: float, size: float, now: float) -> None:
        """Count what has come."""
        of_messages, of_bytes = self._messages.take(messages, now), self._bytes.take(size, now)
        self.left = of_messages if of_messages < of_bytes else of_bytes

    def wait(self, now: float, reserve: float = 0.0) -> float:
        """Tell the seconds until there is no debt, and ``reserve`` is left."""
        return max(self._messages.wait(now, reserve), self._bytes.wait(now, reserve))

    def wait_for(self, messages: float, size: float, now: float) -> float:
        """Tell the seconds until so much can be taken without a debt; what is more than a bucket holds, once it is full."""
        return max(self._messages.wait_for(messages, now), self._bytes.wait_for(size, now))

    def full(self, now: float) -> bool:
        """Tell whether a new one would be the same."""
        return self._messages.full(now) and self._bytes.full(now)
