"""Names that a language cannot have, or that would be one and the same there."""

from __future__ import annotations

import keyword
from collections.abc import Iterable, Iterator
from pathlib import Path

from pydantic.alias_generators import to_camel

from synovia.codegen.convex import RESERVED as CONVEX_RESERVED
from synovia.codegen.python import RESERVED_ARGUMENTS, RESERVED_FUNCTIONS
from synovia.codegen.reading import CodegenError
from synovia.codegen.shapes import Api, Call, Module


def check_typescript(api: Api, folder: Path) -> None:
    """Raise CodegenError if names clash once they are in camelCase."""
    faults = []
    for module in api.root.walk():
        faults += _clashes((_member(module, name), owner) for name, owner in _named_in(module))
    for call in api.calls:
        faults += _clashes((field.name, f"{call.path}, argument {field.python!r}") for field in call.arguments)
    _raise(faults)


def check_convex(api: Api, folder: Path) -> None:
    """Raise CodegenError if names clash once they are in camelCase, or have a meaning in what npm ``convex`` expects."""
    check_typescript(api, folder)
    _raise(
        [
            f"{structure.name}: the name has a meaning in a client of Convex; rename it"
            for structure in api.structures
            if structure.name in CONVEX_RESERVED and not structure.of_convex
        ]
    )


def check_python(api: Api, folder: Path) -> None:
    """Raise CodegenError if a module or function cannot have its name, or the folder cannot be imported."""
    names = {structure.name for structure in api.structures} | {f"{owner}Id" for owner, _ in api.ids}
    faults = [fault for module in api.root.walk() for fault in _faults_of_module(module, names)]
    faults += [fault for call in api.calls for fault in _faults(call, names)]
    faults += [
        f"{structure.name}: a generic model cannot have the key {field.name!r} in Python"
        for structure in api.structures if structure.parameters
        for field in structure.fields if not field.name.isidentifier() or keyword.iskeyword(field.name)
    ]  # fmt: skip
    package = folder.resolve().name
    if not package.isidentifier() or keyword.iskeyword(package):
        faults.append(f"{folder}: the folder is a package, and {package!r} cannot be its name")
    _raise(faults)


def _named_in(module: Module) -> Iterator[tuple[str, str]]:
    yield from ((call.name, call.path) for call in module.calls)
    yield from ((name, f"the module {each.path!r}") for name, each in module.inside.items())


def _member(module: Module, name: str) -> str:
    return ".".join(to_camel(part) for part in [*filter(None, module.path.split("/")), name])


def _faults_of_module(module: Module, names: set[str]) -> Iterator[str]:
    if keyword.iskeyword(module.name):
        yield f"the module {module.path!r}: a Python client cannot import it"
    if module.name in names:
        yield f"the module {module.path!r} and a type have one name; rename one"
    if "/" in module.path and module.name in RESERVED_FUNCTIONS:
        yield f"the module {module.path!r}: its name has another meaning in a Python client; rename it"
    yield from _clashes(_named_in(module))


def _faults(call: Call, names: set[str]) -> Iterable[str]:
    if keyword.iskeyword(call.name):
        yield f"{call.path}: a Python client cannot have a function of this name; give it another"
    if call.name in RESERVED_FUNCTIONS or call.name in names:
        yield f"{call.path}: the name {call.name} has another meaning in a Python client; rename it"
    for field in call.arguments:
        if field.python in RESERVED_ARGUMENTS:
            yield f"{call.path}: the argument {field.python} has another meaning in a Python client; rename it"


def _clashes(named: Iterable[tuple[str, str]]) -> list[str]:
    faults, known = [], dict[str, str]()
    for name, owner in named:
        other = known.setdefault(name, owner)
        if other != owner:
            faults.append(f"{owner} and {other} would both be {name}; rename one of them")
    return faults


def _raise(faults: list[str]) -> None:
    if faults:
        raise CodegenError("\n".join(faults))
