"""The imports between the files of a Python distribution, read from the code without running it."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path


def modules_in(folder: Path, package: str) -> Iterator[tuple[str, Path]]:
    """List the modules below a folder that is the package ``package``, with their files."""
    for path in sorted(folder.rglob("*.py")):
        inside = path.relative_to(folder).with_suffix("").parts
        if "node_modules" in inside:
            continue
        yield ".".join((package, *(name for name in inside if name != "__init__"))), path


@cache
def imports_of(module: str, path: Path) -> set[str]:
    """List what a module imports, under ``TYPE_CHECKING`` and inside functions too: ``package.name`` for each name."""
    found: set[str] = set()
    package = module if path.name == "__init__.py" else module.rpartition(".")[0]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                above = package.rsplit(".", node.level - 1)[0] if node.level > 1 else package
                base = f"{above}.{base}".rstrip(".")
            found.add(base)
            found.update(f"{base}.{alias.name}" for alias in node.names)
    return found


def graph_of(folder: Path, package: str) -> dict[str, set[str]]:
    """Tell for each module of a distribution which of its other modules it imports.

    ``from a import b`` is an arrow to the module ``a.b`` if there is one, else to ``a``.
    """
    paths = dict(modules_in(folder, package))
    graph: dict[str, set[str]] = {}
    for module, path in paths.items():
        names = imports_of(module, path)
        targets = {name if name in paths else name.rpartition(".")[0] for name in names - _bases(names, paths)}
        graph[module] = {target for target in targets if target in paths and target != module}
    return graph


def _bases(names: set[str], paths: Mapping[str, Path]) -> set[str]:
    """Tell which names are only the package that a submodule is taken from."""
    return {name for name in names if any(other != name and other.rpartition(".")[0] == name for other in names)}


def circles(graph: Mapping[str, set[str]]) -> list[list[str]]:
    """Find the groups of modules that reach each other (Tarjan, 1972)."""
    numbers: dict[str, int] = {}
    lowest: dict[str, int] = {}
    path: list[str] = []
    found: list[list[str]] = []

    def visit(module: str) -> None:
        numbers[module] = lowest[module] = len(numbers)
        path.append(module)
        for target in graph.get(module, ()):
            if target not in numbers:
                visit(target)
                lowest[module] = min(lowest[module], lowest[target])
            elif target in path:
                lowest[module] = min(lowest[module], numbers[target])
        if lowest[module] == numbers[module]:
            group = path[path.index(module) :]
            del path[path.index(module) :]
            if len(group) > 1:
                found.append(sorted(group))

    for module in graph:
        if module not in numbers:
            visit(module)
    return found
