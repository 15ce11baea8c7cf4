"""Lists without a bound in tables: a document grows with them, and is sent, compared and written as a whole."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Annotated, Any, get_args, get_origin

from annotated_types import MaxLen
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from synovia.schema.annotations import alternatives, element_of, fields_of
from synovia.schema.tables import Table


def unbounded_lists(table: type[Table]) -> Iterator[str]:
    """Name the fields of a table that hold lists of any length; a vector has that of its index."""
    vectors = {each.python_name for each in table.spec.vectors}
    for name, info in fields_of(table).items():
        if name not in vectors and not _is_bounded(info) and _may_grow(info.annotation):
            yield name


def line_of_field(model: type[BaseModel], name: str) -> int | None:
    """Tell the line in which a field of a model is declared; None if its source is not there."""
    lines, first = _lines_of(model)
    return next((first + at for at, line in enumerate(lines) if re.match(rf"\s*{name}\s*:", line)), None)


@lru_cache(maxsize=1024)  # before Python 3.13 the whole module is parsed to find a class
def _lines_of(model: type[BaseModel]) -> tuple[list[str], int]:
    try:
        return inspect.getsourcelines(model)
    except (OSError, TypeError):
        return [], 0


def _may_grow(annotation: Any) -> bool:
    origin = get_origin(annotation)
    if origin is Annotated:
        return not any(map(_is_bounded, get_args(annotation)[1:])) and _may_grow(get_args(annotation)[0])
    parts = get_args(annotation) if element_of(annotation) is None else ()
    if len(parts) > 1:
        return any(map(_may_grow, parts))
    is_tuple = origin is tuple and Ellipsis not in get_args(annotation)
    return not is_tuple and any(element_of(kind) is not None for kind in alternatives(annotation))


def _is_bounded(marker: Any) -> bool:
    found = marker.metadata if isinstance(marker, FieldInfo) else [marker]
    return any(isinstance(each, MaxLen) for each in found)
