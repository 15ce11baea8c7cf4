"""What a server says when it starts: where it is, what it serves, and how to sign in."""

from __future__ import annotations

import logging
import socket

from rich.console import Console, Group
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from synovia.cli.application import without_password
from synovia.functions.registry import Registry

logger = logging.getLogger(__name__)


def url_of(listener: socket.socket) -> str:
    """Give host and port as in a URL."""
    host, port = listener.getsockname()[:2]
    if host in ("0.0.0.0", "::"):
        host = socket.gethostname()
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def log_start(registry: Registry, listener: socket.socket, store: str, tls: bool) -> None:
    """Say it in one line of the log, where everything is to be lines of the log."""
    where = f"{'https' if tls else 'http'}://{url_of(listener)}"
    logger.info(
        "serving %s at %s, dashboard %s/_synovia/, store %s", registry.name, where, where, without_password(store)
    )


def print_banner(
    console: Console, registry: Registry, listener: socket.socket, store: str, sign_in: str, tls: bool
) -> None:
    """Print it."""
    where = url_of(listener)
    http = f"{'https' if tls else 'http'}://{where}"
    facts = Table.grid(padding=(0, 2))
    tables = sorted(table.name for table in registry.tables if not table.system)
    rows = [
        ("connect", f"{'wss' if tls else 'ws'}://{where}"),
        ("health", f"{http}/health"),
        ("dashboard", f"{http}/_synovia/"),
        ("store", without_password(store)),
        ("sign in", sign_in),
        ("tables", ", ".join(tables) or "none"),
    ]
    if registry.routes:
        routes = (f"{'|'.join(route.methods)} {route.pattern}" for route in registry.routes)
        rows.append(("routes", ", ".join(routes)))
    crons = (f"{path} ({each.cron})" for path, each in sorted(registry.functions.items()) if each.cron is not None)
    if listed := ", ".join(crons):
        rows.append(("crons", listed))
    for name, fact in rows:
        facts.add_row(Text(name, style="dim"), Text(fact, overflow="fold"))
    functions = Table.grid(padding=(0, 2))
    for path, function in sorted({**registry.functions, **registry.background}.items()):
        note = Text("internal", style="dim") if function.internal else Text("")
        functions.add_row(Text(function.word, style="cyan"), Text(path), note)
    content = Group(facts, Text(""), functions) if functions.rows else facts
    console.print(Panel(content, title=f"synovia · {registry.name}", title_align="left", expand=False))
