"""The settings of a server, written down from their classes."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args, get_origin

from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo

from synovia.config import Settings

PLACE = "<!-- all settings -->"
"""What stands on a page where they belong."""

_ATTRIBUTE = re.compile(r"^    ([a-z_, ]+): (.*(?:\n     .*)*)", re.MULTILINE)
_KINDS = {
    int: "an integer",
    float: "a number",
    str: "text",
    bool: "`true` or `false`",
    Path: "a path",
    SecretStr: "text, secret",
}


def definitions() -> str:
    """Describe every setting: its variable, what it may be, its default, what it does."""
    parts = {name: field for name, field in Settings.model_fields.items() if isinstance(field.default, BaseModel)}
    rest = {name: field for name, field in Settings.model_fields.items() if name not in parts}
    return "\n".join(
        [
            *_section("The server", "SYNOVIA_", Settings, rest),
            *(
                line
                for name, field in parts.items()
                for line in _section(
                    *_title(name, field.default), type(field.default), type(field.default).model_fields
                )
            ),
        ]
    )


def _title(name: str, model: BaseModel) -> tuple[str, str]:
    titles = {
        "auth": "Signing in",
        "limits": "Limits",
        "http": "HTTP",
        "scheduler": "The scheduler",
        "arrays": "Arrays",
    }
    return titles.get(name, name.capitalize()), f"SYNOVIA_{name.upper()}_"


def _section(title: str, prefix: str, model: type[BaseModel], fields: dict[str, FieldInfo]) -> Iterator[str]:
    meanings = meanings_of(model)
    yield f"## {title}\n\n{(inspect.getdoc(model) or '').partition(chr(10))[0].replace('``', '`')}\n"
    for name, field in fields.items():
        meaning = meanings.get(name, "")
        facts = [
            kind_of(field.annotation),
            *([] if (default := default_of(field)) is None else [f"default `{default}`"]),
        ]
        yield f"`{prefix}{name.upper()}`\n: {meaning} *{', '.join(facts)}*\n"


def meanings_of(model: type[BaseModel]) -> dict[str, str]:
    """Read the section *Attributes* of a class's docstring."""
    _, _, attributes = (inspect.getdoc(model) or "").partition("Attributes:\n")
    found: dict[str, str] = {}
    for names, text in _ATTRIBUTE.findall(attributes):
        meaning = " ".join(text.split()).replace("``", "`")
        found |= dict.fromkeys(names.split(", "), meaning)
    return found


def kind_of(annotation: Any) -> str:
    """Say in words what a setting may be."""
    given = [each for each in get_args(annotation) if each is not type(None)]
    if annotation in _KINDS:
        return _KINDS[annotation]
    if all(isinstance(each, str) for each in given) and given:
        return "one of " + ", ".join(f"`{each}`" for each in given)
    if get_origin(annotation) is tuple:
        return "a list"
    return kind_of(given[0]) if given else "text"


def default_of(field: FieldInfo) -> str | None:
    """Give a default as a variable would have it; None if there is none."""
    default = field.default
    if default is None or default in ((), ""):
        return None
    if isinstance(default, bool):
        return str(default).lower()
    return (
        f"{default:g}"
        if isinstance(default, float) and default < 1e6
        else str(int(default) if isinstance(default, float) else default)
    )
