"""Run an application in a test: in this process, on a store in memory, without a socket.

::

    async with TestApp("apps/motion") as app:
        alice = app.caller("alice@example.org")
        await alice.mutation("users:register", {"name": "Alice", "role": "patient"})
        assert (await alice.query("users:me"))["name"] == "Alice"
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from datetime import timedelta
from email.message import EmailMessage
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np

from synovia.auth.development import DevelopmentAuthenticator, development_identity
from synovia.auth.keyring import KeyRing
from synovia.auth.sessions import Sessions, SessionTimes
from synovia.auth.sign_in import TABLES, SignInService
from synovia.engine.engine import Engine
from synovia.functions.registry import Registry, load_application
from synovia.functions.services import Services
from synovia.identity import Identity
from synovia.mail.service import MailService
from synovia.scheduler.failures import Failure
from synovia.scheduler.runner import Runner, calls_of
from synovia.scheduler.settings import SchedulerSettings
from synovia.store import arrays, open_store
from synovia.store.base import Store
from synovia_protocol.messages import ArrayRef


class Clock:
    """A clock that a test moves; in seconds since 1970."""

    def __init__(self, now: float | None = None) -> None:
        self.now = time.time() if now is None else now

    def __call__(self) -> float:
        return self.now

    def advance(self, seconds: float) -> None:
        """Let ``seconds`` pass."""
        self.now += seconds


class _Outbox:
    """Takes messages as a mail server would."""

    def __init__(self, sent: list[EmailMessage]) -> None:
        self._sent = sent

    async def send(self, message: EmailMessage) -> None:
        self._sent.append(message)


class CallsFailed(Exception):
    """Scheduled calls or crons have failed.

    Attributes:
        failures: What has failed, in the order in which it did.
    """

    def __init__(self, failures: Sequence[Failure]) -> None:
        super().__init__("\n".join(map(str, failures)))
        self.failures = failures


class TestApp:
    """An application on a store of its own.

    Args:
        application: Its folder or file, or what ``load_application`` gave.
        store: A store's URL, or a store that is not open yet; by default one in memory.
        clock: The time as functions see it, if several applications share it.
        scheduler: How scheduled calls are run.

    Attributes:
        clock: The time as functions see it; ``advance`` moves it.
        mails: What ``ctx.mail`` has sent.
    """

    __test__ = False  # pytest would take it for a test case

    def __init__(
        self,
        application: str | Path | Registry,
        store: str | Store = "sqlite://:memory:",
        *,
        clock: Clock | None = None,
        scheduler: SchedulerSettings | None = None,
    ) -> None:
        self.registry = application if isinstance(application, Registry) else load_application(application)
        self.store = open_store(store) if isinstance(store, str) else store
        self.clock = clock or Clock()
        self.mails: list[EmailMessage] = []
        settings = scheduler or SchedulerSettings()
        calls = calls_of(self.registry, settings)
        mail = MailService(_Outbox(self.mails), "test@synovia.invalid", "https://synovia.invalid")
        times = SessionTimes()
        ring = KeyRing(self.store, signs=times.signing, lasts=times.key_life, clock=self.clock)
        sessions = Sessions(self.store, ring, times, self.clock)
        self.sign_in = SignInService(sessions, development=DevelopmentAuthenticator("127.0.0.1"), clock=self.clock)
        services = Services(calls, mail, sessions)
        self.engine = Engine(self.store, self.registry, debug=True, clock=self.clock, services=services)
        self.scheduler = Runner(self.engine, calls, settings, clock=self.clock)

    async def __aenter__(self) -> Self:
        await self.store.open([*self.registry.tables, *TABLES])
        await self.engine.start()
        await self.scheduler.adopt()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.scheduler.stop()
        await self.engine.stop()
        await self.store.close()

    async def advance(self, by: float | timedelta = 0.0, *, raise_failures: bool = True) -> None:
        """Let time pass, in seconds: scheduled calls and crons run, each at its time, until nothing is due any more.

        Answers of live queries that no longer hold are found anew. To let time pass in which no hub is there, move
        ``clock`` first.

        Args:
            raise_failures: Whether what has failed for good is raised once the time has passed.

        Raises:
            CallsFailed: A scheduled call, or a cron, has failed.
        """
        until = self.clock.now + (by.total_seconds() if isinstance(by, timedelta) else by)
        while (due := await self.scheduler.settle()) is not None and due / 1000 <= until:
            self._move_to((due + 0.5) / 1000)
        self._move_to(max(until, self.clock.now))
        await self.scheduler.settle()
        failures = self.scheduler.failures.take()
        if failures and raise_failures:
            raise CallsFailed(failures)

    def _move_to(self, now: float) -> None:
        self.clock.now = now
        self.engine.live.expire()

    def caller(self, email: str | None = None) -> Caller:
        """Give somebody who calls: signed in with a development identity, or nobody."""
        return Caller(self, None if email is None else development_identity(email))

    async def bearer(self, token: str) -> Caller:
        """Give who calls with a token of the server's own, as ``ctx.impersonate`` gives them.

        Raises:
            InvalidToken: It is not accepted.
        """
        return Caller(self, (await self.sign_in.authenticate(token)).identity)


class Caller:
    """Calls functions under one identity; results are wire values, arguments may hold numpy arrays."""

    def __init__(self, app: TestApp, identity: Identity | None) -> None:
        self._app = app
        self.identity = identity

    async def query(self, path: str, args: Mapping[str, Any] | None = None) -> Any:
        """Run a query.

        Raises:
            FunctionError: What a client would get.
        """
        outcome = await self._app.engine.query(path, await self._stored(args or {}), self.identity)
        return outcome.value()

    async def mutation(self, path: str, args: Mapping[str, Any] | None = None) -> Any:
        """Run a mutation; when this returns, queries see it.

        Raises:
            FunctionError: What a client would get.
        """
        outcome = await self._app.engine.mutate(path, await self._stored(args or {}), self.identity)
        await self._app.engine.wait_for(outcome.ts or 0)
        return outcome.value()

    async def action(self, path: str, args: Mapping[str, Any] | None = None) -> Any:
        """Run an action.

        Raises:
            FunctionError: What a client would get.
        """
        outcome = await self._app.engine.run_action(path, await self._stored(args or {}), self.identity)
        return outcome.value()

    async def array(self, ref: ArrayRef) -> np.ndarray[Any, Any]:
        """Read the samples that a result refers to."""
        return (await arrays.read_range(self._app.store.arrays, ref)).reshape(ref.shape)

    async def _stored(self, value: Any) -> Any:
        if isinstance(value, np.ndarray):
            return await arrays.write_array(self._app.store.arrays, value)
        if isinstance(value, Mapping):
            return {key: await self._stored(item) for key, item in value.items()}
        if isinstance(value, list | tuple):
            return [await self._stored(item) for item in value]
        return value
