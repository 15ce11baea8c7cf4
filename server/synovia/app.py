"""The server as one ASGI application: an application's functions over a store, behind ``/sync`` and ``/health``."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.routing import BaseRoute
from starlette.types import Receive, Scope, Send

from synovia.auth.development import DevelopmentAuthenticator, NoSignIn
from synovia.auth.routes import routes as sign_in_routes
from synovia.auth.service_keys import SERVICE_KEYS, ServiceKeys, WithServiceKeys
from synovia.auth.settings import secret_of
from synovia.auth.sign_in import TABLES, SignInService
from synovia.config import Settings
from synovia.dashboard.operators import OPERATOR_SESSIONS, OperatorSessions, WithOperators
from synovia.dashboard.routes import Dashboard
from synovia.dashboard.system import System
from synovia.engine.engine import Engine
from synovia.engine.observing import Observers
from synovia.engine.outcomes import Outcome
from synovia.engine.settings import EngineLimits
from synovia.files.key import FILE_KEYS, file_key
from synovia.files.uploads import Uploads
from synovia.functions.access import CallOrigin
from synovia.functions.encryption import checked_keyring
from synovia.functions.env import read_env
from synovia.functions.files import UPLOADS
from synovia.functions.registry import Registry, load_application
from synovia.functions.services import Services
from synovia.functions.stored_env import stored_values
from synovia.health import Health
from synovia.hosts import is_loopback
from synovia.http.convex import ConvexRoutes
from synovia.http.errors import on_http_exception
from synovia.http.files import FileRoutes
from synovia.http.headers import SecurityHeaders
from synovia.http.origins import Origins
from synovia.http.page import FOLDER, page_route
from synovia.http.proxies import TrustedProxies
from synovia.http.routes import other_methods, routes
from synovia.http.throttle import Throttle
from synovia.http.uploads import UploadRoutes
from synovia.hubs.forwarding import Forwarding
from synovia.hubs.settings import LEAST_SECRET
from synovia.identity import Authenticator, Identity
from synovia.limits.refusal import Refusal
from synovia.mail.service import MailService
from synovia.mail.smtp import ConsoleMailer, Mailer
from synovia.maintenance import with_upkeep
from synovia.metrics import new_metrics
from synovia.migrations.aggregates import KeptAggregates
from synovia.migrations.rotation import rotations
from synovia.migrations.sealing_key import refuse_another_key
from synovia.migrations.searching import SearchTerms
from synovia.migrations.service import SchemaService
from synovia.presence.directory import Directory
from synovia.presence.sharing import Sharing
from synovia.scheduler.runner import Runner, calls_of
from synovia.store import open_store
from synovia.store.arrays import store_arrays
from synovia.store.base import Store
from synovia.sync.hub import Hub
from synovia.tasks import begin
from synovia.tracing import new_tracing
from synovia_protocol.errors import ErrorCode

if TYPE_CHECKING:
    from opentelemetry.trace import TracerProvider

DEFAULT_STORE = "sqlite://:memory:"

logger = logging.getLogger("synovia")


class Synovia:
    """An ASGI application that serves a Synovia application.

    Args:
        application: Its folder or file, or what ``load_application`` gave.
        store: A store or its address; by default ``settings.store``, else the embedded store in memory.
        settings: By default from the ``SYNOVIA_*`` variables.
        authenticator: Tells who a token is; by default what the settings configure, and if that is nothing, every token is
            refused.
        development: Print mail instead of sending it, and believe ``dev:EMAIL`` if ``settings.host`` is a loopback address.
        clock: Tells the time of day in seconds since 1970.
        mailer: Takes the place of the mail server that the settings name.
        variables: Where the settings that the application declares are looked for; by default in those of the process.
        tracer_provider: Of the host's OpenTelemetry: where the spans of this hub go.

    Raises:
        SchemaError: There is no such application, or what it declares cannot work.
        ValueError, OSError: The settings of sign-in cannot work, or a file that they name cannot be read; or there are no
            keys for encrypted fields.
    """

    def __init__(
        self,
        application: str | Path | Registry,
        *,
        store: Store | str | None = None,
        settings: Settings | None = None,
        authenticator: Authenticator | None = None,
        development: bool = False,
        clock: Callable[[], float] = time.time,
        mailer: Mailer | None = None,
        variables: Mapping[str, str] | None = None,
        tracer_provider: TracerProvider | None = None,
    ) -> None:
        self._variables = os.environ if variables is None else variables
        self.settings = settings or Settings()
        loaded = application if isinstance(application, Registry) else load_application(application)
        self.registry = with_upkeep(loaded, self.settings.arrays, lambda grace: self.engine.sweep_arrays(grace))
        where = store or self.settings.store or DEFAULT_STORE
        ttl = self.settings.request_ttl
        self.store: Store = (
            open_store(where, request_ttl=ttl, objects=self.settings.files.store) if isinstance(where, str) else where
        )
        mailer = mailer or (ConsoleMailer() if development else self.settings.auth.mailer())
        calls = calls_of(self.registry, self.settings.scheduler)
        self._at_home = development and is_loopback(self.settings.host)
        self.sign_in = self._sign_in_service(self._at_home, mailer, clock) if authenticator is None else None
        mail = MailService(mailer, self.settings.auth.sender, self.settings.home)
        services = Services(calls, mail, self.sign_in.sessions if self.sign_in is not None else None)
        self.metrics = new_metrics(self.registry.functions)
        self.tracing = new_tracing(self.registry.functions, on=self.settings.traces, provider=tracer_provider)
        self.keyring = checked_keyring(self.registry.models, self.settings.encryption.keyring())
        again = rotations(self.registry.models.values(), self.keyring)
        self.registry = replace(self.registry, migrations=(*self.registry.migrations, *again))
        self.system = System(self.registry, lambda: self)
        self.registry = self.system.registry
        self.system.log.keeps_results = self.keyring is None
        self._forwarding = self._new_forwarding()
        self.engine: Engine = Engine(
            self.store,
            self.registry,
            debug=self.settings.debug,
            clock=clock,
            services=services,
            limits=self._engine_limits(),
            observer=Observers(self.metrics.observer, self.system.log),
            tracer=self.tracing.tracer,
            peers=self._forwarding,
            keyring=self.keyring,
        )
        self.uploads = Uploads(self.store, self.engine.transact, self.settings.files, clock)
        steady = time.monotonic if clock is time.time else clock  # a clock of its own is not that of the machine
        self.scheduler = Runner(self.engine, calls, self.settings.scheduler, clock=clock, steady=steady)
        self.schema = SchemaService(self.engine, self.registry, self.settings.documents, calls.hub, clock)
        self.search_terms = SearchTerms(self.engine, self.registry.models)
        self.aggregates = KeptAggregates(self.engine, self.registry, calls.hub)
        self.service_keys = ServiceKeys(self.store, clock)
        self.operators = OperatorSessions(self.store, self.service_keys, clock)
        people = WithServiceKeys(self.service_keys, authenticator or self.sign_in or NoSignIn())
        chosen = WithOperators(self.operators, people)
        self.hub = Hub(
            self.engine,
            self.store.arrays,
            chosen,
            self.settings.limits,
            clock=clock,
            transitions=self.tracing.transitions(),
            joining=self.tracing.tracer.joining,
        )
        self.scheduler.payer_of = self.hub.addresses.payer
        self.service_keys.revoked = self.operators.ended = self.hub.end_session
        self.system.begin(self.engine.live)
        if self.sign_in is not None:
            self.sign_in.revoked = self.hub.end_session
        self.health = self._reports()
        self._development = development
        self._running = AsyncExitStack()
        self._started = False
        self._asgi = Starlette(
            routes=self._routes(), lifespan=self.lifespan, exception_handlers={HTTPException: on_http_exception}
        )
        self._asgi.router.redirect_slashes = False
        origins = Origins(self.tracing.around(self._asgi), self.settings.origins, loopback=self._at_home)
        self._admitted = TrustedProxies(SecurityHeaders(Throttle(origins, self.hub)), self.settings.trusted_proxies)
        self.trusts = self._admitted.trusts

    def _new_forwarding(self) -> Forwarding | None:
        """Make what has other hubs run mutations; None if this one is by itself."""
        settings = self.settings.hubs
        secret = secret_of(settings.secret, settings.secret_file)
        if secret is None or not self.store.shared:
            return None
        if len(secret) < LEAST_SECRET:
            raise ValueError(f"SYNOVIA_HUBS_SECRET_FILE holds less than {LEAST_SECRET} characters")
        return Forwarding(secret.encode(), settings.host, self.registry)

    @property
    def _serves_convex(self) -> bool:
        return self._development if self.settings.convex is None else self.settings.convex

    def _engine_limits(self) -> EngineLimits:
        return EngineLimits(**{each.name: getattr(self.settings.limits, each.name) for each in fields(EngineLimits)})

    def _sign_in_service(
        self, by_name: bool, mailer: Mailer | None, clock: Callable[[], float]
    ) -> SignInService | None:
        return SignInService.configured(
            self.settings.auth,
            self.store,
            development=DevelopmentAuthenticator(self.settings.host) if by_name else None,
            mailer=mailer,
            clock=clock,
        )

    def _reports(self) -> Health:
        """Let every part be asked how it is: here, and nowhere else."""
        limits = self.settings.limits
        health = Health(limits.health_timeout)
        self.engine.report_to(health, limits.log_timeout)
        health.add("schema", self.schema.health)
        health.add("search", self.search_terms.health)
        health.add("aggregates", self.aggregates.health)
        health.add("scheduler", self.scheduler.health)
        health.add("hub", self.hub.health)
        return health

    def _routes(self) -> list[BaseRoute]:
        found = routes(self.hub, self.engine, self.health, self.settings.http)
        found += UploadRoutes(self.hub, self.engine, self.uploads, self.settings.http).routes()
        found += FileRoutes(self.engine).routes()
        if self._serves_convex:
            convex = ConvexRoutes(self.hub, self.engine, self.settings.http, tells_logs=self._development)
            found = [*convex.calls, *found, *convex.others]
        found = found + self.metrics.routes(self.hub, self.engine, self.scheduler, is_open=self._at_home)
        seconds = self.settings.limits.authenticate_timeout
        pages = Dashboard(self.operators, self.hub.addresses.of_peer, seconds, is_open=self._at_home)
        found = found + pages.routes()
        if self.sign_in is not None:
            found = found + sign_in_routes(self.sign_in)
        home = self.registry.folder
        web = self.settings.web or (home / FOLDER if home is not None else None)
        return [*found, *other_methods(found), page_route(web, found, home if self._development else None)]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one ASGI connection; one that comes before ``start`` is refused with 503 and the reason."""
        if not self._started and scope["type"] in ("http", "websocket"):
            await _NOT_STARTED(scope, receive, send)
            return
        await self._admitted(scope, receive, send)

    @asynccontextmanager
    async def lifespan(self, host: object = None) -> AsyncIterator[None]:
        """Run from the beginning of a block to its end: the lifespan of an application in which this one is mounted.

        ``FastAPI(lifespan=hub.lifespan)``, or ``async with hub.lifespan():`` within a lifespan of the host's own. A server
        that runs this application by itself does it by the ASGI lifespan protocol.

        Args:
            host: The application whose lifespan it is; not looked at.

        Raises:
            StoreUnavailable: As ``start``.
        """
        await self.start()
        try:
            yield
        finally:
            await self.stop()

    # --- calls from the same process

    async def query(
        self,
        path: str,
        args: Mapping[str, Any] | None = None,
        *,
        identity: Identity | None = None,
        trusted: bool = False,
    ) -> Any:
        """Run a query in this process and give its result as wire values.

        Args:
            path: As ``recordings:list_mine``.
            args: As a client would send them, names in camelCase; arrays may be numpy's.
            identity: Whom to call it as, as ``authenticate`` gave; None: somebody who is not signed in.
            trusted: Call it as the application itself: internal functions too, and access is not checked.

        Raises:
            FunctionError: What a client would get.
            RuntimeError: This application was not started.
        """
        given = await self._given(args)
        call = self.engine.query(path, given, identity, origin=_origin(trusted))
        return (await begin(call, path)).value()

    async def mutation(
        self,
        path: str,
        args: Mapping[str, Any] | None = None,
        *,
        identity: Identity | None = None,
        trusted: bool = False,
    ) -> Any:
        """Run a mutation in this process; it is committed, and queries see it, when this returns. Else as ``query``."""
        outcome = await self.hub.requests.run(self._mutate(path, await self._given(args), identity, trusted), path)
        return outcome.value()

    async def _mutate(self, path: str, args: Mapping[str, Any], identity: Identity | None, trusted: bool) -> Outcome:
        outcome = await self.engine.mutate(path, args, identity, origin=_origin(trusted))
        await self.engine.wait_for(outcome.ts or 0)
        return outcome

    async def action(
        self,
        path: str,
        args: Mapping[str, Any] | None = None,
        *,
        identity: Identity | None = None,
        trusted: bool = False,
    ) -> Any:
        """Run an action in this process. Else as ``query``."""
        given = await self._given(args)
        call = self.engine.run_action(path, given, identity, origin=_origin(trusted))
        return (await self.hub.requests.run(call, path)).value()

    async def authenticate(self, token: str) -> Identity:
        """Tell who a token is, as for a request over HTTP: nothing is exchanged for it.

        Raises:
            InvalidToken: It is not accepted.
            SignInUnavailable: It cannot be verified now.
        """
        self._check_started()
        return (await self.hub.authenticator.authenticate(token, exchange=False)).identity

    async def _given(self, args: Mapping[str, Any] | None) -> Mapping[str, Any]:
        self._check_started()
        stored: Mapping[str, Any] = await store_arrays(self.store.arrays, args or {})
        return stored

    def _check_started(self) -> None:
        if not self._started:
            raise RuntimeError(f"{self.registry.name}: {_HOW_TO_START}")

    async def start(self, *, alone: bool = True) -> None:
        """Open the store, then start the engine, the hub and the scheduler; nothing stays open if one of them fails.

        Args:
            alone: Whether to begin with what the server does by itself: scheduled calls, and looking after sessions.

        Raises:
            StoreUnavailable: The database cannot be reached, or is not one that Synovia can work with.
            EnvError: Settings that the application declares are missing, or do not parse.
        """
        async with AsyncExitStack() as stack:
            stack.push_async_callback(self.tracing.close)
            stack.push_async_callback(self.store.close)
            own = [SERVICE_KEYS, OPERATOR_SESSIONS, FILE_KEYS, UPLOADS]
            await self.store.open([*self.registry.tables, *own, *(TABLES if self.sign_in is not None else ())])
            await refuse_another_key(self.store, self.registry.models.values(), self.keyring)
            self.engine.use_file_key(await file_key(self.store))
            await self._read_env()
            await self.engine.start()
            stack.push_async_callback(self.engine.stop)
            if self._forwarding is not None:
                await self._join_other_hubs(self._forwarding, stack)
            for concern in self.registry.concerns():
                logger.warning("%s", concern)
            self.hub.start()
            stack.push_async_callback(self.hub.stop)
            if alone:
                self._start_alone(stack)
            self._running = stack.pop_all()
            self._started = True

    async def _join_other_hubs(self, forwarding: Forwarding, stack: AsyncExitStack) -> None:
        """Have other hubs run mutations for this one, and the other way round; share who is present."""
        directory = Directory(self.engine, lambda: forwarding.mark, lambda marks: sharing.know(marks))
        sharing = Sharing(self.hub.rooms, forwarding.name, forwarding.connect, directory.unreachable)
        await forwarding.start(self.engine.mutate_for_peer, sharing.receive)
        stack.push_async_callback(forwarding.stop)
        sharing.start()
        stack.push_async_callback(sharing.stop)
        directory.start()
        stack.push_async_callback(directory.stop)

    async def _read_env(self) -> None:
        """Read the application's settings; they hold until it is started again."""
        if self.registry.env is not None:
            found = read_env(self.registry.env, self._variables, await stored_values(self.store))
            self.engine.use_env(found.checked())

    def _start_alone(self, stack: AsyncExitStack) -> None:
        self.service_keys.start()
        stack.push_async_callback(self.service_keys.stop)
        if self.sign_in is not None:
            self.sign_in.start()
            stack.push_async_callback(self.sign_in.stop)
        self.scheduler.start()
        stack.push_async_callback(self.scheduler.stop)
        self.schema.start()
        stack.push_async_callback(self.schema.stop)
        self.search_terms.start()
        stack.push_async_callback(self.search_terms.stop)
        self.aggregates.start()
        stack.push_async_callback(self.aggregates.stop)

    async def stop(self) -> None:
        """Stop everything in the opposite order; clients are told to come back."""
        try:
            await self._running.aclose()
        finally:
            self._started = False


_HOW_TO_START = "not started: give hub.lifespan to the application in which the hub is mounted, or await hub.start()"
_NOT_STARTED = Refusal(503, ErrorCode.SERVER_ERROR, f"this Synovia application was {_HOW_TO_START}", 10)


def _origin(trusted: bool) -> CallOrigin:
    return CallOrigin.APPLICATION if trusted else CallOrigin.CLIENT
