"""The modules of an application: those in its folder and in the folders below, and what each is called in paths.

A module's path is the way to it from the application's folder, as ``mutations/organizations``. It may say another one:
``__synovia_path__ = "organizations"``; a folder says it in its ``__init__.py``, for all modules in it. A folder says in the
same way which of its modules and folders are looked into: ``__synovia_modules__ = ("schema", "functions")``.
"""

from __future__ import annotations

import importlib
import pkgutil
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Final

from synovia.errors import SchemaError
from synovia.functions.places import place_of_name

PATH: Final = "__synovia_path__"
MODULES: Final = "__synovia_modules__"
_SKIPPED = frozenset({"cli", "demo", "conftest"})
_DEEPEST: Final = 12
_SKIPPED_FOLDERS = frozenset({"tests", "node_modules"})


def modules_of(package: ModuleType) -> Iterator[ModuleType]:
    """Import the modules of an application, its own first, then those of each folder by name.

    Raises:
        SchemaError: Of a module and a folder of one name Python would import only one; a module that a folder names is not
            there; or folders lie too deep. Errors of the modules themselves pass through.
    """
    yield from _with_those_below(package, frozenset())


def _with_those_below(module: ModuleType, above: frozenset[Path]) -> Iterator[ModuleType]:
    yield module
    folders = [Path(each) for each in getattr(module, "__path__", ())]
    inside = above | {folder.resolve() for folder in folders}
    if len(inside) > _DEEPEST:
        raise SchemaError(
            f"{folders[0]}: folders lie more than {_DEEPEST} deep; Python takes ages to find what is in them"
        )
    for name in _chosen(module, folders):
        if not any((folder / name).resolve() in inside for folder in folders):  # a link back up has no end
            yield from _with_those_below(importlib.import_module(f"{module.__name__}.{name}"), inside)


def _chosen(module: ModuleType, folders: list[Path]) -> list[str]:
    found = sorted({name for folder in folders for name in _importable(folder)})
    said = vars(module).get(MODULES)
    if said is None:
        chosen = [name for name in found if not any(_is_skipped(name, folder) for folder in folders)]
    else:
        chosen = _said(module, said, found)
    for folder in folders:
        _refuse_hidden(folder, chosen)
    return chosen


def _said(module: ModuleType, said: object, found: list[str]) -> list[str]:
    if not isinstance(said, list | tuple) or not all(isinstance(name, str) for name in said):
        raise SchemaError(f"{place_of_name(module, MODULES)}: {MODULES} is a tuple of names")
    missing = [name for name in said if name not in found]
    if missing:
        raise SchemaError(f"{place_of_name(module, MODULES)}: there is no module or folder {missing[0]!r}")
    return list(dict.fromkeys(said))


def _importable(folder: Path) -> Iterator[str]:
    """List what can be imported from a folder: modules, packages, and folders that are none but have modules in them."""
    yield from (entry.name for entry in pkgutil.iter_modules([str(folder)]))
    for entry in folder.iterdir():
        if entry.is_dir() and "." not in entry.name and not (entry / "__init__.py").exists() and _has_modules(entry):
            yield entry.name


def _has_modules(folder: Path) -> bool:
    for entry in folder.iterdir():
        if _is_skipped(entry.stem, folder) or entry.name.startswith("."):
            continue
        if entry.suffix == ".py" or (entry.is_dir() and not entry.is_symlink() and _has_modules(entry)):
            return True
    return False


def _is_skipped(name: str, folder: Path) -> bool:
    if name.startswith(("_", "test_")) or name in _SKIPPED:
        return True
    inside = folder / name
    if not inside.is_dir() or (folder / f"{name}.py").exists():
        return False
    return name in _SKIPPED_FOLDERS or (inside / "pyvenv.cfg").exists()


def _refuse_hidden(folder: Path, names: list[str]) -> None:
    """Refuse a module beside a folder of the same name: Python imports one of them, and the other would be lost."""
    for name in names:
        file, inside = folder / f"{name}.py", folder / name
        if file.exists() and inside.is_dir() and ((inside / "__init__.py").exists() or _has_modules(inside)):
            raise SchemaError(f"{file} and the folder {inside} have one name, so Python finds only one; rename one")


def path_of(module: ModuleType, application: str) -> str:
    """Tell what a module is called in the paths of its functions.

    Args:
        application: The name of the application's own module; others have only their last name.

    Raises:
        SchemaError: It says a name that none can have.
    """
    said, name = _said_path(module), module.__name__
    if said is not None or not name.startswith(application + "."):
        return name.rpartition(".")[2] if said is None else said
    parent, _, last = name.rpartition(".")
    above = _path_above(parent, application)
    return f"{above}/{last}" if above else last


def _path_above(name: str, application: str) -> str:
    module = sys.modules[name]
    if name == application:
        return _said_path(module) or ""
    return path_of(module, application)


def _said_path(module: ModuleType) -> str | None:
    said = vars(module).get(PATH)
    if said is None or (said == "" and hasattr(module, "__path__")):
        return said
    if not isinstance(said, str) or not is_module_path(said) or said.startswith("_") or "/_" in said:
        raise SchemaError(
            f"{place_of_name(module, PATH)}: {said!r} cannot be a module's path: names joined by slashes, as 'a/b', each"
            " of letters, digits and underscores, with a letter first"
        )
    return said


def is_module_path(path: str) -> bool:
    """Tell whether this may stand before the colon of a function's path."""
    return all(part.isidentifier() for part in path.split("/"))
