"""What the annotations of a function mean; each may be any expression, and fail as one."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, get_type_hints

from pydantic import PydanticUserError

from synovia.errors import SchemaError
from synovia.functions.parameters import signature_of


def hints_of(body: Callable[..., Any], *, include_extras: bool = False) -> dict[str, Any]:
    """Read them; all modules have to be loaded, so that names resolve.

    Args:
        include_extras: Leave ``Annotated[...]`` as it is.

    Raises:
        SchemaError: One does not mean anything; it says which.
    """
    try:
        return get_type_hints(body, include_extras=include_extras)
    except Exception as error:
        raise SchemaError(f"{_wrong_one(body)}{told(error)}") from error


def told(error: Exception) -> str:
    """Say in one line what is wrong: with its kind, unless Python or pydantic wrote the words for whoever annotates."""
    words = " ".join(str(error).split())
    return words if isinstance(error, NameError | TypeError | PydanticUserError) else f"{type(error).__name__}: {words}"


def _wrong_one(body: Callable[..., Any]) -> str:
    names = getattr(inspect.unwrap(body), "__globals__", {})
    signature = signature_of(body)
    said = {f"argument {each.name!r}": each.annotation for each in signature.parameters.values()}
    for place, annotation in (*said.items(), ("its result", signature.return_annotation)):
        try:
            get_type_hints(SimpleNamespace(__annotations__={"it": annotation}), globalns=names)
        except Exception:
            return f"{place}: "
    return ""
