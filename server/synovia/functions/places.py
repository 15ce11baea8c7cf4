"""Where things are declared, as errors name it: ``FILE:LINE``."""

from __future__ import annotations

import ast
import inspect
import os
from types import CodeType, ModuleType
from typing import Any


def place(file: str, line: int) -> str:
    """Write a place; a file below the working directory is named from there."""
    beside = os.path.relpath(file) if os.path.isabs(file) else file
    return f"{file if beside.startswith(os.pardir) else beside}:{line}"


def place_of(declared: Any) -> str:
    """Tell where a function or a class is declared; without the line if its source is not there."""
    code = getattr(declared, "__code__", None)
    if isinstance(code, CodeType):
        return place(code.co_filename, code.co_firstlineno)
    try:
        file, (_, line) = inspect.getsourcefile(declared), inspect.getsourcelines(declared)
    except (OSError, TypeError):
        file, line = None, 0
    return place(file, line) if file else f"module {getattr(declared, '__module__', '?')}"


def place_of_name(module: ModuleType, name: str) -> str:
    """Tell where a module gives a name its value."""
    file = getattr(module, "__file__", None)
    if file is None:
        return f"module {module.__name__}"
    lines = [node.lineno for node in syntax_of(module).body if name in _named_by(node)]
    return place(file, lines[-1] if lines else 1)


def syntax_of(module: ModuleType) -> ast.Module:
    """Parse the source of a module; nothing is in it if that is not there."""
    try:
        return ast.parse(inspect.getsource(module))
    except (OSError, TypeError, SyntaxError):
        return ast.Module([], [])


def _named_by(node: ast.stmt) -> set[str]:
    targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
    return {target.id for target in targets if isinstance(target, ast.Name)}
