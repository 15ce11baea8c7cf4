"""The commands, and how their errors are told: one line and an exit code, no traceback."""

from __future__ import annotations

import json
import logging
import os
import secrets
import signal
import socket
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any, ParamSpec, TypeVar

import typer

from synovia.app import Synovia
from synovia.cli.access import access
from synovia.cli.aggregates import aggregates
from synovia.cli.application import check_path, development_store, is_local, load, server_of
from synovia.cli.banner import log_start, print_banner
from synovia.cli.calls import calls
from synovia.cli.doctor import doctor
from synovia.cli.encryption import encryption
from synovia.cli.environment import environment_of
from synovia.cli.exporting import back_up, export_data
from synovia.cli.generating import write_clients
from synovia.cli.importing import import_data, restore
from synovia.cli.keys import keys
from synovia.cli.logs import log_for_operators, log_for_people
from synovia.cli.migrating import migrate
from synovia.cli.open_files import let_clients_connect
from synovia.cli.operations import answering, operate
from synovia.cli.options import (
    CertOption,
    JsonOption,
    KeyOption,
    OriginOption,
    PathArgument,
    ProxiesOption,
    StoreOption,
    environment,
    joined,
    without_secret,
)
from synovia.cli.reload import own_command, supervise
from synovia.cli.reporting import Commands, err, out, reporting, run_to_end, settings_of
from synovia.cli.resetting import reset
from synovia.cli.security_checks import check_tls, concerns
from synovia.cli.seeding import seed
from synovia.cli.server import listen, make_server, memory_looked_after, run_server
from synovia.cli.sweeping import sweep_store
from synovia.cli.watching import call, data, logs
from synovia.cli.workers import MARGIN_SECONDS, Parent, Workers, listen_for
from synovia.config import Settings
from synovia.hosts import is_loopback
from synovia_protocol.version import __version__

P = ParamSpec("P")
T = TypeVar("T")

app = typer.Typer(
    cls=Commands,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)


def _print_version(asked: bool) -> None:
    if asked:
        print(f"synovia {__version__}")
        raise typer.Exit


@app.callback()
def synovia(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """A real-time sync server: a reactive model on MongoDB, in Python."""


RELOAD_SPREAD = 0.1
"""Seconds within which clients are to come back after a reload."""

HostOption = Annotated[str | None, typer.Option("--host", help="The address to listen on (SYNOVIA_HOST).")]
PortOption = Annotated[int | None, typer.Option("--port", help="The port; 0 takes any free one (SYNOVIA_PORT).")]
WorkersOption = Annotated[
    int | None, typer.Option("--workers", help="How many processes serve; only on MongoDB (SYNOVIA_WORKERS).")
]
LevelOption = Annotated[
    str | None, typer.Option("--log-level", help="debug, info, warning or error (SYNOVIA_LOG_LEVEL).")
]
FormatOption = Annotated[
    str | None, typer.Option("--log-format", help="text, or json: an object in each line (SYNOVIA_LOG_FORMAT).")
]


# --- dev and serve ----------------------------------------------------------------------------------------------------


@app.command()
@reporting
def dev(
    path: PathArgument,
    store: StoreOption = None,
    host: HostOption = None,
    port: PortOption = None,
    log_level: LevelOption = None,
    origin: OriginOption = None,
    reload: Annotated[bool, typer.Option(help="Start again when the application's files change.")] = True,
    fd: Annotated[int | None, typer.Option(hidden=True)] = None,
) -> None:
    """Run an application for development: embedded store, reload on change, sign-in by name on a loopback address."""
    settings = settings_of(host=host, port=port, log_level=log_level, origins=joined(origin), debug=True)
    settings = _soon_back(settings)
    check_path(path)
    where = without_secret(store) or settings.store or development_store(path)
    with socket.socket(fileno=fd) if fd is not None else listen(settings.host, settings.port) as listener:
        if reload:
            raise typer.Exit(_supervise(path, where, settings, listener))
        log_for_people(settings.log_level)
        _develop(path, where, settings, listener)


def _soon_back(settings: Settings) -> Settings:
    """Send clients away for a moment only, where a few of them wait for a change to be seen."""
    limits = settings.limits
    if "retry_spread" in limits.model_fields_set:
        return settings
    return settings.model_copy(update={"limits": limits.model_copy(update={"retry_spread": RELOAD_SPREAD})})


def _supervise(path: Path, store: str, settings: Settings, listener: socket.socket) -> int:
    fd = listener.fileno()
    own = own_command("dev", str(path), "--no-reload", "--fd", str(fd))
    env = {**os.environ, **environment(settings, store, listener.getsockname()[1])}
    return supervise(path, own, fd, env, lambda text: err.print(f"[dim]{text}[/]"))


def _develop(path: Path, store: str, settings: Settings, listener: socket.socket) -> None:
    registry = load(path)
    server = server_of(registry, store, settings, development=True)
    run_server(
        _serve(
            server,
            store,
            listener,
            lambda: print_banner(out, registry, listener, store, _sign_in(server, development=True), settings.tls),
        )
    )


def _sign_in(server: Synovia, *, development: bool = False) -> str:
    if server.sign_in is None:
        return "no sign-in is configured: every token is refused"
    ways = "; ".join(server.sign_in.ways)
    if development and not is_loopback(server.settings.host):
        return f"nobody can by name: development sign-in needs a loopback address; {ways}"
    return ways


@app.command()
@reporting
def serve(
    path: PathArgument,
    store: StoreOption = None,
    host: HostOption = None,
    port: PortOption = None,
    log_level: LevelOption = None,
    log_format: FormatOption = None,
    workers: WorkersOption = None,
    origin: OriginOption = None,
    trusted_proxies: ProxiesOption = None,
    tls_cert: CertOption = None,
    tls_key: KeyOption = None,
    fd: Annotated[int | None, typer.Option(hidden=True)] = None,
    parent: Annotated[int | None, typer.Option(hidden=True)] = None,
) -> None:
    """Run an application for production."""
    settings = settings_of(
        store=without_secret(store), host=host, port=port, log_level=log_level, log_format=log_format, workers=workers,
        origins=joined(origin), trusted_proxies=trusted_proxies, tls_cert=tls_cert, tls_key=tls_key,
    )  # fmt: skip
    if settings.store is None:
        raise typer.BadParameter("name the database with --store or SYNOVIA_STORE")
    check_tls(settings)
    log_for_operators(settings.log_level, settings.log_format)
    if fd is None:
        for concern in (*concerns(settings), *let_clients_connect(settings)):
            logging.getLogger("synovia").warning("%s", concern)
    registry, where = load(path), settings.store
    server = server_of(registry, where, settings)

    def started(at: socket.socket) -> None:
        if settings.log_format == "json":
            log_start(registry, at, where, settings.tls)
        else:
            print_banner(out, registry, at, where, _sign_in(server), settings.tls)

    if fd is not None and parent is not None:
        with socket.socket(fileno=fd) as listener:
            run_server(_serve(server, where, listener, lambda: None, Parent(parent)))
    elif settings.workers > 1:
        raise typer.Exit(_serve_many(path, settings, started))
    else:
        with listen(settings.host, settings.port) as listener:
            run_server(_serve(server, where, listener, lambda: started(listener)))


def _serve_many(path: Path, settings: Settings, started: Callable[[socket.socket], None]) -> int:
    where = settings.store or ""
    if not where.startswith("mongodb"):
        raise typer.BadParameter(
            "--workers needs MongoDB: an embedded store belongs to one process, and no other would hear of its commits"
        )
    with ExitStack() as stack:
        listeners = listen_for(settings.workers, settings.host, settings.port)
        for listener in listeners:
            stack.enter_context(listener)
        patience = settings.limits.stop_timeout + MARGIN_SECONDS
        env = {**os.environ, **environment(settings, where, listeners[0].getsockname()[1])}
        if settings.hubs.secret is None and settings.hubs.secret_file is None:
            env["SYNOVIA_HUBS_SECRET"] = secrets.token_hex(16)  # they help each other, and nobody else
        workers = Workers(own_command("serve", str(path)), env, patience)
        return run_to_end(workers.run(listeners, lambda: started(listeners[0])))


async def _serve(
    app: Synovia, store: str, listener: socket.socket, started: Callable[[], None], parent: Parent | None = None
) -> None:
    server = make_server(app, log_config=None)
    server.exits_in_time = True
    with server.capture_signals():  # from the first moment on: a stop that comes early is a clean one too
        await app.start()
        try:
            async with memory_looked_after(), answering(app, store):
                started()
                if parent is not None:
                    parent.serving(lambda: server.handle_exit(signal.SIGTERM, None))
                await server.serve([listener])
        finally:
            await app.stop()


# --- run --------------------------------------------------------------------------------------------------------------


@app.command()
@reporting
def run(
    path: PathArgument,
    function: Annotated[str, typer.Argument(metavar="FUNCTION", help="As recordings:list_mine.")],
    args: Annotated[str, typer.Argument(metavar="ARGS", help="One JSON object, names in camelCase.")] = "{}",
    store: StoreOption = None,
    caller: Annotated[
        str | None,
        typer.Option(
            "--as",
            metavar="EMAIL[?CLAIMS]",
            help="Call as dev:EMAIL, with claims as ?org=acme&level:=3; only on a store of this machine.",
        ),
    ] = None,
) -> None:
    """Call one function, also an internal one, and print its result as JSON.

    It runs in this process, or in the server that has the embedded store.
    """
    settings = settings_of(debug=True, scheduler={"enabled": False})
    log_for_people("warning")
    arguments = _json_object(args)
    check_path(path)
    where = without_secret(store) or settings.store or development_store(path)
    if caller is not None and not is_local(where):
        raise typer.BadParameter("--as works only on an embedded store or a database on this machine")
    given = {"path": function, "args": arguments, "as": caller}
    result = run_to_end(operate(lambda: server_of(load(path), where, settings), where, "call", given))
    out.print_json(json.dumps(result, ensure_ascii=False), indent=2)


def _json_object(text: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except ValueError as error:
        raise typer.BadParameter(f"ARGS is not JSON: {error}") from None
    if not isinstance(value, dict):
        raise typer.BadParameter("ARGS is one JSON object, as '{\"limit\": 20}'")
    return value


# --- sweep ------------------------------------------------------------------------------------------------------------


@app.command("sweep")
@reporting
def sweep_arrays(
    store: StoreOption = None,
    grace: Annotated[
        float | None, typer.Option(min=3600, help="Seconds since the last use of what goes (SYNOVIA_ARRAYS_GRACE).")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Delete arrays that no document refers to, as hubs do once a day; hubs may run meanwhile, on MongoDB."""
    settings = settings_of()
    where = without_secret(store) or settings.store
    if where is None:
        raise typer.BadParameter("say which database: --store or SYNOVIA_STORE")
    seconds = settings.arrays.grace if grace is None else grace
    swept = run_to_end(sweep_store(where, seconds, settings.request_ttl))
    if as_json:
        out.print_json(json.dumps(asdict(swept)))
        return
    out.print(f"{swept.arrays:,} arrays, {swept.chunks:,} chunks deleted: {swept.bytes:,} bytes", highlight=False)


app.add_typer(keys, name="key")
app.add_typer(encryption, name="encryption")
app.command("calls")(reporting(calls))
app.command("aggregates")(aggregates)
app.command("migrate")(reporting(migrate))
app.command("import")(reporting(import_data))
app.command("export")(reporting(export_data))
app.command("backup")(reporting(back_up))
app.command("restore")(reporting(restore))
app.command("env")(reporting(environment_of))
app.command("seed")(reporting(seed))
app.command("reset")(reporting(reset))
app.command("doctor")(reporting(doctor))
app.command("logs")(reporting(logs))
app.command("data")(reporting(data))
app.command("call")(reporting(call))
app.command("codegen")(reporting(write_clients))
app.command("access")(reporting(access))


def main() -> None:
    """Run the command line."""
    app()
