"""An application in this process, on a store of its own, with a clock that the test moves."""

from __future__ import annotations

import base64
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import timedelta
from email.message import EmailMessage
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from pydantic import SecretStr
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource

from synovia.app import Synovia
from synovia.auth.development import development_identity
from synovia.auth.settings import AuthSettings
from synovia.auth.sign_in import SignInService
from synovia.config import Settings
from synovia.functions.access import CallOrigin
from synovia.functions.env import EnvError
from synovia.functions.registry import Registry, load_application
from synovia.identity import Identity
from synovia.limits.settings import HubLimits
from synovia.maintenance import ArraySettings
from synovia.migrations.check import TableCheck, check_table
from synovia.scheduler.failures import Failure
from synovia.scheduler.settings import SchedulerSettings
from synovia.schema.encrypted import sealed_fields
from synovia.sealing.settings import EncryptionSettings
from synovia.store.base import Store
from synovia.testing.caller import Caller
from synovia.testing.clock import Clock
from synovia.testing.http import KnownCallers, client_of
from synovia.testing.mailbox import Mailbox
from synovia.testing.subscription import Subscription

if TYPE_CHECKING:
    from httpx2 import AsyncClient

_MANY = 1_000_000
_LONG = 60.0
"""Seconds that a run of a function may take: a test tells nothing of how long it takes where many others run beside it."""


class CallsFailed(Exception):
    """Scheduled calls or crons have failed.

    Attributes:
        failures: What has failed, in the order in which it did.
    """

    def __init__(self, failures: Sequence[Failure]) -> None:
        super().__init__("\n".join(map(str, failures)))
        self.failures = failures


class _TestSettings(Settings):
    """Settings that no variable of the machine changes."""

    @classmethod
    def settings_customise_sources(
        cls, settings_cls: type[BaseSettings], init_settings: PydanticBaseSettingsSource, *others: Any, **more: Any
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return (init_settings,)


def settings_for_tests() -> Settings:
    """Give the settings of a server under test: no sweep of arrays, and no limits that a quick test would run into."""
    return _TestSettings(
        debug=True,
        public_url="https://synovia.invalid",
        auth=AuthSettings(email_from="test@synovia.invalid"),
        arrays=ArraySettings(sweep_at=""),
        limits=HubLimits(
            max_messages_per_second_per_address=_MANY,
            max_requests_per_address=_MANY,
            query_timeout=_LONG,
            mutation_timeout=_LONG,
        ),
    )


KEYS = EncryptionSettings(
    keys=SecretStr(" ".join(f"{id_}:{base64.b64encode(id_.encode() * 32)[:43].decode()}=" for id_ in ("t", "search")))
)
"""Keys for encrypted fields, which everybody knows; the same in all tests, so that a store can be opened again."""


def _settings_for(registry: Registry) -> Settings:
    settings, models = settings_for_tests(), registry.models.values()
    return settings.model_copy(update={"encryption": KEYS}) if any(map(sealed_fields, models)) else settings


def _replaying(scheduler: SchedulerSettings) -> SchedulerSettings:
    if "max_kept_workflows" in scheduler.model_fields_set:
        return scheduler
    return scheduler.model_copy(update={"max_kept_workflows": 0})


_OWN_VARIABLES = (
    "a test does not look at the variables of the machine: give TestApp(..., variables={...}), or the fixture `app` a "
    "fixture synovia_variables"
)


class TestApp:
    """An application on a store of its own.

    Args:
        application: Its folder or file, or what ``load_application`` gave.
        store: A store's URL, or a store that is not open yet; by default one in memory.
        clock: The time as functions see it, if several applications share it.
        scheduler: How scheduled calls are run. Unless this says so no workflow waits in memory: each of its turns begins
            at its first line, so that one which does not do the same each time fails here.
        settings: Of the server; by default none of the machine's variables is looked at, and an application with
            encrypted fields is given keys.
        variables: In which the settings of the application are looked for, in place of those of the machine.

    Attributes:
        clock: The time as functions see it; ``advance`` moves it.
        mailbox: The mail server, which can be down.
        server: The server as one ASGI application.
    """

    __test__ = False  # pytest would take it for a test case

    def __init__(
        self,
        application: str | Path | Registry,
        store: str | Store = "sqlite://:memory:",
        *,
        clock: Clock | None = None,
        scheduler: SchedulerSettings | None = None,
        settings: Settings | None = None,
        variables: Mapping[str, str] | None = None,
    ) -> None:
        self.clock = clock or Clock()
        self.mailbox = Mailbox()
        loaded = application if isinstance(application, Registry) else load_application(application)
        chosen = settings or _settings_for(loaded)
        chosen = chosen.model_copy(update={"scheduler": _replaying(scheduler or chosen.scheduler)})
        self.server = Synovia(
            loaded,
            store=store,
            settings=chosen,
            development=True,
            clock=self.clock,
            mailer=self.mailbox,
            variables=variables or {},
        )
        self.registry = self.server.registry
        self.store = self.server.store
        self.engine = self.server.engine
        self.scheduler = self.server.scheduler
        self._callers = KnownCallers(self.server.hub.authenticator)
        self.server.hub.authenticator = self._callers
        self._clients: list[AsyncClient] = []
        self._held: set[Subscription] = set()

    async def __aenter__(self) -> Self:
        try:
            await self.server.start(alone=False)
        except EnvError as error:
            error.add_note(_OWN_VARIABLES)
            raise
        try:
            await self.scheduler.adopt()
            await self.server.search_terms.catch_up()
            await self.server.aggregates.catch_up()
        except BaseException:
            await self.server.stop()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for client in self._clients:
            await client.aclose()
        await self.scheduler.stop()
        await self.server.stop()

    # --- time

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
        await self.engine.wait_for((await self.store.newest())[0])  # another hub may have scheduled some
        while (due := await self.scheduler.settle()) is not None and due / 1000 <= until:
            self._move_to((due + 0.5) / 1000)
        self._move_to(max(until, self.clock.now))
        await self.scheduler.settle()
        await self.catch_up()
        while self.engine.live.expiries.look():  # what ran while the time passed looked at a time before
            await self.catch_up()
        failures = self.scheduler.failures.take()
        if failures and raise_failures:
            raise CallsFailed(failures)

    async def migrate(self) -> None:
        """Run the migrations that have not run, to their end.

        Raises:
            FunctionError: One has failed (code ``migration_failed``); the message names the document.
        """
        await self.server.schema.migrations.run()
        await self.catch_up()

    async def check_documents(self) -> list[str]:
        """Compare every document with its table; say of each that does not fit what is wrong."""
        found: list[str] = []
        for model in self.registry.models.values():
            async for misfits in check_table(self.store, model, TableCheck()):
                found += map(str, misfits)
        return found

    def _move_to(self, now: float) -> None:
        self.clock.now = now
        self.engine.live.expiries.look()

    async def catch_up(self) -> None:
        """Wait until every subscription of this application shows what has been committed."""
        for subscription in list(self._held):
            await subscription.current()

    # --- who calls

    def caller(
        self,
        who: str | Identity | None = None,
        *,
        claims: Mapping[str, Any] | None = None,
        internal: bool = False,
    ) -> Caller:
        """Give somebody who calls.

        Args:
            who: An address, for a development identity; an identity, of any issuer; None: nobody is signed in.
            claims: What else the issuer says of an address.
            internal: Whether the calls come from a function, as those of an action do: internal functions too.

        Raises:
            InvalidToken: It is no address.
        """
        identity = development_identity(who, claims) if isinstance(who, str) else who
        return Caller(self, identity, CallOrigin.FUNCTION if internal else CallOrigin.CLIENT)

    @property
    def trusted(self) -> Caller:
        """The application itself, as its schedule calls: internal functions too, nobody is signed in, nothing is refused."""
        return Caller(self, None, CallOrigin.APPLICATION)

    async def bearer(self, token: str) -> Caller:
        """Give who calls with a token of the server's own, as ``ctx.impersonate`` gives them.

        Raises:
            InvalidToken: It is not accepted.
        """
        return Caller(self, (await self.server.hub.authenticator.authenticate(token, exchange=False)).identity)

    # --- what callers use

    @property
    def sign_in(self) -> SignInService:
        """What tokens are shown to.

        Raises:
            RuntimeError: The settings leave no way to sign in.
        """
        if self.server.sign_in is None:
            raise RuntimeError("these settings have no way to sign in")
        return self.server.sign_in

    @property
    def mails(self) -> list[EmailMessage]:
        """What has been sent by mail."""
        return self.mailbox.sent

    def subscription(
        self, path: str, args: Callable[[], Awaitable[Mapping[str, Any]]], identity: Identity | None
    ) -> Subscription:
        """Make a subscription of somebody; it begins when it is entered."""
        return Subscription(self.engine, path, args, identity, self._held)

    def http_client(self, identity: Identity | None) -> AsyncClient:
        """Make an httpx client whose requests are somebody's; it is closed with the application."""
        token = None if identity is None else self._callers.token(identity)
        client = client_of(self.server, token, self.catch_up)
        self._clients.append(client)
        return client
