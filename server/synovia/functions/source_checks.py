"""Faults that a module's source shows before anything runs. Only what is certain: what might work is left to run."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from types import ModuleType
from typing import Any, Final
from weakref import WeakSet

from synovia.errors import UnknownIndex
from synovia.functions.conditions import between, field, ge, gt, le, lt
from synovia.functions.function import function_of
from synovia.functions.named_indexes import check_step
from synovia.functions.places import place, source_of
from synovia.functions.routing import route_of
from synovia.schema import Table, field_of
from synovia.schema.encrypted import sealed_fields

_sound: WeakSet[ModuleType] = WeakSet()
"""Modules in which no fault was found: an application may be loaded many times, as by tests."""


def faults_in(module: ModuleType) -> list[str]:
    """Tell what is lost or fails in a module that has been imported, with ``FILE:LINE``.

    That is: a function or a table of which there is another one of the same name further down; ``using``, ``search``,
    ``nearest`` and ``aggregate`` with an index that its table does not have, or with fields that it is not over; conditions,
    sums and groups over fields that it does not have; and what is asked of an encrypted field that only equality can be
    asked of, or nothing.
    """
    if module in _sound or getattr(module, "__file__", None) is None:
        return []
    text, names = source_of(module), vars(module)
    # A folder's own may be hidden by its modules, so what its names mean does not tell.
    declares = "__path__" in names or any(map(_is_declaration, list(names.values())))
    chooses = ".query(" in text
    source = ast.parse(text if declares or chooses else "")
    found = [*_overwritten(source, names), *(_unanswerable(source, names) if chooses else ())]
    if not found:
        _sound.add(module)
    return [f"{place(str(module.__file__), node.lineno)}: {told}" for node, told in found]


_STEPS: Final = frozenset({"using", "search", "nearest", "aggregate"})
"""What names an index of a query's table first, and fields of it as keywords."""

Found = Iterator[tuple[ast.stmt | ast.expr, str]]
Names = dict[str, Any]
"""What a module's names mean once it is imported."""


def _overwritten(source: ast.Module, names: Names) -> Found:
    declared: dict[str, ast.stmt] = {}
    for node in source.body:
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            continue
        other = declared.pop(node.name, None)
        if other is not None and not _mentions(node, node.name):
            yield other, f"{node.name} is declared again in line {node.lineno}, so this one is lost"
        if _declares(node, names):
            declared[node.name] = node
    for name, node in declared.items():
        if isinstance(names.get(name), ModuleType):
            yield node, f"{name} is also the name of a module in this folder, which takes its place; rename one"


def _declares(node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef, names: Names) -> bool:
    """Tell whether this is a function with a decorator of Synovia's, or a table."""
    if isinstance(node, ast.ClassDef):
        return any(base is Table or _is_table(base) for base in (_value(each, names) for each in node.bases))
    heads = [each.func if isinstance(each, ast.Call) else each for each in node.decorator_list]
    return any(str(getattr(_value(head, names), "__module__", "")).startswith("synovia.") for head in heads)


def _mentions(node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef, name: str) -> bool:
    """Tell whether a declaration builds on what had its name before."""
    heads = [*node.decorator_list, *(node.bases if isinstance(node, ast.ClassDef) else ())]
    return any(isinstance(each, ast.Name) and each.id == name for head in heads for each in ast.walk(head))


def _unanswerable(source: ast.Module, names: Names) -> Found:
    elsewhere, calls = set(_bound_inside(source)), [*_calls_that_are_not_tried(source)]
    yield from _unknown_indexes(calls, names, elsewhere)
    yield from _unknown_fields(calls, names, elsewhere)
    yield from _asked_of_sealed_fields(calls, names, elsewhere)


def _unknown_fields(calls: Iterable[ast.Call], names: Names, elsewhere: set[str]) -> Found:
    """Find conditions, sums and groups over fields that tables which are named do not have."""
    for call in calls:
        table = _table_asked(call, names, elsewhere)
        if table is None:
            continue
        asked: list[str] = []
        match call:
            case ast.Call(ast.Attribute(attr=word), arguments, keywords) if word in _SUMS:
                values = [*arguments, *(each.value for each in keywords)]
                asked = [text for each in values if (text := _text(each)) is not None]
            case ast.Call(ast.Attribute(attr="where"), [condition]):
                asked = [*_fields_named(condition, names)]
        for name in asked:
            try:
                field_of(table, name)
            except UnknownIndex as error:
                yield call, error.message


def _text(node: ast.expr) -> str | None:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def _fields_named(condition: ast.expr, names: Names) -> Iterator[str]:
    for node in ast.walk(condition):
        match node:
            case ast.Call(head, [ast.Constant(str(name))], []) if _value(head, names) is field:
                yield name


_SUMS: Final = frozenset({"sum", "mean", "min", "max", "trend", "group_by"})


def _asked_of_sealed_fields(calls: Iterable[ast.Call], names: Names, elsewhere: set[str]) -> Found:
    """Find sums and ranges over encrypted fields of tables that are named."""
    for call in calls:
        table = _table_asked(call, names, elsewhere)
        sealed = {} if table is None else sealed_fields(table)
        if not sealed or table is None:
            continue
        asked: list[tuple[Any, str]]
        match call:
            case ast.Call(ast.Attribute(attr=word), arguments) if word in _SUMS:
                asked = [(each.value, word) for each in arguments if isinstance(each, ast.Constant)]
            case ast.Call(ast.Attribute(attr="using"), keywords=keywords):
                asked = [(each.arg, "a range") for each in keywords if _is_range(each.value, names)]
            case ast.Call(ast.Attribute(attr="where"), [condition]):
                asked = [*_compared_by_order(condition, names)]
            case _:
                continue
        yield from (
            (call, f"{table.spec.name}.{name} is encrypted: {word} over it cannot be told")
            for name, word in asked
            if name in sealed
        )


def _table_asked(call: ast.Call, names: Names, elsewhere: set[str]) -> type[Table] | None:
    return _table_queried(call.func.value, names, elsewhere) if isinstance(call.func, ast.Attribute) else None


def _is_range(node: ast.expr, names: Names) -> bool:
    ranges = (gt, ge, lt, le, between)
    return isinstance(node, ast.Call) and any(_value(node.func, names) is each for each in ranges)


def _compared_by_order(condition: ast.expr, names: Names) -> Iterator[tuple[Any, str]]:
    for node in ast.walk(condition):
        match node:
            case ast.Compare(ast.Call(head, [ast.Constant(name)]), [ast.Lt() | ast.LtE() | ast.Gt() | ast.GtE()]):
                if _value(head, names) is field:
                    yield name, "an order"


def _unknown_indexes(calls: Iterable[ast.Call], names: Names, elsewhere: set[str]) -> Found:
    for call in calls:
        match call:
            case ast.Call(ast.Attribute(ast.Call() as inner, step), [ast.Constant(str(name)), *_]) if step in _STEPS:
                table = _table_queried(inner, names, elsewhere)
            case _:
                continue
        conditions = [each.arg for each in call.keywords]
        if table is not None and None not in conditions:
            try:
                check_step(table, step, name, [each for each in conditions if each is not None])
            except UnknownIndex as error:
                yield call, error.message


def _table_queried(inner: ast.expr, names: Names, elsewhere: set[str]) -> type[Table] | None:
    """Give the table in ``....db.query(Table)``, perhaps with other steps behind it."""
    while True:
        match inner:
            case ast.Call(ast.Attribute(ast.Call() as before, "where" | "order" | "using")):
                inner = before
            case ast.Call(ast.Attribute(ast.Attribute(attr="db") | ast.Name("db"), "query"), [table], []):
                break
            case _:
                return None
    root = next((node.id for node in ast.walk(table) if isinstance(node, ast.Name)), "")
    value = None if root in elsewhere else _value(table, names)
    return value if _is_table(value) else None


def _calls_that_are_not_tried(node: ast.AST) -> Iterator[ast.Call]:
    """List the calls whose errors nothing around them in the same function looks at."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Call):
            yield child
        if isinstance(child, ast.Try | ast.TryStar) and child.handlers:
            for part in (*child.handlers, *child.orelse, *child.finalbody):
                yield from _calls_that_are_not_tried(part)
        elif not isinstance(child, ast.With | ast.AsyncWith):
            yield from _calls_that_are_not_tried(child)


def _bound_inside(source: ast.Module) -> Iterator[str]:
    """List the names that mean something of their own anywhere but at the top of the module."""
    top = set(source.body)
    for statement in source.body:
        for node in ast.walk(statement):
            match node:
                case ast.arg(name) | ast.Name(name, ast.Store() | ast.Del()):
                    yield name
                case ast.FunctionDef(name) | ast.AsyncFunctionDef(name) | ast.ClassDef(name) if node not in top:
                    yield name
                case ast.Import(aliases) | ast.ImportFrom(names=aliases) if node not in top:
                    yield from ((alias.asname or alias.name).partition(".")[0] for alias in aliases)
                case ast.ExceptHandler(name=str(name)) | ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)):
                    yield name
                case ast.MatchMapping(rest=str(name)):
                    yield name


def _value(node: ast.expr, names: Names) -> Any:
    """Give what a name, or an attribute of one, means at the top of the module."""
    match node:
        case ast.Name(name):
            return names.get(name)
        case ast.Attribute(owner, name):
            return getattr(_value(owner, names), name, None)
    return None


def _is_declaration(value: Any) -> bool:
    return function_of(value) is not None or route_of(value) is not None or _is_table(value)


def _is_table(value: Any) -> bool:
    return isinstance(value, type) and issubclass(value, Table) and value is not Table
