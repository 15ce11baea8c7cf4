"""Who may do what in an application, found by trying: its functions, and the rows of its tables, for some callers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from synovia.auth.development import parse_identity
from synovia.errors import FunctionError
from synovia.functions.access import Access
from synovia.functions.context import QueryContext
from synovia.functions.function import Function, Kind
from synovia.functions.registry import Registry, load_application
from synovia.functions.visibility import Verb
from synovia.schema import Table
from synovia.seeding import run_seeds
from synovia.testing.app import TestApp
from synovia.testing.caller import Caller

_PROBE: Final = "_access:rows"
_NO_ARGUMENT: Final = "noSuchArgument"
"""Access is checked before arguments are: a call with this one is refused for one or the other, and changes nothing."""
_REFUSED: Final = {"unauthenticated": "401", "forbidden": "403"}
Cells = tuple[str, ...]
"""Of each of the callers, in their order."""


@dataclass(frozen=True)
class AccessMatrix:
    """What some callers may do.

    Attributes:
        callers: Their names.
        functions: Who may call a function, by its path: ``yes``, ``401`` or ``403``.
        rows: Which rows they may read and write, by table and verb: ``all``, ``none``, ``3 of 8``, or ``401`` or ``403``.
        rules: The names of the rules that say so, by the same.
    """

    callers: tuple[str, ...]
    functions: Mapping[str, Cells]
    rows: Mapping[tuple[str, Verb], Cells]
    rules: Mapping[tuple[str, Verb], str]

    def __str__(self) -> str:
        """Write it in Markdown."""
        functions = [(path, *cells) for path, cells in self.functions.items()]
        rows = [(*place, self.rules[place], *cells) for place, cells in self.rows.items()]
        parts = [
            "## Functions", "", *_table(("function", *self.callers), functions), "",
            "## Rows", "", *_table(("table", "", "rules", *self.callers), rows),
        ]  # fmt: skip
        return "\n".join(parts if rows else parts[: parts.index("## Rows") - 1]) + "\n"

    def as_data(self) -> dict[str, Any]:
        """Give it as JSON has it: the cells of each function and of each table by the callers' names."""
        functions = {path: dict(zip(self.callers, cells, strict=True)) for path, cells in self.functions.items()}
        rows = {
            f"{table} {verb}": dict(zip(self.callers, cells, strict=True)) for (table, verb), cells in self.rows.items()
        }
        return {"functions": functions, "rows": rows}


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(head)} |"
    yield f"|{' --- |' * len(head)}"
    for row in rows:
        yield f"| {' | '.join(row)} |"


async def access_matrix(application: str | Path | Registry, callers: Mapping[str, str | None]) -> AccessMatrix:
    """Try what some callers may do in an application after its seeds have run.

    Args:
        callers: Addresses with claims, as ``ada@example.org?role=editor``, by the names that the matrix gives them; None:
            somebody who is not signed in.
    """
    registry = application if isinstance(application, Registry) else load_application(application)
    tables = [*registry.models.values(), *_system_tables_with_rules(registry)] if registry.rules else []
    async with TestApp(_with_probe(registry, tables)) as app:
        await run_seeds(app.engine, registry)
        people = [app.caller(None if who is None else parse_identity(who), internal=True) for who in callers.values()]
        functions = [path for path, each in sorted(registry.functions.items()) if not each.internal]
        called = {path: tuple([await _call(each, registry.functions[path]) for each in people]) for path in functions}
        total = await app.trusted.query(_PROBE)
        counted = [await _counted(each, total) for each in people]
    places = [(table, verb) for table in tables for verb in _verbs(table)]
    return AccessMatrix(
        tuple(callers),
        called,
        {(table.spec.name, verb): tuple(of[f"{table.spec.name} {verb}"] for of in counted) for table, verb in places},
        {(table.spec.name, verb): _rules(registry, table, verb) for table, verb in places},
    )


def _verbs(table: type[Table]) -> tuple[Verb, ...]:
    return ("read",) if table.spec.system else ("read", "write")


def _system_tables_with_rules(registry: Registry) -> list[type[Table]]:
    named = {table for rules in registry.rules.by_table.values() for rule in rules for table in rule.tables}
    return sorted((table for table in named if table.spec.system), key=lambda table: table.spec.name)


def _with_probe(registry: Registry, tables: Sequence[type[Table]]) -> Registry:
    async def rows(ctx: QueryContext) -> dict[str, int | str]:
        found: dict[str, int | str] = {}
        for table in tables:
            for verb in _verbs(table):
                found[f"{table.spec.name} {verb}"] = await _count(ctx, table, verb)
        return found

    probe = Function(rows, Kind.QUERY, access=Access(internal=True))
    probe.path = _PROBE
    probe.prepare()
    return replace(registry, functions={**registry.functions, _PROBE: probe})


async def _count(ctx: QueryContext, table: type[Table], verb: Verb) -> int | str:
    try:
        seen = await ctx.db.query(table).collect()
        return len(seen) if verb == "read" else sum([await ctx.db.may_write(row) for row in seen])
    except FunctionError as error:
        return _REFUSED.get(error.code, error.code)


async def _counted(caller: Caller, total: Mapping[str, Any]) -> dict[str, str]:
    counts = await caller.query(_PROBE)
    return {place: _share(count, total[place]) for place, count in counts.items()}


def _share(count: int | str, total: int) -> str:
    if isinstance(count, str) or not total:
        return str(count)
    return "all" if count == total else f"{count} of {total}" if count else "none"


async def _call(caller: Caller, function: Function) -> str:
    try:
        await getattr(caller, str(function.kind))(function.path, {_NO_ARGUMENT: 0})
    except FunctionError as error:
        return _REFUSED.get(error.code, "yes")
    return "yes"


def _rules(registry: Registry, table: type[Table], verb: Verb) -> str:
    return ", ".join(rule.name for rule in registry.rules.of(table, verb)) or "–"
