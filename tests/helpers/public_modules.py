"""What is public: whatever else a program imports may be gone tomorrow."""

from __future__ import annotations

import ast
import importlib
from importlib.util import find_spec
from pathlib import Path

PUBLIC = (
    "synovia",
    "synovia.http",
    "synovia.testing",
    "synovia.testing.stores",
    "synovia.store",
    "synovia.cli",
    "synovia_client",
    "synovia_qt",
)
"""Modules with an ``__all__`` of what may be imported from them."""

PROTOCOL = ("arrays", "codec", "digest", "errors", "messages", "patch", "values")
"""Modules of the protocol, for programs that speak it themselves or measure what others say: all in them is public."""


def exported_by(module: str) -> list[str]:
    """List the ``__all__`` of a public module.

    That of the Qt client is read, not run: PySide6 looks into every later import of the process, with blocking calls.
    """
    if module != "synovia_qt":
        return list(importlib.import_module(module).__all__)
    spec = find_spec(module)
    assert spec is not None
    assert spec.origin is not None
    for node in ast.parse(Path(spec.origin).read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
            return list(ast.literal_eval(node.value))
    raise AssertionError(f"{module} has no __all__")
