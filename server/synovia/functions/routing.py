"""Routes that an application declares: actions whose argument is a request and whose result is a response."""

from __future__ import annotations

import inspect
import re
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol, TypeVar, Unpack

from synovia.errors import SchemaError
from synovia.functions.access import Access
from synovia.functions.context import ActionContext
from synovia.functions.function import AccessWords, Function, Kind, access_of
from synovia.functions.parameters import signature_of
from synovia.functions.places import place_of

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

RouteBody = Callable[[ActionContext, "Request"], Awaitable["Response"]]
B = TypeVar("B", bound=RouteBody)

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
RESERVED = frozenset({"_synovia", "sync", "api", "auth", "health", "metrics", "openapi.json"})
"""How no path of an application begins: the server's own do."""
_MARK = "__synovia_route__"
_LITERAL = re.compile(r"[A-Za-z0-9._~-]+")
_PARAMETER = re.compile(r"\{([a-z_][a-z0-9_]*)(?::(str|path|int|float|uuid))?\}", re.ASCII)


class Exchange(Protocol):
    """One request that is answered."""

    async def answer(self, ctx: ActionContext, body: RouteBody) -> None: ...


class HttpRoute(Function):
    """One declared route.

    Attributes:
        declared_in: The name of the Python module that declares it.
        pattern: Its path, as ``/export/{recording_id}``.
        methods: In upper case.
        max_body_bytes: The largest body; None: what the server's settings say.
        timeout: Seconds to answer in; None: what the server's settings say.
        openapi: What its author adds to its description.
        summary: What its docstring says.
    """

    def __init__(
        self,
        body: RouteBody,
        pattern: str,
        methods: Sequence[str],
        access: Access,
        max_body_bytes: int | None,
        timeout: float | None,
        openapi: Mapping[str, Any] | None,
    ) -> None:
        super().__init__(body, Kind.ACTION, access=access)

        async def answered(ctx: ActionContext, exchange: Exchange) -> None:
            await exchange.answer(ctx, body)

        self.declared_in = body.__module__
        self.summary = inspect.getdoc(body) or ""
        self.body, self.place = answered, place_of(body)
        self.pattern = pattern
        self.methods = tuple(methods)
        self.max_body_bytes = max_body_bytes
        self.timeout = timeout
        self.openapi = dict(openapi or {})

    def check(self, result: Any) -> Any:
        """Accept what the body gave; the response is the exchange's business."""
        return result

    def dump(self, checked: Any) -> Any:
        """A route has no result of wire values."""
        return None

    @property
    def segments(self) -> list[str]:
        """The parts of the path, every parameter as ``{}``."""
        return ["{}" if part.startswith("{") else part for part in self.pattern.split("/")[1:]]


def route(
    path: str,
    *,
    methods: Sequence[str],
    max_body_bytes: int | None = None,
    timeout: float | None = None,
    openapi: Mapping[str, Any] | None = None,
    **access: Unpack[AccessWords],
) -> Callable[[B], B]:
    """Declare an HTTP route: ``async def body(ctx: ActionContext, request: starlette Request) -> Response``.

    Errors that it raises are answered as those of functions are.

    Args:
        path: As ``/export/{recording_id}`` or ``/files/{name:path}``; what is in braces is in ``request.path_params``.
        methods: As ``["POST"]``.
        max_body_bytes: The largest body; beyond it, reading the body raises.
        timeout: Seconds to answer in.
        openapi: Fields of the operation in ``/openapi.json``, as ``{"requestBody": ...}``.
        access: Who may ask, as in ``Access``.

    Raises:
        SchemaError: The path, a method or the access cannot be.
    """
    said = [method.upper() for method in methods]
    _check_path(path)
    if not said or not set(said) <= set(METHODS):
        raise SchemaError(f"route {path}: methods are some of {', '.join(METHODS)}")
    try:
        allowed = access_of("@http.route", access)
    except SchemaError as error:
        raise SchemaError(f"route {path}: {error}") from None
    if not allowed.stated or allowed.internal:
        raise SchemaError(f"route {path}: say who may ask: public=True, signed_in=True, role=... or capability=...")

    def declare(body: B) -> B:
        is_async: bool = inspect.iscoroutinefunction(body)
        if not is_async or len(signature_of(body).parameters) != 2:
            raise SchemaError(f"route {path}: it takes an async function of a context and a request")
        setattr(body, _MARK, HttpRoute(body, path, said, allowed, max_body_bytes, timeout, openapi))
        return body

    return declare


def _check_path(path: str) -> None:
    first, *rest = path.removeprefix("/").split("/")
    if not path.startswith("/") or not first:
        raise SchemaError(f"route {path!r}: a path begins with a slash and a name, as /import")
    if not _LITERAL.fullmatch(first) or first in RESERVED:
        raise SchemaError(f"route {path}: paths under /{first} are not for applications")
    names = [found[1] for part in rest if (found := _PARAMETER.fullmatch(part))]
    wrong = next((part for part in rest if not (_LITERAL.fullmatch(part) or _PARAMETER.fullmatch(part))), None)
    if wrong is not None:
        raise SchemaError(f"route {path}: {wrong!r} is neither a name nor a parameter as {{recording_id}}")
    if len(set(names)) < len(names):
        raise SchemaError(f"route {path}: two parameters have one name")


def route_of(value: object) -> HttpRoute | None:
    """Tell which route a decorated body declares; None for anything else."""
    return getattr(value, _MARK, None)


def in_order(routes: Iterable[HttpRoute]) -> tuple[HttpRoute, ...]:
    """Put routes in the order in which they are to be tried: names before parameters.

    Raises:
        SchemaError: Two answer the same requests.
    """
    found = sorted(routes, key=lambda each: ([(part == "{}", part) for part in each.segments], each.methods))
    taken: dict[tuple[str, ...], HttpRoute] = {}
    for each in found:
        for method in each.methods:
            other = taken.setdefault((method, *each.segments), each)
            if other is not each:
                raise SchemaError(f"{method} {each.pattern} is declared twice: {other.place} and {each.place}")
    return tuple(found)
