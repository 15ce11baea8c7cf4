"""Applications that a test writes into a folder of its own: their names are new each time, as Python keeps modules."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from itertools import count
from pathlib import Path

import pytest

from synovia.errors import SchemaError
from synovia.functions.registry import load_application

_numbers = count(1)
IMPORTS = "from synovia import *\n"
HEAD = "from __future__ import annotations\n" + IMPORTS


def write_application(folder: Path, files: Mapping[str, str] | str, *, head: str = HEAD) -> Path:
    """Write an application: one module, or files by their paths inside; give where it is.

    Args:
        head: How every Python file begins; by default with two lines, of which one imports all of ``synovia``.
    """
    name = f"written_{next(_numbers)}"
    if isinstance(files, str):
        path = folder / f"{name}.py"
        path.write_text(head + textwrap.dedent(files))
        return path
    for inside, text in files.items():
        path = folder / name / inside
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(head + textwrap.dedent(text) if path.suffix == ".py" else text)
    return folder / name


def refusal_of(folder: Path, files: Mapping[str, str] | str, *, head: str = HEAD) -> str:
    """Tell why an application is not loaded."""
    with pytest.raises(SchemaError) as caught:
        load_application(write_application(folder, files, head=head))
    return str(caught.value)


def function(name: str = "f", access: str = "public=True", kind: str = "query") -> str:
    """Write a function that gives its own name."""
    context = {"query": "QueryContext", "mutation": "MutationContext", "action": "ActionContext"}[kind]
    return f"\n@{kind}({access})\nasync def {name}(ctx: {context}) -> str:\n    return {name!r}\n"
