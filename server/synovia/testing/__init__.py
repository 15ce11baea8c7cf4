"""For tests: an application in this process, and the contract of a store (``synovia.testing.stores``).

::

    async with TestApp("apps/motion") as app:
        alice = app.caller("alice@example.org")
        await alice.mutation("users:register", {"name": "Alice", "role": "patient"})
        assert (await alice.query("users:me"))["name"] == "Alice"

See docs/testing.md.
"""

from synovia.auth.development import DevelopmentAuthenticator
from synovia.testing.access import AccessMatrix, access_matrix
from synovia.testing.app import CallsFailed, TestApp
from synovia.testing.caller import Caller
from synovia.testing.clock import Clock
from synovia.testing.mailbox import Mailbox
from synovia.testing.subscription import Subscription

__all__ = [
    "AccessMatrix",
    "Caller",
    "CallsFailed",
    "Clock",
    "DevelopmentAuthenticator",
    "Mailbox",
    "Subscription",
    "TestApp",
    "access_matrix",
]
