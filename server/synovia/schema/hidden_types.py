"""Fields named as a type: in the body of their class such a name means the default, where an annotation means the type."""

from __future__ import annotations

import ast
import inspect
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from types import FunctionType, NoneType

from synovia.errors import SchemaError


def check_annotations(model: type) -> None:
    """Refuse a class whose annotations name what its own body gives another meaning; it has no fields yet.

    Raises:
        SchemaError: It is one. Pydantic would take the default for the type, or fail with an error that does not say why.
    """
    said = _annotations(model)
    values = {
        name: value
        for name, value in vars(model).items()
        if name in said or isinstance(value, FunctionType | classmethod | staticmethod | property)
    }
    for field, annotation in said.items() if values else ():
        for name in _names_in(annotation):
            if name in values:
                meant, what = ("the default of the field", "field") if name in said else ("the method", "method")
                raise SchemaError(
                    f"{model.__name__}.{field}: within {model.__name__} the name {name!r} means {meant} {name!r}, not the"
                    f" type; name the {what} otherwise, or import the type under another name"
                )


def _annotations(model: type) -> Mapping[str, str]:
    """Give the annotations of a class as they are written, of those that have been evaluated only the odd ones."""
    if sys.version_info >= (3, 14):
        from annotationlib import Format, get_annotations

        return get_annotations(model, format=Format.STRING)
    own: dict[str, object] = vars(model).get("__annotations__", {})
    defaults = [vars(model)[name] for name in own if name in vars(model)]
    return {name: _said(model, name, annotation, defaults) for name, annotation in own.items()}


def _said(model: type, field: str, annotation: object, defaults: Sequence[object]) -> str:
    if annotation is NoneType or any(annotation is default for default in defaults):
        return _written(model, field)
    return annotation if isinstance(annotation, str) else ""


def _written(model: type, field: str) -> str:
    try:
        lines, _ = inspect.getsourcelines(model)
    except (OSError, TypeError):
        return ""
    found = (re.match(rf"\s*{field}\s*:([^=#]*)", line) for line in lines)
    return next((each[1].strip() for each in found if each is not None), "")


def _names_in(annotation: str) -> Iterator[str]:
    try:
        tree = ast.parse(annotation, mode="eval")
    except SyntaxError:
        return  # which is told with its place
    yield from (node.id for node in ast.walk(tree) if isinstance(node, ast.Name))
