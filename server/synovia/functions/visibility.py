"""What a run sees of a table: the documents that the rules let through, without those that are deleted softly.

All of ``ctx.db`` reads through a ``TableView``, so that nobody can forget to ask. A condition becomes part of what is asked
of the database: where it says that indexed fields equal some values, an interval of an index, so that it costs nothing.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import takewhile
from typing import Any, Final, Literal, Protocol

from bson import ObjectId

from synovia import keys
from synovia.aggregates.tally import Summary, Tally, tally_of
from synovia.functions.conditions import Condition, resolved
from synovia.keys import EMPTY, IndexSpec, Interval
from synovia.schema import Document, Table, field_of
from synovia.schema.kept import DELETED_AT, SoftDelete
from synovia.sealing.keyring import Keyring
from synovia.store.base import Snapshot
from synovia.store.filters import AllOf, Comparison, Filter, matches
from synovia.transaction.transaction import Scan, Transaction
from synovia.turns import Turns

Verb = Literal["read", "write"]
Check = Callable[[Document], Awaitable[bool]]
"""Tells of one document whether a rule lets it through."""

_FEW: Final = 16
_SCALARS: Final = (str, int, bool, bytes, ObjectId, datetime)
NOT_DELETED: Final = Comparison(DELETED_AT, "eq", None)
"""Holds of what has not been deleted softly."""


@dataclass(frozen=True, slots=True)
class Scope:
    """Some documents of a table.

    Attributes:
        equal: The values that some fields have in all of them, by the names in the database.
        where: What else holds for them.
        checks: What has to be asked of each.
        empty: There are none.
    """

    equal: Mapping[str, Any] = field(default_factory=dict)
    where: tuple[Filter, ...] = ()
    checks: tuple[Check, ...] = ()
    empty: bool = False

    @classmethod
    def of(
        cls,
        table: type[Table],
        conditions: Iterable[Condition | bool],
        checks: Iterable[Check] = (),
        keyring: Keyring | None = None,
    ) -> Scope:
        """Give the documents for which all of some conditions hold, and all checks.

        Args:
            keyring: Makes the tokens of values of encrypted fields.

        Raises:
            UnknownIndex: The table lacks a field of a condition.
            InvalidArguments: A field cannot have the value that it is compared with.
        """
        equal, where, empty = dict[str, Any](), list[Filter](), False
        for condition in conditions:
            if isinstance(condition, bool):
                empty = empty or not condition
                continue
            for part in _parts(condition.tree):
                single = _equality(table, part, keyring)
                if single is not None and single.field not in equal:
                    equal[single.field] = single.value
                else:
                    where.append(resolved(table, part, keyring))
        return cls(equal, tuple(where), tuple(checks), empty)

    async def holds(self, document: Document) -> bool:
        """Tell whether a document is one of them."""
        if self.empty:
            return False
        if (self.equal or self.where) and not self._fits(document):
            return False
        for check in self.checks:
            if not await check(document):
                return False
        return True

    def _fits(self, document: Document) -> bool:
        return all(matches(part, document) for part in (*self._comparisons(self.equal), *self.where))

    def narrow(self, scan: Scan, indexes: Sequence[IndexSpec]) -> Scan:
        """Give the scan that meets those of them which a scan meets, in the same order, if no checks are to be made."""
        if not self.equal and not self.where:
            return scan
        index, interval, used = self._within(scan, indexes)
        rest = *self._comparisons(self.equal.keys() - used), *self.where
        where = (*([] if scan.where is None else [scan.where]), *rest)
        tree = None if not where else where[0] if len(where) == 1 else AllOf(where)
        return replace(scan, index=index, interval=interval, where=tree)

    def _within(self, scan: Scan, indexes: Sequence[IndexSpec]) -> tuple[IndexSpec, Interval, frozenset[str]]:
        """Tell where in which index a scan meets what has the equal values, and of which fields these are."""
        own = list(takewhile(self.equal.__contains__, _fields(scan.index)))
        if own:
            return scan.index, _common(scan.interval, keys.prefix(self.equal[name] for name in own)), frozenset(own)
        longer = [index for index in indexes if self._leads_to(index, scan.index)]
        if not longer:
            return scan.index, scan.interval, frozenset()
        index = max(longer, key=lambda each: len(each.fields))
        leading = index.fields[: len(index.fields) - len(scan.index.fields)]
        head = keys.encode(self.equal[name] for name in leading)
        return index, Interval(head + scan.interval.low, head + scan.interval.high), frozenset(leading)

    def _leads_to(self, index: IndexSpec, other: IndexSpec) -> bool:
        """Tell whether an index begins with fields whose values are known, and goes on as another one."""
        more = len(index.fields) - len(other.fields)
        return more > 0 and index.fields[more:] == other.fields and self.equal.keys() >= set(index.fields[:more])

    def _comparisons(self, names: Iterable[str]) -> list[Filter]:
        return [Comparison(name, "eq", self.equal[name]) for name in sorted(names)]


def _fields(index: IndexSpec) -> tuple[str, ...]:
    return (*index.fields, "_id")


def _common(one: Interval, other: Interval) -> Interval:
    low, high = max(one.low, other.low), min(one.high, other.high)
    return Interval(low, high) if low < high else EMPTY


def _parts(tree: Filter) -> Iterator[Filter]:
    if isinstance(tree, AllOf):
        for each in tree.conditions:
            yield from _parts(each)
    else:
        yield tree


def _equality(table: type[Table], part: Filter, keyring: Keyring | None) -> Comparison | None:
    """Give a condition as the database has it, if it says that a field has one value, and has no other."""
    if not isinstance(part, Comparison) or part.operator != "eq" or field_of(table, part.field).in_list:
        return None
    found = resolved(table, part, keyring)
    is_plain = isinstance(found, Comparison) and isinstance(found.value, _SCALARS)
    return found if is_plain and isinstance(found, Comparison) else None


_ALL: Final = Scope()


class Judge(Protocol):
    """Knows which documents of a table the caller of a run may read and write."""

    async def scope(self, table: type[Table], verb: Verb) -> Scope: ...


class Remover(Protocol):
    """Knows which documents of a table are gone for everybody, although the database still has them."""

    def hides(self, table: type[Table]) -> bool:
        """Tell whether it may leave out anything of a table."""
        ...

    async def shown(self, table: type[Table], scope: Scope) -> Scope: ...


class TableView:
    """What a run sees of one table.

    Args:
        judge: Says what is to be seen; None: everything is.
        remover: Says what is on its way out; None: nothing is.
        with_deleted: Also what has been deleted softly.
    """

    def __init__(
        self,
        table: type[Table],
        transaction: Transaction,
        judge: Judge | None,
        remover: Remover | None = None,
        *,
        with_deleted: bool = False,
    ) -> None:
        self._table = table
        self._transaction = transaction
        self._judge = judge
        self._remover = remover
        self._hides_deleted = issubclass(table, SoftDelete) and not with_deleted
        self._shows_all = not (
            judge is not None or self._hides_deleted or (remover is not None and remover.hides(table))
        )
        self.shows_deleted = with_deleted

    @property
    def snapshot(self) -> Snapshot:
        """The database as the run sees it, without what the run has written."""
        return self._transaction.snapshot

    @property
    def transaction(self) -> Transaction:
        """The run's view of the database; for the server's own parts."""
        return self._transaction

    @property
    def keyring(self) -> Keyring | None:
        """What makes the tokens of values of encrypted fields."""
        return self._transaction.keyring

    def with_deleted(self) -> TableView:
        """Give the same with what has been deleted softly."""
        return TableView(self._table, self._transaction, self._judge, self._remover, with_deleted=True)

    def get(self, id_: Any) -> Awaitable[Document | None]:
        """Read a document by its id."""
        return self._transaction.get(self._table.spec.name, id_) if self._shows_all else self._get(id_)

    async def _get(self, id_: Any) -> Document | None:
        scope = await self._scope()  # whether there is one or not: what is hidden costs what does not exist
        if scope.empty:
            return None
        document = await self._transaction.get(self._table.spec.name, id_)
        return document if document is None or await scope.holds(document) else None

    async def get_many(self, ids: Sequence[Any]) -> list[Document | None]:
        """Read documents by their ids, in the same order."""
        scope = await self._scope()
        if scope.empty:
            return [None] * len(ids)
        found = await self._transaction.get_many(self._table.spec.name, ids)
        return [each if each is None or await scope.holds(each) else None for each in found]

    async def scan(self, scan: Scan, limit: int | None = None) -> list[Document]:
        """Read an interval of an index, at most ``limit`` documents of it, in the order of their keys."""
        scope = await self._scope()
        if scope.empty:
            return []
        narrow = scope.narrow(scan, self._table.spec.indexes)
        if not scope.checks:
            return await self._transaction.scan(narrow, limit)
        most, turns = limit, Turns()
        while True:
            found, shown = await self._transaction.scan(narrow, most), []
            for document in found:
                if await scope.holds(document):
                    shown.append(document)
                await turns.step()
            if limit is None or most is None or len(shown) >= limit or len(found) < most:
                return shown[:limit]
            most = max(_FEW, 2 * most)

    async def narrowed(self, scan: Scan) -> Scan | None:
        """Give what of a scan may be seen as a scan of the same index; None: documents have to be asked for one by one."""
        scope = await self._scope()
        if scope.empty:
            return replace(scan, interval=EMPTY)
        return None if scope.checks else scope.narrow(scan, ())

    async def ruled(self, scan: Scan) -> Scan | None:
        """Give a scan of what the rules show of another one, in the same order; None: they ask of each document."""
        if self._judge is None:
            return scan
        scope = await self._judge.scope(self._table, "read")
        if scope.empty:
            return replace(scan, interval=EMPTY)
        return None if scope.checks else scope.narrow(scan, self._table.spec.indexes)

    async def known_values(self) -> Mapping[str, Any] | None:
        """Give the values that some fields have in all that may be seen, by the names in the database; None: nothing may."""
        scope = await self._scope()
        return None if scope.empty else scope.equal

    async def count(self, scan: Scan) -> int:
        """Count the documents of an interval."""
        scope = await self._scope()
        if scope.empty:
            return 0
        if scope.checks:
            return len(await self.scan(scan))
        return await self._transaction.count(scope.narrow(scan, self._table.spec.indexes))

    async def aggregate(self, scan: Scan, summary: Summary) -> Tally:
        """Tally the documents of an interval.

        Raises:
            TooManyGroups: There are more groups than one answer may have.
        """
        scope = await self._scope()
        if scope.empty or scope.checks:
            return await tally_of(summary, await self.scan(scan), Turns())
        return await self._transaction.aggregate(scope.narrow(scan, self._table.spec.indexes), summary)

    async def _scope(self) -> Scope:
        if self._shows_all:
            return _ALL
        scope = _ALL if self._judge is None else await self._judge.scope(self._table, "read")
        if self._hides_deleted:
            scope = replace(scope, where=(*scope.where, NOT_DELETED))
        return scope if self._remover is None else await self._remover.shown(self._table, scope)
