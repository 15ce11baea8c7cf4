"""Row rules: who may read and who may write which rows of a table, asked of every access by ``ctx.db``."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import reduce
from operator import or_
from typing import Any, TypeVar

from synovia import keys
from synovia.errors import FunctionError, SchemaError
from synovia.functions.cascades import Cascades
from synovia.functions.conditions import Condition, compared
from synovia.functions.conditions import field as column
from synovia.functions.context import QueryContext
from synovia.functions.database_reader import DatabaseReader, Views
from synovia.functions.parameters import signature_of
from synovia.functions.places import place_in, place_of
from synovia.functions.query import Notice
from synovia.functions.visibility import Check, Judge, Scope, TableView, Verb
from synovia.identity import Identity
from synovia.schema import Document, Table, Unreadable, field_of
from synovia.schema.encrypted import sealed_fields
from synovia.transaction.rows import RowCache
from synovia.transaction.transaction import Transaction

_MARK = "__synovia_row_rules__"
_ALLOWED = "__synovia_allowed__"

RuleBody = Callable[..., Awaitable[Any]]
B = TypeVar("B", bound=RuleBody)


class RuleReader(DatabaseReader):
    """What a rule reads: everything, as it decides what others see.

    Attributes:
        visible: The same as the caller sees it: for rules that leave it to those of another table.
    """

    def __init__(self, rules: CallerRules, *, judged: bool = False) -> None:
        judge, cascades = rules if judged else None, rules.caller.db.cascades
        super().__init__(rules.transaction, rows=rules.rows, notice=rules.notice, judge=judge, cascades=cascades)
        self._views = _NotedViews(rules, judge, cascades)
        if not judged:
            self.visible: DatabaseReader = RuleReader(rules, judged=True)


class _NotedViews(Views):
    """What a rule sees of each table; that it looks at one is noted."""

    def __init__(self, rules: CallerRules, judge: Judge | None, cascades: Cascades | None) -> None:
        super().__init__(rules.transaction, judge, cascades)
        self._rules = rules

    def __missing__(self, key: tuple[type[Table], bool]) -> TableView:
        self._rules.note(key[0])
        return super().__missing__(key)


class RuleContext(QueryContext):
    """What a rule is handed: the caller's context, with a database in which nothing is hidden."""

    db: RuleReader

    def __init__(self, of: QueryContext, db: RuleReader) -> None:
        super().__init__(
            None, of._reads, db, of._store, now=of._now, access=of.access, env=of._env, addresses=of._addresses
        )
        self._caller = of

    @property
    def identity(self) -> Identity | None:
        return self._caller.identity


ConditionRule = Callable[[RuleContext], Awaitable[Condition | bool]]
"""Says once for a run which rows there are: those for which the condition holds, all, or none."""


@dataclass(frozen=True, eq=False)
class RowRule:
    """A declared rule.

    Attributes:
        body: ``async def rule(ctx: RuleContext) -> Condition | bool``, or ``async def rule(ctx, row) -> bool``.
        verb: What it says.
        tables: Of whose rows.
        by_row: Whether it is asked of each row.
        place: Where it is declared, ``FILE:LINE``.
        capability: What it asks for, if it is declared by words.
        words: These words.
    """

    body: RuleBody
    verb: Verb
    tables: tuple[type[Table], ...]
    by_row: bool
    place: str
    capability: str | None = None
    words: _Words | None = None

    @property
    def name(self) -> str:
        """What it is called."""
        return self.body.__name__


def may_read(*tables: type[Table]) -> Callable[[B], B]:
    """Declare who may read which rows of some tables, on an async function.

    The function takes the caller's context and gives a condition on fields, as ``where`` takes it, or True for all rows or
    False for none; it is asked once in a run. Or it takes the context and a row, and tells whether that one may be read.
    What it reads is tracked as if the function that is called had read it. Several rules of one table have to hold
    together.
    """
    return _rule("read", tables)


def may_write(*tables: type[Table]) -> Callable[[B], B]:
    """Declare who may insert, change and delete which rows, beside having to be able to read them; see ``may_read``.

    It has to hold of a row as it was and as it shall be.
    """
    return _rule("write", tables)


def _rule(verb: Verb, tables: tuple[type[Table], ...]) -> Callable[[B], B]:
    _check_tables(f"@may_{verb}", tables)

    def mark(body: B) -> B:
        is_async: bool = inspect.iscoroutinefunction(body)
        parameters = len(signature_of(body).parameters)
        if not is_async or parameters not in (1, 2):
            raise SchemaError(f"{body.__name__}: a rule is an async function of a RuleContext, or of that and a row")
        rule = RowRule(body, verb, tables, parameters == 2, place_of(body))
        setattr(body, _MARK, (*rules_declared_by(body), rule))
        return body

    return mark


def _check_tables(word: str, tables: tuple[object, ...]) -> None:
    if not tables or not all(
        isinstance(each, type) and issubclass(each, Table) and each is not Table for each in tables
    ):
        raise SchemaError(f"{word} names tables by their classes, as {word}(Recording)")


def allow_read(
    *tables: type[Table],
    owner: str | None = None,
    capability: str | None = None,
    within: str | None = None,
    where: Condition | None = None,
) -> None:
    """Declare who may read which rows of some tables, in a statement of a module, where no function has to think about it.

    A row is shown if one of the words shows it; several rules of one table have to hold together, as with ``may_read``.

    Args:
        owner: The field that holds the key of the ``Identity`` whose row it is: to them.
        capability: To whom it is granted: all rows if everywhere, those of a tenant if there alone.
        within: The field that names a row's tenant; as ``@roles`` says, unless this says otherwise.
        where: Rows for which it holds: to everybody.
    """
    _allow("read", tables, _Words(owner, capability, within, where))


def allow_write(
    *tables: type[Table],
    owner: str | None = None,
    capability: str | None = None,
    within: str | None = None,
    where: Condition | None = None,
) -> None:
    """Declare who may insert, change and delete which rows, by the words of ``allow_read``; see ``may_write``."""
    _allow("write", tables, _Words(owner, capability, within, where))


@dataclass(frozen=True, slots=True)
class _Words:
    """What a rule says that is no function."""

    owner: str | None
    capability: str | None
    within: str | None
    where: Condition | None

    def check(self, table: type[Table]) -> None:
        """Refuse words that cannot be meant.

        Raises:
            SchemaError: There is none, or one names a field that the table does not have.
        """
        if self.owner is None and self.capability is None and self.where is None:
            raise SchemaError(f"say owner, capability or where; it names {table.__name__}, and nobody")
        for name in (self.owner, self.within):
            if name is not None and name not in table.model_fields:
                raise SchemaError(f"{table.__name__} has no field {name!r}")

    def faults(self, table: type[Table]) -> Iterator[str]:
        """Tell what no row of a table can be asked, once all that its fields name is there."""
        sealed = sealed_fields(table)
        try:
            if self.owner is not None and self.owner not in sealed:
                field_of(table, self.owner).equal("issuer|subject")
        except FunctionError:
            yield f"{table.__name__}.{self.owner} cannot hold the key of an identity, and is said to be the owner"
        for name, operator, value in () if self.where is None else compared(self.where.tree):
            try:
                path = field_of(table, name)
                if operator == "eq" and name.partition(".")[0] not in sealed:
                    path.equal(value)
            except FunctionError as error:
                yield error.message

    def __str__(self) -> str:
        owner, where = "owner" if self.owner else None, "where" if self.where is not None else None
        return " or ".join(word for word in (owner, self.capability, where) if word is not None)

    def body_for(self, table: type[Table]) -> RuleBody:
        """Make the function of a rule of one table."""

        async def rule(ctx: RuleContext) -> Condition | bool:
            shown = [] if self.where is None else [self.where]
            if self.owner is not None and ctx.identity is not None:
                shown.append(column(self.owner) == ctx.identity.key)
            if self.capability is not None:
                tenants = await ctx.tenants_with(self.capability)
                if tenants is None:
                    return True
                name = self.within or ctx.access.table.within or ""
                if tenants and name in table.model_fields:
                    shown.append(_one_of(name, sorted(tenants)))
            return reduce(or_, shown) if shown else False

        rule.__name__ = str(self)
        return rule


def _one_of(name: str, values: list[str]) -> Condition:
    return column(name) == values[0] if len(values) == 1 else column(name).in_(values)  # that of one chooses an index


class _Allowed(dict[tuple[str, str, Verb], RowRule]):
    """The rules that the statements of a module declare, by where that is and for which table."""


def _allow(verb: Verb, tables: tuple[type[Table], ...], words: _Words) -> None:
    module = sys._getframe(2)
    where = place_in(module)
    _check_tables(f"allow_{verb}", tables)
    allowed = module.f_globals.setdefault(_ALLOWED, _Allowed())
    for table in tables:
        words.check(table)
        body = words.body_for(table)
        allowed[where, table.__name__, verb] = RowRule(body, verb, (table,), False, where, words.capability, words)


def rules_declared_by(value: object) -> tuple[RowRule, ...]:
    """Give the rules that a decorated function declares, or the statements of a module; none for anything else."""
    if isinstance(value, _Allowed):
        return tuple(value.values())
    found: tuple[RowRule, ...] = getattr(value, _MARK, ())
    return found


@dataclass(frozen=True)
class RowRules:
    """The rules of an application's tables.

    Attributes:
        by_table: By the name of the table and what they say.
    """

    by_table: Mapping[tuple[str, Verb], tuple[RowRule, ...]] = field(default_factory=dict)

    @classmethod
    def among(cls, rules: Iterable[RowRule], tables: Mapping[str, type[Table]]) -> RowRules:
        """Collect rules.

        Args:
            tables: Those of the application, by name.

        Raises:
            SchemaError: There are rules, and one of these tables has none that says who may read it; or one asks what no row
                can be asked.
        """
        found: dict[tuple[str, Verb], tuple[RowRule, ...]] = {}
        faults: list[str] = []
        for rule in rules:
            for table in rule.tables:
                faults += [f"{rule.place}: {fault}" for fault in (rule.words.faults(table) if rule.words else ())]
                key = table.spec.name, rule.verb
                found[key] = (*found.get(key, ()), rule)
        if faults:
            raise SchemaError("\n".join(faults))
        open_ones = [table for name, table in tables.items() if found and (name, "read") not in found]
        if open_ones:
            raise SchemaError(
                "\n".join(
                    f"{place_of(table)}: no rule says who may read {table.spec.name}, and other tables have rules: write"
                    f" @may_read({table.__name__}) above an async function that gives a condition, or True"
                    for table in open_ones
                )
            )
        return cls(found)

    def __bool__(self) -> bool:
        return bool(self.by_table)

    def of(self, table: type[Table], verb: Verb) -> tuple[RowRule, ...]:
        """List the rules of a table."""
        return self.by_table.get((table.spec.name, verb), ())


class RuleFault(Exception):
    """A rule has failed, or has given what is no answer: the call fails, whatever the function makes of it."""


_asked: ContextVar[tuple[tuple[RowRule, Any], ...]] = ContextVar("rules that are being asked", default=())


class CallerRules(Judge):
    """What the rules say to the caller of one run. Each is asked once, until the run writes where rules have read.

    Attributes:
        caller: The run's context; set before the function is called.
        fault: What a rule has raised that no function may go on after.
    """

    caller: QueryContext

    def __init__(self, rules: RowRules, transaction: Transaction, rows: RowCache, notice: Notice) -> None:
        self.transaction = transaction
        self.rows = rows
        self.notice = notice
        self.fault: Exception | None = None
        self._rules = rules
        self._read: set[str] = set()
        self._revision = 0
        self._scopes: dict[tuple[type[Table], Verb], Scope] = {}
        self._answers: dict[tuple[RowRule, bytes], tuple[Document, bool]] = {}

    def end(self) -> None:
        """Let go of the run, which is over: its context leads back here, and all would wait for the garbage collector."""
        del self.caller
        self._scopes.clear()

    def note(self, table: type[Table]) -> None:
        """Note that a rule reads a table."""
        self._read.add(table.spec.name)

    async def scope(self, table: type[Table], verb: Verb) -> Scope:
        """Tell which rows of a table the caller may read or write."""
        self._forget_if_changed()
        place = table, verb
        if place not in self._scopes:
            self._scopes[place] = await self._scope(table, verb)
        return self._scopes[place]

    async def _scope(self, table: type[Table], verb: Verb) -> Scope:
        rules = self._rules.of(table, verb)
        if not rules and verb == "read" and table.spec.system:
            return Scope(empty=True)  # what Synovia keeps is shown where the application says to whom
        conditions = [await self._ask(rule) for rule in rules if not rule.by_row]
        checks = [self._check_of(rule, table) for rule in rules if rule.by_row]
        with self._failing_closed():
            try:
                return Scope.of(table, conditions, checks, self.transaction.keyring)
            except FunctionError as error:  # not of the caller's making
                raise RuleFault(f"a rule that says who may {verb} {table.spec.name}: {error}") from error

    def _check_of(self, rule: RowRule, table: type[Table]) -> Check:
        async def check(document: Document) -> bool:
            self._forget_if_changed()
            place = rule, keys.encode_value(document["_id"])
            known = self._answers.get(place)
            if known is not None and known[0] is document:
                return known[1]
            try:
                row = self.rows.row(table, document)
            except Unreadable as error:
                self.notice(error.misfit)
                return False
            answer = bool(await self._ask(rule, row))
            self._answers[place] = document, answer
            return answer

        return check

    async def _ask(self, rule: RowRule, *row: Table) -> Condition | bool:
        asked, call = _asked.get(), (rule, row[0].id if row else None)
        with self._failing_closed():
            if call in asked:
                raise RuleFault(
                    f"{rule.place}: the rule {rule.name} asks itself, by way of what it leaves to other rules"
                )
            token = _asked.set((*asked, call))
            try:
                answer = await rule.body(RuleContext(self.caller, RuleReader(self)), *row)
            finally:
                _asked.reset(token)
            if isinstance(answer, bool) or (isinstance(answer, Condition) and not rule.by_row):
                return answer
            wanted = "True or False" if rule.by_row else "a condition, True or False"
            raise RuleFault(f"{rule.place}: the rule {rule.name} gives {wanted}, not {answer!r:.80}")

    @contextmanager
    def _failing_closed(self) -> Iterator[None]:
        try:
            yield
        except FunctionError:
            raise
        except Exception as error:
            self.fault = self.fault or error
            raise

    def _forget_if_changed(self) -> None:
        revision = sum(self.transaction.revisions.get(name, 0) for name in self._read)
        if revision != self._revision:
            self._revision = revision
            self._scopes.clear()
            self._answers.clear()
