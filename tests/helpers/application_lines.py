"""``python -m helpers.application_lines`` (from ``tests``): how many lines of Python the applications have.

Imports count, and every line of what goes over several; blank lines, comments and docstrings do not.
"""

from __future__ import annotations

import ast
import io
import tokenize
from collections.abc import Iterable, Iterator
from pathlib import Path

APPLICATIONS = Path(__file__).parents[2] / "apps"
_NO_CODE = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER}


def lines_of(files: Iterable[Path]) -> int:
    """Count the lines of some modules."""
    return sum(len(set(_code(each.read_text(encoding="utf-8")))) for each in files)


def _code(source: str) -> Iterator[int]:
    documented = {line for node in ast.walk(ast.parse(source)) if _is_text(node) for line in _lines(node)}
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type not in _NO_CODE:
            yield from {*range(token.start[0], token.end[0] + 1)} - documented


def _is_text(node: ast.AST) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


def _lines(node: ast.AST) -> range:
    return range(node.lineno, node.end_lineno + 1)  # type: ignore[attr-defined]


def modules(application: str) -> list[Path]:
    """List an application's modules, without those of a service beside it."""
    folder = APPLICATIONS / application
    return [each for each in sorted(folder.rglob("*.py")) if folder / "service" not in each.parents]


def service(application: str) -> list[Path]:
    """List the modules of the service beside an application."""
    return sorted((APPLICATIONS / application / "service").rglob("*.py"))


if __name__ == "__main__":
    for name in ("planner", "learning", "events", "education"):
        beside = lines_of(service(name))
        print(f"{name}: {lines_of(modules(name)):,} lines" + (f", and {beside:,} of its service" if beside else ""))
