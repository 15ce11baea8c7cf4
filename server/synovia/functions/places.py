"""Where things are declared, as errors name it: ``FILE:LINE``."""

from __future__ import annotations

import ast
import inspect
import os
import traceback
from pathlib import Path
from types import CodeType, FrameType, ModuleType
from typing import Any


def place(file: str, line: int) -> str:
    """Write a place; a file below the working directory is named from there."""
    beside = os.path.relpath(file) if os.path.isabs(file) else file
    return f"{file if beside.startswith(os.pardir) else beside}:{line}"


def place_in(frame: FrameType) -> str:
    """Tell which statement a frame is at."""
    return place(frame.f_code.co_filename, frame.f_lineno)


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


def place_of_line(declared: type, line: int | None) -> str:
    """Tell where a line is that belongs to a class; where the class is, if the line is not known."""
    file = None if line is None else inspect.getsourcefile(declared)
    return place_of(declared) if file is None or line is None else place(file, line)


def place_of_name(module: ModuleType, name: str) -> str:
    """Tell where a module gives a name its value."""
    file = getattr(module, "__file__", None)
    if file is None:
        return f"module {module.__name__}"
    lines = [node.lineno for node in ast.parse(source_of(module)).body if name in _named_by(node)]
    return place(file, lines[-1] if lines else 1)


def place_of_error(error: BaseException, inside: Path) -> str | None:
    """Tell where in a folder or file an error was raised, or last passed through; None if it was nowhere there."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if Path(frame.filename).is_relative_to(inside)]
    return place(own[-1].filename, own[-1].lineno or 0) if own else None


def source_of(module: ModuleType) -> str:
    """Give the source of a module; empty if it is not there."""
    try:
        return inspect.getsource(module)
    except (OSError, TypeError):
        return ""


def _named_by(node: ast.stmt) -> set[str]:
    targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
    return {target.id for target in targets if isinstance(target, ast.Name)}
