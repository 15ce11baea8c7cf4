"""An application's tables and functions: all that the modules of its folder declare, or one file."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from types import ModuleType
from typing import Any, Protocol, TypeVar

from pydantic import BaseModel

from synovia.errors import Forbidden, SchemaError, UnknownFunction, WrongKind
from synovia.functions.access import Access
from synovia.functions.aggregate_trees import CHANGES, NODES, TREES
from synovia.functions.audit import AuditEntry
from synovia.functions.cascades import CASCADES
from synovia.functions.encryption import encryption_faults
from synovia.functions.env import Env, EnvValue
from synovia.functions.function import Function, Kind, a_kind, function_of
from synovia.functions.job import JobFunction
from synovia.functions.known_hubs import KnownHub
from synovia.functions.migration import Migration, migration_of
from synovia.functions.model_faults import faults_of_models
from synovia.functions.modules import is_module_path, modules_of, path_of
from synovia.functions.places import place_of, place_of_error, place_of_line, place_of_name
from synovia.functions.pool import Pool
from synovia.functions.rate_limits import RateLimit, RateLimitState
from synovia.functions.roles import Roles, roles_declared_by
from synovia.functions.routing import HttpRoute, in_order, route_of
from synovia.functions.row_rules import RowRule, RowRules, rules_declared_by
from synovia.functions.scheduled_calls import CallBatch, CronJob, ScheduledCall, WorkflowStep
from synovia.functions.schema_states import MigrationState, SchemaCheckState
from synovia.functions.seed import Seed, SeedState, seed_of
from synovia.functions.shared_tables import SHARED_TABLES
from synovia.functions.source_checks import faults_in
from synovia.functions.workflow import WorkflowFunction
from synovia.identity import Identity, may_change, operates
from synovia.schema import Table, TableSpec
from synovia.schema.list_bounds import line_of_field, unbounded_lists
from synovia.schema.relations import Relations
from synovia.schema.shared import shared_docs_of
from synovia_protocol.spelling import letters

SYSTEM_MODELS: tuple[type[Table], ...] = (
    AuditEntry, ScheduledCall, WorkflowStep, CallBatch, CronJob, MigrationState, SchemaCheckState, SeedState, EnvValue,
    RateLimitState, KnownHub,
)  # fmt: skip
SYSTEM_TABLES: tuple[TableSpec, ...] = (*(table.spec for table in SYSTEM_MODELS), CASCADES, TREES)
"""What Synovia keeps beside every application's own tables; functions read it, and only Synovia writes it."""
_LONGEST_PATH = 200  # of those that are compared by letters
_SHORTEST_PATH = 6


@dataclass(frozen=True)
class Registry:
    """What an application consists of.

    Attributes:
        name: The package's name.
        functions: By path, ``module:function`` or ``folder/module:function``.
        tables: Every declared table, and Synovia's own.
        routes: Every declared HTTP route, in the order in which they are tried.
        roles: The table of roles; None if there is none.
        pools: By name, those in which scheduled actions wait.
        folder: Where its files are, if it was loaded from there.
        models: By name, the tables that it declares itself.
        relations: What their fields refer to.
        rules: Who may read and write which of their rows.
        migrations: In the order in which they are run.
        seeds: In the order in which they are run.
        env: The settings that it declares; None if there are none.
        limits: By name, how much of something may be done in a time.
        background: By path, the jobs and workflows: what is only scheduled, and called by nobody.
        system: By path, functions of the server's own, which exist for whoever runs the hub and for nobody else.
    """

    name: str
    functions: Mapping[str, Function]
    tables: tuple[TableSpec, ...]
    routes: tuple[HttpRoute, ...] = ()
    roles: Roles | None = None
    folder: Path | None = None
    pools: Mapping[str, Pool] = field(default_factory=dict)
    models: Mapping[str, type[Table]] = field(default_factory=dict)
    relations: Relations = field(default_factory=Relations)
    rules: RowRules = field(default_factory=RowRules)
    migrations: tuple[Migration, ...] = ()
    seeds: tuple[Seed, ...] = ()
    env: type[Env] | None = None
    limits: Mapping[str, RateLimit] = field(default_factory=dict)
    background: Mapping[str, Function] = field(default_factory=dict)
    system: Mapping[str, Function] = field(default_factory=dict)

    @cached_property
    def aggregated(self) -> Mapping[str, TableSpec]:
        """The tables with aggregate indexes, by name."""
        return {name: model.spec for name, model in self.models.items() if model.spec.aggregates}

    def find(self, path: str, kind: Kind, *, internal: bool = False, caller: Identity | None = None) -> Function:
        """Find a function to call.

        Args:
            caller: Who asks; whoever runs the hub finds what is the system's, too.

        Raises:
            UnknownFunction: There is none at that path, or it is internal and ``internal`` is False.
            WrongKind: It is of another kind.
            Forbidden: It is the system's and changes something, and the caller may only look.
        """
        system = None if caller is None else self.system_function(path, caller)
        function = system or self.functions.get(path)
        if function is None or (function.internal and not (internal or system)):
            raise UnknownFunction(f"there is no {kind} {path!r}{self.hint(path, internal=internal)}")
        if function.kind is not kind:
            raise WrongKind(f"{path!r} is {a_kind(function.kind)}, not {a_kind(kind)}")
        if system is not None and kind is not Kind.QUERY and not may_change(caller):
            raise Forbidden(f"this key only looks, and {path} changes something")
        return function

    def scheduled(self, path: str) -> Function | None:
        """Give the function that is run when a call of a path is due, if there is one."""
        return self.functions.get(path) or self.background.get(path)

    def system_function(self, path: str, caller: Identity | None) -> Function | None:
        """Give the system's function of a path if there is one for this caller."""
        return self.system.get(path) if operates(caller) else None

    def hint(self, path: str, *, internal: bool = False) -> str:
        """Ask whether the function is meant whose path is only spelled otherwise; empty if there is none.

        Whoever may call internal functions is told, too, that there is a job or a workflow.
        """
        if internal and (scheduled := self.background.get(path)) is not None:
            return f": it is a {scheduled.word}, which a mutation schedules and nobody calls"
        meant = self._spellings.get(letters(path)) or self._nearly(path, internal=internal)
        return f": is {meant.path!r} meant?" if meant is not None and (internal or not meant.internal) else ""

    def _nearly(self, path: str, *, internal: bool) -> Function | None:
        """Find a function from whose path this one differs by a letter that is missing, wrong, doubled or misplaced."""
        if not _SHORTEST_PATH <= len(path) <= _LONGEST_PATH:  # of a short one each letter makes another
            return None
        near = (each for key in _with_one_letter_less(letters(path)) for each in self._near.get(key, ()))
        return next((each for each in near if internal or not each.internal), None)

    @cached_property
    def _near(self) -> Mapping[str, list[Function]]:
        near: dict[str, list[Function]] = {}
        for function in self.functions.values():
            for key in _with_one_letter_less(letters(function.path)):
                near.setdefault(key, []).append(function)
        return near

    def concerns(self) -> Iterator[str]:
        """Tell what will be a burden one day in what is declared, with ``FILE:LINE``."""
        for model in self.models.values():
            for name in unbounded_lists(model):
                where = place_of_line(model, line_of_field(model, name))
                yield (
                    f"{where}: {model.__name__}.{name} may grow without end, and each change writes all of it: give it a"
                    " bound, as Annotated[list[...], Field(max_length=10)], or make what is in it a table of its own"
                )

    @cached_property
    def _spellings(self) -> Mapping[str, Function]:
        return {letters(path): function for path, function in self.functions.items()}


def _with_one_letter_less(text: str) -> set[str]:
    """Give a text and all that is left if one of its letters is: two that have one in common are nearly the same."""
    return {text, *(text[:place] + text[place + 1 :] for place in range(len(text)))}


def load_application(path: str | Path) -> Registry:
    """Import an application and collect what it declares.

    Args:
        path: A folder of modules and folders, or one Python file. What is looked into is in docs/functions.md.

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
    importlib.invalidate_caches()
    try:
        package = importlib.import_module(name)
        _check_origin(package, location)
        modules = list(modules_of(package))
    except SchemaError as error:
        where = place_of_error(error, location)
        raise SchemaError(f"{where}: {error}" if where else str(error)) from error
    folder = location if location.is_dir() else location.parent
    return replace(collect(name, modules), folder=folder)


def _check_origin(package: ModuleType, location: Path) -> None:
    origins = [str(package.__file__)] if location.is_file() else list(getattr(package, "__path__", []))
    if str(location) not in (str(Path(origin).resolve()) for origin in origins):
        raise SchemaError(
            f"the name {package.__name__!r} belongs to another module; rename the application at {location}"
        )


def collect(name: str, modules: Iterable[ModuleType]) -> Registry:
    """Collect what modules that are imported already declare.

    Raises:
        SchemaError: It cannot work; also if a function does not say who may call it.
    """
    modules = list(modules)
    values = [(module, value) for module in modules for value in list(vars(module).values())]
    routes = [route for module, value in values if (route := _own_route(name, module, value)) is not None]
    functions = list(_functions(name, values))
    _refuse_same_paths([*functions, *routes])
    models = _tables(value for _, value in values if _is_table(value))
    _raise(faults_of_models(_models_declared_in(values)))
    relations = Relations.among(models.values())
    _raise(fault for module in _sources(name, modules) for fault in faults_in(module))
    _raise(fault for function in functions for fault in _faults(function))
    _raise(fault for model in models.values() for fault in encryption_faults(model))
    migrations = _declared(name, values, migration_of, "migrations")
    former = {each.table: TableSpec(each.table) for each in migrations if each.table not in models}
    shared = [table.spec for table in SHARED_TABLES if any(map(shared_docs_of, models.values()))]
    sums = [NODES, CHANGES] if any(model.spec.aggregates for model in models.values()) else []
    tables = (*(model.spec for model in models.values()), *former.values(), *shared, *sums, *SYSTEM_TABLES)
    roles = _one_table({table for _, value in values if (table := roles_declared_by(value)) is not None})
    rules = {rule: None for _, value in values for rule in rules_declared_by(value)}
    background = {each.path: each for each in functions if isinstance(each, JobFunction | WorkflowFunction)}
    by_path = {each.path: each for each in functions if each.path not in background}
    _check_access([*functions, *routes], roles)
    _raise(_unknown_capabilities(rules, roles))
    pools = _named(values, Pool, "pools")
    _raise(_unknown_pools(functions, pools))
    return Registry(
        name, by_path, tables, in_order(routes), roles, pools=pools, models=models,
        relations=relations, rules=RowRules.among(rules, models), migrations=migrations,
        background=background, seeds=_declared(name, values, seed_of, "seeds"), env=_env(values),
        limits=_named(values, RateLimit, "limits"),
    )  # fmt: skip


def _sources(application: str, modules: list[ModuleType]) -> list[ModuleType]:
    """List an application's modules, also those that are not looked into but imported by others."""
    inside = [module for name, module in list(sys.modules.items()) if name.startswith(application + ".")]
    return list(dict.fromkeys([*modules, *inside]))


def _faults(function: Function) -> Iterator[str]:
    try:
        function.prepare()
    except SchemaError as error:
        yield str(error)


def _models_declared_in(values: Iterable[tuple[ModuleType, Any]]) -> Iterator[type[BaseModel]]:
    for module, value in values:
        if isinstance(value, type) and issubclass(value, BaseModel) and value.__module__ == module.__name__:
            yield value


def _raise(faults: Iterable[str]) -> None:
    found = list(faults)
    if found:
        raise SchemaError("\n".join(found))


def _functions(application: str, values: Iterable[tuple[ModuleType, Any]]) -> Iterator[Function]:
    """List the functions where they are declared, not where they are imported; each once, whatever names it has there."""
    for module, value in values:
        function = function_of(value)
        if function is not None and function.body.__module__ == module.__name__:
            function.place_in(path_of(module, application))
            if not is_module_path(function.module):
                raise SchemaError(
                    f"{function.place}: {function.path!r} cannot be a path: rename the module, or let it say"
                    " another path with __synovia_path__"
                )
            yield function


def _refuse_same_paths(functions: Iterable[Function]) -> None:
    found: dict[str, Function] = {}
    for function in functions:
        other = found.setdefault(function.path, function)
        if other is not function:
            raise SchemaError(f"two functions have the path {function.path}: {other.place} and {function.place}")


def _own_route(application: str, module: ModuleType, value: Any) -> HttpRoute | None:
    route = route_of(value)
    if route is None or route.declared_in != module.__name__:
        return None
    route.place_in(path_of(module, application))
    return route


class _Placed(Protocol):
    """What a decorated function declares that has a path, as a migration does."""

    place: str
    path: str

    @property
    def body(self) -> Callable[..., Any]: ...

    def place_in(self, module: str) -> None: ...


D = TypeVar("D", bound=_Placed)


def _declared(
    application: str, values: Iterable[tuple[ModuleType, Any]], declared_by: Callable[[object], D | None], what: str
) -> tuple[D, ...]:
    """List the migrations, or the seeds, where they are declared, in this order; each once, whatever names it has there."""
    found: dict[str, D] = {}
    for module, value in values:
        one = declared_by(value)
        if one is not None and one.body.__module__ == module.__name__:
            one.place_in(path_of(module, application))
            other = found.setdefault(one.path, one)
            if other is not one:
                raise SchemaError(f"two {what} have the path {one.path}: {other.place} and {one.place}")
    return tuple(found.values())


def _env(values: Iterable[tuple[ModuleType, Any]]) -> type[Env] | None:
    """Find the declared settings; what others of its kind are built on is not meant."""
    found = {value for _, value in values if isinstance(value, type) and issubclass(value, Env) and value is not Env}
    found -= {base for each in found for base in each.__mro__[1:]}
    if len(found) > 1:
        places = " and ".join(sorted(f"{each.__name__} ({place_of(each)})" for each in found))
        raise SchemaError(f"an application declares its settings in one class; there are {places}")
    for each in found:
        each.check()
    return next(iter(found), None)


def _tables(declared: Iterable[type[Table]]) -> Mapping[str, type[Table]]:
    found: dict[str, type[Table]] = {}
    for table in declared:
        other = found.setdefault(table.spec.name, table)
        if other is not table:
            raise SchemaError(f"two tables are named {table.spec.name!r}: {place_of(other)} and {place_of(table)}")
    return found


class _Named(Protocol):
    @property
    def name(self) -> str: ...


N = TypeVar("N", bound=_Named)


def _named(values: Iterable[tuple[ModuleType, Any]], kind: type[N], what: str) -> Mapping[str, N]:
    """Find what is declared under names, as pools are; what others import is the same."""
    found: dict[str, tuple[N, ModuleType]] = {}
    for module, value in values:
        if isinstance(value, kind):
            other, there = found.setdefault(value.name, (value, module))
            if other is not value:
                places = f"{_place_of_value(there, other)} and {_place_of_value(module, value)}"
                raise SchemaError(f"two {what} are named {value.name!r}: {places}")
    return {name: value for name, (value, _) in found.items()}


def _place_of_value(module: ModuleType, value: object) -> str:
    return place_of_name(module, next(name for name, each in vars(module).items() if each is value))


def _unknown_pools(functions: Iterable[Function], pools: Mapping[str, Pool]) -> Iterator[str]:
    for function in functions:
        if function.pool is not None and function.pool not in pools:
            yield (
                f"{function.place}: {function.path}: there is no pool {function.pool!r}; declare it in a module that is"
                f" looked into: Pool({function.pool!r}, parallelism=...)"
            )


def _one_table(roles: set[Roles]) -> Roles | None:
    if len(roles) > 1:
        raise SchemaError("there are two tables of roles; an application has one")
    return next(iter(roles), None)


def _check_access(declared: Iterable[Function], table: Roles | None) -> None:
    """Check every declaration, and tell all that is wrong at once."""
    faults: dict[str, list[str]] = {}
    for function in sorted(declared, key=lambda each: each.path):
        try:
            function.access.check(table)
        except SchemaError as error:
            faults.setdefault(str(error), []).append(f"{function.path} ({function.place})")
    if faults:
        raise SchemaError("; ".join(f"{', '.join(paths)}: {fault}" for fault, paths in faults.items()))


def _unknown_capabilities(rules: Iterable[RowRule], table: Roles | None) -> Iterator[str]:
    for rule in (each for each in rules if each.capability is not None):
        try:
            Access(capability=rule.capability).check(table)
        except SchemaError as error:
            yield f"{rule.place}: {error}"


def _is_table(value: Any) -> bool:
    return isinstance(value, type) and issubclass(value, Table) and value is not Table and not value.spec.system
