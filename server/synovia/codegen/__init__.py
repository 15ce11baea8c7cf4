"""Typed clients, written from the functions of an application: see docs/codegen.md."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from synovia.codegen.checking import check_convex, check_python, check_typescript
from synovia.codegen.convex import convex as convex_client
from synovia.codegen.files import MARK, Changes, changes
from synovia.codegen.python import python
from synovia.codegen.reading import CodegenError, read
from synovia.codegen.shapes import Api
from synovia.codegen.typescript import typescript
from synovia.functions.registry import Registry

__all__ = ["Changes", "CodegenError", "generate"]


def generate(
    registry: Registry, *, ts: Path | None = None, py: Path | None = None, convex: Path | None = None
) -> list[Changes]:
    """Find what has to be written so that these folders hold the clients of an application.

    Args:
        ts: The folder of the TypeScript client.
        py: The folder of the Python client: a package, whose name it gives.
        convex: The folder ``_generated`` of a front end made with npm ``convex``.

    Raises:
        CodegenError: Types that no client can have, names that clash, or files in the way; each line is one of them.
        OSError: A folder cannot be read.
    """
    api = read(registry)
    ways: list[tuple[Path | None, Callable[[Api, Path], None], Callable[[Api, str], dict[str, str]]]] = [
        (ts, check_typescript, typescript),
        (py, check_python, python),
        (convex, check_convex, convex_client),
    ]
    found = []
    for folder, check, write in ways:
        if folder is not None:
            check(api, folder)
            found.append(changes(folder, write(api, MARK)))
    return found
