"""Functions named by themselves, in place of their paths: ``ctx.run_mutation(orders.reserve, seat="A1")``.

A decorated function stays what it is for Python, so a type checker knows what it takes and what it gives.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

MARK = "__synovia_function__"
"""The attribute of a decorated function that holds what is declared by it."""

FunctionReference = str | Callable[..., Any]
"""A path, or a decorated function."""


class Declared(Protocol):
    """What a decorated function declares."""

    path: str

    def bind(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """Give arguments as Python would hand them to the function, by its names for them."""
        ...

    def send(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Turn arguments by their Python names into what a client would send."""
        ...

    def receive(self, wire: Any) -> Any:
        """Turn a result on the wire into what the function gave."""
        ...


def declared_by(function: FunctionReference) -> Declared | None:
    """Tell what a decorated function declares; None for a path.

    Raises:
        TypeError: It is neither.
    """
    if isinstance(function, str):
        return None
    declared: Declared | None = getattr(function, MARK, None)
    if declared is None:
        name = getattr(function, "__qualname__", repr(function))
        raise TypeError(f"{name} is no query, mutation or action; say the path of one, or a function that is decorated")
    return declared


def path_of(function: FunctionReference) -> str:
    """Give the path of a function that is named either way.

    Raises:
        TypeError: It is neither a path nor a decorated function.
    """
    declared = declared_by(function)
    return str(function) if declared is None else declared.path
