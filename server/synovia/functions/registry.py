"""Find an application's tables and functions: every module of a folder, or one file."""

from __future__ import annotations

import importlib
import pkgutil
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import ModuleType
from typing import Any

from synovia.errors import SchemaError, UnknownFunction, WrongKind
from synovia.functions.audit import AuditEntry
from synovia.functions.function import Function, Kind, function_of
from synovia.functions.roles import Roles, roles_declared_by
from synovia.functions.routing import HttpRoute, in_order, route_of
from synovia.functions.scheduled_calls import CronJob, ScheduledCall
from synovia.schema import Table, TableSpec

_NOT_FUNCTIONS = {"cli", "demo", "conftest"}
SYSTEM_TABLES: tuple[TableSpec, ...] = (AuditEntry.spec, ScheduledCall.spec, CronJob.spec)
"""What Synovia keeps beside every application's own tables; functions read it, and only Synovia writes it."""


@dataclass(frozen=True)
class Registry:
    """What an application consists of.

    Attributes:
        name: The package's name.
        functions: By path, ``module:function``.
        tables: Every declared table, and Synovia's own.
        routes: Every declared HTTP route, in the order in which they are tried.
        roles: The table of roles; None if there is none.
        folder: Where its files are, if it was loaded from there.
    """

    name: str
    functions: Mapping[str, Function]
    tables: tuple[TableSpec, ...]
    routes: tuple[HttpRoute, ...] = ()
    roles: Roles | None = None
    folder: Path | None = None

    def find(self, path: str, kind: Kind, *, internal: bool = False) -> Function:
        """Find a function to call.

        Raises:
            UnknownFunction: There is none at that path, or it is internal and ``internal`` is False.
            WrongKind: It is of another kind.
        """
        function = self.functions.get(path)
        if function is None or (function.internal and not internal):
            raise UnknownFunction(f"there is no {kind} {path!r}")
        if function.kind is not kind:
            raise WrongKind(f"{path!r} is a {function.kind}, not a {kind}")
        return function


def load_application(path: str | Path) -> Registry:
    """Import an application and collect what it declares.

    Args:
        path: A folder of modules, or one Python file. Modules whose names begin with an underscore or ``test_``, and
            ``cli``, ``demo`` and ``conftest``, are not looked into for functions.

    Raises:
        SchemaError: Nothing is there, or what is declared cannot work. Errors of the modules themselves pass through.
    """
    location = Path(path).resolve()
    if not location.exists():
        raise SchemaError(f"there is no application at {path}")
    name = location.stem if location.is_file() else location.name
    if not name.isidentifier():
        raise SchemaError(f"{name!r} is not a valid Python module name; rename the application's folder or file")
    if str(location.parent) not in sys.path:
        sys.path.insert(0, str(location.parent))
    package = importlib.import_module(name)
    _check_origin(package, location)
    folder = location if location.is_dir() else location.parent
    return replace(collect(name, list(_modules(package))), folder=folder)


def _check_origin(package: ModuleType, location: Path) -> None:
    origins = [str(package.__file__)] if location.is_file() else list(getattr(package, "__path__", []))
    if str(location) not in (str(Path(origin).resolve()) for origin in origins):
        raise SchemaError(
            f"the name {package.__name__!r} belongs to another module; rename the application at {location}"
        )


def _modules(package: ModuleType) -> Iterator[ModuleType]:
    yield package
    for entry in pkgutil.iter_modules(getattr(package, "__path__", [])):
        if not (entry.name.startswith(("_", "test_")) or entry.name in _NOT_FUNCTIONS):
            yield importlib.import_module(f"{package.__name__}.{entry.name}")


def collect(name: str, modules: list[ModuleType]) -> Registry:
    """Collect what modules that are imported already declare.

    Raises:
        SchemaError: It cannot work; also if a function does not say who may call it.
    """
    values = [(module.__name__, value) for module in modules for value in list(vars(module).values())]
    functions = {function.path: function for function in _functions(values)}
    routes = [route for module, value in values if (route := route_of(value)) is not None and route.module == module]
    tables = _tables([value for _, value in values if _is_table(value)])
    roles = _one_table({table for _, value in values if (table := roles_declared_by(value)) is not None})
    _check_access({**functions, **{f"route {route.pattern}": route for route in routes}}, roles)
    return Registry(name, functions, (*tables, *SYSTEM_TABLES), in_order(routes), roles)


def _functions(values: Iterable[tuple[str, Any]]) -> Iterator[Function]:
    for module, value in values:
        function = function_of(value)
        if function is not None and function.body.__module__ == module:
            function.prepare()
            yield function


def _tables(declared: Iterable[type[Table]]) -> Iterable[TableSpec]:
    found: dict[str, TableSpec] = {}
    for table in declared:
        if found.setdefault(table.spec.name, table.spec) != table.spec:
            raise SchemaError(f"two tables are named {table.spec.name!r}")
    return found.values()


def _one_table(roles: set[Roles]) -> Roles | None:
    if len(roles) > 1:
        raise SchemaError("there are two tables of roles; an application has one")
    return next(iter(roles), None)


def _check_access(declared: Mapping[str, Function], table: Roles | None) -> None:
    """Check every declaration, and tell all that is wrong at once."""
    faults: dict[str, list[str]] = {}
    for path, function in sorted(declared.items()):
        try:
            function.access.check(table)
        except SchemaError as error:
            faults.setdefault(str(error), []).append(path)
    if faults:
        raise SchemaError("; ".join(f"{', '.join(paths)}: {fault}" for fault, paths in faults.items()))


def _is_table(value: Any) -> bool:
    return isinstance(value, type) and issubclass(value, Table) and value is not Table and not value.spec.system
