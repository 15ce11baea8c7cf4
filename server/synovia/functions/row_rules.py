"""Row rules: who may read and who may write which rows of a table, asked of every access by ``ctx.db``."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, TypeVar

from synovia import keys
from synovia.errors import FunctionError, SchemaError
from synovia.functions.conditions import Condition
from synovia.functions.context import QueryContext
from synovia.functions.database import DatabaseReader
from synovia.functions.places import place_of
from synovia.functions.query import Notice
from synovia.functions.visibility import Check, Judge, Scope, TableView, Verb
from synovia.identity import Identity
from synovia.schema import Document, Table, Unreadable
from synovia.transaction.rows import RowCache
from synovia.transaction.transaction import Transaction

_MARK = "__synovia_row_rules__"

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
        self._of = rules
        if not judged:
            self.visible: DatabaseReader = RuleReader(rules, judged=True)

    def _view(self, table: type[Table], *, with_deleted: bool = False) -> TableView:
        self._of.note(table)
        return super()._view(table, with_deleted=with_deleted)


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
    """

    body: RuleBody
    verb: Verb
    tables: tuple[type[Table], ...]
    by_row: bool
    place: str

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
    word = f"@may_{verb}"
    if not tables or not all(
        isinstance(each, type) and issubclass(each, Table) and each is not Table for each in tables
    ):
        raise SchemaError(f"{word} names tables by their classes, as {word}(Recording)")

    def mark(body: B) -> B:
        is_async: bool = inspect.iscoroutinefunction(body)
        parameters = len(inspect.signature(body).parameters)
        if not is_async or parameters not in (1, 2):
            raise SchemaError(f"{body.__name__}: a rule is an async function of a RuleContext, or of that and a row")
        rule = RowRule(body, verb, tables, parameters == 2, place_of(body))
        setattr(body, _MARK, (*rules_declared_by(body), rule))
        return body

    return mark


def rules_declared_by(value: object) -> tuple[RowRule, ...]:
    """Give the rules that a decorated function declares; none for anything else."""
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
            SchemaError: There are rules, and one of these tables has none that says who may read it.
        """
        found: dict[tuple[str, Verb], tuple[RowRule, ...]] = {}
        for rule in rules:
            for table in rule.tables:
                place = table.spec.name, rule.verb
                found[place] = (*found.get(place, ()), rule)
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
        revision = sum(self.transaction.revisions[name] for name in self._read)
        if revision != self._revision:
            self._revision = revision
            self._scopes.clear()
            self._answers.clear()
