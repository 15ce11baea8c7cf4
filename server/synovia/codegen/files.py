"""Put generated files in place: only what has changed, and nothing of anybody else's."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from synovia.codegen.reading import CodegenError

MARK = "Written by `synovia codegen`, which overwrites it: change the application instead."


@dataclass(frozen=True, slots=True)
class Changes:
    """What has to be done to a folder so that it holds the generated files and no stale ones."""

    folder: Path
    written: Mapping[Path, str]
    removed: tuple[Path, ...]

    def __bool__(self) -> bool:
        return bool(self.written or self.removed)

    def apply(self) -> None:
        """Do it.

        Raises:
            OSError: The folder or a file cannot be written.
        """
        for path, text in self.written.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            beside = path.with_name(f".{path.name}.new")
            beside.write_text(text, encoding="utf-8", newline="\n")
            os.replace(beside, path)  # whoever watches never sees half of a file
        for path in self.removed:
            path.unlink(missing_ok=True)
        for folder in sorted({path.parent for path in self.removed} - {self.folder}, reverse=True):
            with contextlib.suppress(OSError):  # something else is in it
                folder.rmdir()


def changes(folder: Path, files: Mapping[str, str]) -> Changes:
    """Find what differs between a folder and the files that belong there.

    Raises:
        CodegenError: A file of that name is there and was not generated, or the folder is a file.
        OSError: The folder cannot be read.
    """
    if folder.exists() and not folder.is_dir():
        raise CodegenError(f"{folder} is not a folder")
    written: dict[Path, str] = {}
    for name, text in sorted(files.items()):
        path = folder / name
        present = _content(path)
        if present is not None and present and not is_generated(present):
            raise CodegenError(f"{path} was not written by `synovia codegen`: move it away, or choose another folder")
        if present != text:
            written[path] = text
    return Changes(folder, written, tuple(sorted(_stale(folder, files))))


def is_generated(text: str) -> bool:
    """Whether the first line says so."""
    return MARK in text.partition("\n")[0]


def _stale(folder: Path, files: Mapping[str, str]) -> list[Path]:
    wanted = {folder / name for name in files}
    candidates = [path for path in _sources(folder) if path not in wanted]
    return [path for path in candidates if is_generated(_content(path) or "")]


def _sources(folder: Path) -> Iterator[Path]:
    """List the sources in a folder, and in those folders inside that are generated packages."""
    for path in folder.glob("*"):
        if path.suffix in (".ts", ".py", ".js"):
            yield path
        elif is_generated(_content(path / "__init__.py") or ""):
            yield from _sources(path)


def _content(path: Path) -> str | None:
    if not path.is_file():
        return None
    return path.read_bytes().decode("utf-8", "replace")
