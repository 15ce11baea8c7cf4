"""Calls that know their types; ``synovia codegen`` writes functions that make them."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Any, Final, Generic, Literal, TypeVar

R_co = TypeVar("R_co", covariant=True)


class _Unset(Enum):
    UNSET = "UNSET"

    def __repr__(self) -> str:
        return "UNSET"


Unset = Literal[_Unset.UNSET]
UNSET: Final = _Unset.UNSET
"""An argument that is left out, so that the function's default holds."""


class Call(Generic[R_co]):
    """A function's path with arguments. It does nothing until it is given to a client; it may be given often.

    Args:
        path: ``module:function``.
        args: Wire values and numpy arrays by their names on the wire; those that are UNSET are left out.
    """

    kind = ""

    def __init__(self, path: str, args: Mapping[str, object]) -> None:
        self.path = path
        self.args: dict[str, Any] = {name: value for name, value in args.items() if value is not UNSET}

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.path!r}, {self.args!r})"


class QueryCall(Call[R_co]):
    """A call of a query, for ``query`` and ``subscribe``."""

    kind = "query"


class MutationCall(Call[R_co]):
    """A call of a mutation."""

    kind = "mutation"


class ActionCall(Call[R_co]):
    """A call of an action."""

    kind = "action"


def spelled_out(call: str | Call[Any], args: dict[str, Any] | None, kind: str) -> tuple[str, dict[str, Any]]:
    """Give the path and the arguments of a call, which came as one or as two.

    Raises:
        TypeError: It is of another kind, or there are arguments beside its own.
    """
    if isinstance(call, Call):
        if call.kind != kind:
            raise TypeError(
                f"{call.path} is called as {'an' if call.kind == 'action' else 'a'} {call.kind}, not as {kind}"
            )
        if args is not None:
            raise TypeError(f"the call of {call.path} has its arguments already")
        return call.path, call.args
    if not isinstance(call, str):
        raise TypeError(f"a function path is a string as 'module:function', not {type(call).__name__}")
    return call, {} if args is None else args
