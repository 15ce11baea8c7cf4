"""The imports between TypeScript files, read from the code without running it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

_IMPORT = re.compile(
    r"""^\s*(?:import|export)\b[^;"'`]*?\bfrom\s*["']([^"']+)["']   # import { x } from "..."; export { x } from "..."
      | ^\s*import\s*["']([^"']+)["']                               # import "...";
      | \bimport\(\s*["']([^"']+)["']                               # import("...")
    """,
    re.MULTILINE | re.VERBOSE,
)
_SUFFIXES = ("", ".ts", ".tsx", "/index.ts", "/index.tsx")


def specifiers_in(text: str) -> list[str]:
    """List what a file imports as it is written there, types too: ``./link.js``, ``react``."""
    return [next(filter(None, match.groups())) for match in _IMPORT.finditer(text)]


def graph_of(folder: Path, generated: tuple[str, ...] = ()) -> dict[str, set[str]]:
    """Tell for each file of a folder which of its other files it imports; by paths inside the folder.

    Args:
        generated: Files that are only there after a build.

    Raises:
        LookupError: A file imports one that is not there.
    """
    folder = folder.resolve()
    files = {path for path in folder.rglob("*") if path.suffix in {".ts", ".tsx"}}
    files |= {folder / name for name in generated}
    inside = {path: path.relative_to(folder).as_posix() for path in files}
    return {inside[path]: {inside[target] for target in _targets(path, files)} for path in sorted(files)}


def packages_of(folder: Path) -> dict[str, set[str]]:
    """Tell for each file of a folder which packages it imports."""
    found = {}
    for path in sorted(folder.rglob("*.ts*")):
        names = specifiers_in(path.read_text(encoding="utf-8"))
        found[path.relative_to(folder).as_posix()] = {name for name in names if not name.startswith(".")}
    return found


def _targets(path: Path, files: set[Path]) -> Iterator[Path]:
    for name in specifiers_in(path.read_text(encoding="utf-8")) if path.exists() else ():
        if not name.startswith(".") or name.endswith((".css", ".svg")):
            continue
        # "./link.js" names what link.ts is compiled to
        base = str((path.parent / name).resolve()).removesuffix(".js")
        target = next((Path(base + suffix) for suffix in _SUFFIXES if Path(base + suffix) in files), None)
        if target is None:
            raise LookupError(f"{path} imports {name}, which is not there")
        yield target
