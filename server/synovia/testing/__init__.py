"""For tests: an application in this process, and the contract of a store (``synovia.testing.stores``).

::

    async with TestApp("apps/motion") as app:
        alice = app.caller("alice@example.org")
        await alice.mutation("users:register", {"name": "Alice", "role": "patient"})
        assert (await alice.query("users:me"))["name"] == "Alice"
"""

from synovia.testing.app import Caller, CallsFailed, Clock, TestApp

__all__ = ["Caller", "CallsFailed", "Clock", "TestApp"]
