"""Functions of the server's own, under paths that no application can have, for operators alone."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Final

from synovia.functions.access import Access
from synovia.functions.context import QueryContext
from synovia.functions.function import Function, Kind
from synovia.functions.signatures import Signature

PREFIX: Final = "_system/"
REST_SECONDS: Final = 0.25
"""So long a live query of these waits between two runs, so that whoever looks at a busy hub does not slow it."""

LOOK_MS: Final = 1_000
"""So often a query looks again at what no commit and no signal tells of."""

Body = Callable[..., Awaitable[Any]]

_signatures: dict[object, Signature] = {}
"""By method: each hub of a process has functions of its own, but their annotations are read once, as that takes 10 ms."""


def query(path: str, body: Body, rest: float = REST_SECONDS) -> Function:
    """Declare a query, which as a live one rests at least so many seconds between two runs."""
    function = _declare(path, body, Kind.QUERY)
    function.rest = rest
    return function


def mutation(path: str, body: Body) -> Function:
    """Declare a mutation."""
    return _declare(path, body, Kind.MUTATION)


def action(path: str, body: Body) -> Function:
    """Declare an action."""
    return _declare(path, body, Kind.ACTION)


def look_again(ctx: QueryContext) -> None:
    """Have a query run again after a while, as long as somebody follows it."""
    ctx.hold_until(ctx.now + LOOK_MS)


def _declare(path: str, body: Body, kind: Kind) -> Function:
    function = Function(body, kind, access=Access(internal=True))  # who gets so far runs the hub: see ``Registry.find``
    function.path = PREFIX + path
    function.module, function.name = function.path.split(":")
    method = getattr(body, "__func__", body)
    _signatures[method] = function.prepare(_signatures.get(method))
    return function
