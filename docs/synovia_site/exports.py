"""The reference documents what is exported, by the names under which it is imported (``synovia.Id``)."""

from __future__ import annotations

import importlib
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from types import FunctionType
from typing import Any

from pydantic import BaseModel
from sphinx.pycode import ModuleAnalyzer

MODULES = ("synovia", "synovia.http", "synovia.testing", "synovia_client")
"""The modules whose ``__all__`` is what the reference documents."""

GIVEN = (
    "synovia.functions.context.",
    "synovia.functions.database.",
    "synovia.functions.query.Query",
    "synovia.functions.services.",
    "synovia.testing.caller.",
    "synovia.testing.mailbox.",
    "synovia.testing.subscription.",
    "synovia_client.subscription.Subscription",
    "synovia_client.blocking.SubscriptionHandle",
)
"""How the names of classes begin that are given and not made, so that how they are made is left out."""

_COLON = "\ue000"


def public_names(document: str = "") -> Mapping[str, str]:
    """Give the public name of everything that is exported, by its own name and by where it is written.

    Where the server and the client have different things of one name (``FunctionError``), it is the server's, except on
    the client's page.
    """
    return _public_names(MODULES[::-1] if document == "reference/client" else MODULES)


@cache
def _public_names(modules: tuple[str, ...]) -> Mapping[str, str]:
    public: dict[str, str] = {}
    for module, name, written in _exports(MODULES):
        public.setdefault(written, f"{module}.{name}")
    found: dict[str, str] = {}
    for module, name, written in _exports(modules):
        for known in (name, written, f"{module}.{name}"):
            found.setdefault(known, public[written])
    return found


def _exports(modules: Iterable[str]) -> Iterator[tuple[str, str, str]]:
    for module in map(importlib.import_module, modules):
        for name in module.__all__:
            value = getattr(module, name)
            written = isinstance(value, type | FunctionType)  # an alias of a type would tell of that type
            place = f"{value.__module__}.{value.__qualname__}" if written else f"{module.__name__}.{name}"
            yield module.__name__, name, place


def name_publicly(app: Any, doctree: Any) -> None:
    """Change the references of a page to public names."""
    names = public_names(app.env.docname)
    for node in doctree.findall(lambda node: node.get("refdomain") == "py" if hasattr(node, "get") else False):
        node["reftarget"] = names.get(node["reftarget"], node["reftarget"])


def pass_over_internal(app: Any, env: Any, node: Any, content: Any) -> Any:
    """Show what is not public as plain text; a public name that is not on the site is a fault of the site."""
    target = node.get("reftarget", "")
    return content if node.get("refdomain") == "py" and target not in public_names().values() else None


def without_making(app: Any, what: str, name: str, value: Any, options: Any, signature: Any, returns: Any) -> Any:
    """Leave out how classes are made that an application does not make."""
    if what in ("class", "exception") and isinstance(value, type):
        written = f"{value.__module__}.{value.__qualname__}"
        if issubclass(value, BaseModel) or written.startswith(GIVEN):
            return "", None
    return None


def hide_colon(app: Any, what: str, name: str, value: Any, options: Any, lines: list[str]) -> None:
    """Keep napoleon from taking what stands before a colon in a property's first line for its type."""
    if what in ("attribute", "property") and lines:
        lines[0] = lines[0].replace(":", _COLON)


def show_colon(app: Any, what: str, name: str, value: Any, options: Any, lines: list[str]) -> None:
    """Bring back what ``hide_colon`` has taken away."""
    lines[:] = [line.replace(_COLON, ":") for line in lines]


def leave_out_bare_decorators(app: Any) -> None:
    """Show ``@query(...)`` and not ``@query``, which is there for a clear error only."""
    written = ModuleAnalyzer.for_module("synovia.functions.function")
    written.analyze()
    for name in ("query", "mutation", "action"):
        written.overloads[name] = written.overloads[name][-1:]
