"""Write the Python client: a package with a module of typed calls for each module of the application."""

from __future__ import annotations

import builtins
import json
import keyword
import unicodedata
from collections.abc import Collection, Iterable

from synovia.codegen import shapes
from synovia.functions.function import Kind

_SCALARS = {
    "none": "None",
    "bool": "bool",
    "int": "int",
    "int64": "int",
    "bigint": "int",
    "float": "float",
    "str": "str",
    "bytes": "bytes",
    "datetime": "datetime.datetime",
    "any": "Any",
}
_CALLS = {Kind.QUERY: "QueryCall", Kind.MUTATION: "MutationCall", Kind.ACTION: "ActionCall"}
_ORIGINS = {
    "Any": "typing",
    "Generic": "typing",
    "Literal": "typing",
    "NewType": "typing",
    "NotRequired": "typing",
    "TypeVar": "typing",
    "TypedDict": "typing",
    "NDArray": "numpy.typing",
    "ArrayRef": "synovia_client",
    "StoredFile": "synovia_client",
    "UploadId": "synovia_client",
    "QueryCall": "synovia_client",
    "MutationCall": "synovia_client",
    "ActionCall": "synovia_client",
    "UNSET": "synovia_client",
    "Unset": "synovia_client",
}
_MODULES = {"datetime": "import datetime", "np": "import numpy as np", "builtins": "import builtins"}
_WIDTH = 120
_LEFT_ALONE = ("# ruff: noqa", "# fmt: off")
RESERVED_FUNCTIONS = frozenset({*_ORIGINS, *_MODULES, "annotations"})
"""What a function must not be called: generated modules have other uses for these names."""
RESERVED_ARGUMENTS = frozenset(_CALLS.values())
"""What an argument must not be called in Python: the body of its function makes one of these."""


def python(api: shapes.Api, mark: str) -> dict[str, str]:
    """Give the files of the package by name."""
    root = api.root
    names = [structure.name for structure in api.structures] + [f"{owner}Id" for owner, _ in api.ids]
    files = {_file_of(module): _module(module, set(names), mark) for module in root.walk() if module is not root}
    return {
        "__init__.py": _package(api, list(root.inside), sorted(names), mark),
        "_types.py": _types(api, mark),
        "py.typed": "",
        **files,
    }


def _file_of(module: shapes.Module) -> str:
    return f"{module.path}/__init__.py" if module.inside else f"{module.path}.py"


def _package(api: shapes.Api, modules: list[str], names: list[str], mark: str) -> str:
    lines = [f'"""What clients of {api.name} may call, by module, and the types of what it takes and gives."""', ""]
    if modules:
        lines += [f"from . import {', '.join(modules)}"]
    if names:
        lines += ["from ._types import (", *(f"    {name}," for name in names), ")"]
    public = [f'    "{name}",' for name in sorted([*names, *modules])]
    return "\n".join([f"# {mark}", *_LEFT_ALONE, *lines, "", "__all__ = [", *public, "]", ""])


def _types(api: shapes.Api, mark: str) -> str:
    writer = _Writer()
    ids = [
        f'{owner}Id = {writer.use("NewType")}("{owner}Id", str)\n{_docstring(f"An id in {table!r}.", "")}'.rstrip()
        for owner, table in api.ids
    ]
    variables = sorted({f"_{name}" for structure in api.structures for name in structure.parameters})
    declared = [f'{name} = {writer.use("TypeVar")}("{name}")' for name in variables]
    structures = [writer.structure(structure) for structure in api.structures]
    doc = f'"""The types of what {api.name} takes and gives; names as on the wire."""'
    return _file(mark, doc, writer, ["\n\n".join(ids), "\n".join(declared), *structures])


def _module(module: shapes.Module, names: Collection[str], mark: str) -> str:
    writer = _Writer(shadowed={call.name for call in module.calls} | module.inside.keys())
    functions = [writer.call(call) for call in module.calls]
    used = sorted(writer.structures & set(names))
    folders = module.path.count("/") + bool(module.inside)
    imports = [f"from {'.' * (folders + 1)}_types import {', '.join(used)}"] if used else []
    if module.inside:
        # "as": the name is for others to import from here
        imports = [*(f"from . import {name} as {name}" for name in module.inside), *imports]
    doc = f'"""Calls of the functions in {module.path}."""'
    return _file(mark, doc, writer, functions, imports)


def _file(mark: str, doc: str, writer: _Writer, parts: list[str], more: Iterable[str] = ()) -> str:
    head = "\n".join([f"# {mark}", *_LEFT_ALONE, doc, "", "from __future__ import annotations"])
    imports = "\n".join([*writer.imports(), *more])
    body = "\n\n\n".join(part.rstrip() for part in parts if part)
    return "\n\n".join(filter(None, [head, imports])) + f"\n\n\n{body}".rstrip() + "\n"


class _Writer:
    """Writes types, and remembers what has to be imported for them.

    Args:
        shadowed: Names that mean something else where the types stand; builtins among them are written ``builtins.list``.
    """

    def __init__(self, shadowed: Collection[str] = ()) -> None:
        self.structures: set[str] = set()
        self._used: set[str] = set()
        self._shadowed = shadowed

    def use(self, name: str) -> str:
        self._used.add(name)
        return name

    def imports(self) -> list[str]:
        plain = sorted(_MODULES[name] for name in self._used & _MODULES.keys())
        origins = sorted({_ORIGINS[name] for name in self._used & _ORIGINS.keys()})
        return plain + [
            f"from {origin} import {', '.join(sorted(n for n in self._used if _ORIGINS.get(n) == origin))}"
            for origin in origins
        ]

    # --- declarations

    def structure(self, structure: shapes.Structure) -> str:
        fields = [(field.name, self._field(field, structure.given)) for field in structure.fields]
        self.use("TypedDict")
        doc = _docstring(structure.doc, "    ")
        if all(_is_plain(name) for name, _ in fields):
            base = f"TypedDict, {self.use('Generic')}[{_variables(structure)}]" if structure.parameters else "TypedDict"
            body = doc + "".join(f"    {name}: {type_}\n" for name, type_ in fields)
            return f"class {structure.name}({base}):\n{body or '    pass' + chr(10)}"
        return self._functional(structure, fields)

    def _functional(self, structure: shapes.Structure, fields: list[tuple[str, str]]) -> str:
        # A class could not have these keys, or they would hide the names of types from the fields after them.
        items = "".join(f"        {name!r}: {type_!r},\n" for name, type_ in fields)
        name = structure.name
        return f"{name} = TypedDict(\n    {name!r},\n    {{\n{items}    }},\n)\n{_docstring(structure.doc, '')}"

    def _field(self, field: shapes.Field, given: bool) -> str:
        text = self.type(field.shape, given)
        return text if field.required else f"{self.use('NotRequired')}[{text}]"

    def call(self, call: shapes.Call) -> str:
        kind = self.use(_CALLS[call.kind])
        parameters = [self._parameter(field) for field in call.arguments]
        result = f"{kind}[{self.type(call.result, given=False)}]"
        line = f"def {call.name}({', '.join(['*', *parameters] if parameters else [])}) -> {result}:"
        if len(line) > _WIDTH:
            line = f"def {call.name}(\n    *,\n" + "".join(f"    {p},\n" for p in parameters) + f") -> {result}:"
        return f"{line}\n{_docstring(call.doc, '    ')}    return {self._value(kind, call)}\n"

    def _value(self, kind: str, call: shapes.Call) -> str:
        pairs = [f"{json.dumps(field.name, ensure_ascii=False)}: {field.python}" for field in call.arguments]
        text = f'{kind}("{call.path}", {{{", ".join(pairs)}}})'
        if len(text) + 11 <= _WIDTH:
            return text
        return (
            f'{kind}(\n        "{call.path}",\n        {{\n'
            + "".join(f"            {p},\n" for p in pairs)
            + "        },\n    )"
        )

    def _parameter(self, field: shapes.Field) -> str:
        text = self.type(field.shape, given=True)
        if field.required:
            return f"{field.python}: {text}"
        return f"{field.python}: {text} | {self.use('Unset')} = {self.use('UNSET')}"

    # --- types

    def type(self, shape: shapes.Shape, given: bool) -> str:
        match shape:
            case shapes.Scalar("any"):
                return self.use("Any")
            case shapes.Scalar("datetime"):
                self.use("datetime")
                return "datetime.datetime"
            case shapes.Scalar(name):
                return self._scalar(name)
            case shapes.Choice(values):
                return f"{self.use('Literal')}[{', '.join(map(repr, values))}]"
            case shapes.IdOf(_, owner):
                return self._structure(f"{owner}Id")
            case shapes.ArrayOf(dtype):
                return self._array(dtype, given)
            case shapes.ListOf(item):
                return f"{self._builtin('list')}[{self.type(item, given)}]"
            case shapes.TupleOf(items):
                return self._fixed(items, given)
            case shapes.MapOf(value):
                return f"{self._builtin('dict')}[{self._builtin('str')}, {self.type(value, given)}]"
            case shapes.OneOf(options):
                return " | ".join(self.type(option, given) for option in options)
            case shapes.Reference(name, arguments):
                text = self._structure(name)
                return f"{text}[{', '.join(self.type(each, given) for each in arguments)}]" if arguments else text
            case shapes.Parameter(name):
                return f"_{name}"

    def _fixed(self, items: tuple[shapes.Shape, ...], given: bool) -> str:
        kinds = list(dict.fromkeys(self.type(item, given) for item in items))
        return f"{self._builtin('list')}[{' | '.join(kinds) or self.use('Any')}]"  # the wire has no tuples

    def _scalar(self, name: shapes.ScalarName) -> str:
        if name in ("file", "upload"):
            return self.use("StoredFile" if name == "file" else "UploadId")
        return self._builtin(_SCALARS[name])

    def _array(self, dtype: str | None, given: bool) -> str:
        ref = self.use("ArrayRef")
        if not given:
            return ref
        element = f"{self.use('np')}.float64" if dtype == "float64" else self.use("Any")
        return f"{self.use('NDArray')}[{element}] | {ref}"

    def _structure(self, name: str) -> str:
        self.structures.add(name)
        return name

    def _builtin(self, name: str) -> str:
        return f"{self.use('builtins')}.{name}" if name in self._shadowed else name


def _variables(structure: shapes.Structure) -> str:
    return ", ".join(f"_{name}" for name in structure.parameters)


def _is_plain(key: str) -> bool:
    private = key.startswith("__")  # a class would mangle it
    hides = hasattr(builtins, key) or key in RESERVED_FUNCTIONS
    if unicodedata.normalize("NFKC", key) != key:  # Python would read another name
        return False
    return key.isidentifier() and not (keyword.iskeyword(key) or private or hides)


def _docstring(text: str, indent: str) -> str:
    if not text:
        return ""
    escaped = text.replace("\\", "\\\\").replace('"""', '\\"\\"\\"')
    if escaped.endswith('"'):
        escaped += " "
    lines = escaped.splitlines()
    first, rest = lines[0], "".join(f"\n{indent}{line}".rstrip() if line else "\n" for line in lines[1:])
    return f'{indent}"""{first}{rest}{chr(10) + indent if rest else ""}"""\n'
