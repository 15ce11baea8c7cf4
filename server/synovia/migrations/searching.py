"""The terms of documents that have none: those that were there before the search index, that another program or another
version of the application has written, or that an import has brought.

They are found by an index, so a hub that starts, and one that runs, knows of them at once. Each batch is a transaction, and
follows the one before it after a rest as long as that took. Several hubs may do the same one: all but one of them do it in
vain.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, Final

from synovia import keys
from synovia.engine.engine import Engine
from synovia.engine.live_query import LiveQuery
from synovia.functions.context import MutationContext, QueryContext
from synovia.functions.database import SystemWriter
from synovia.functions.function import Function, query_of_the_hub
from synovia.health import Level, PartHealth
from synovia.migrations.batches import BatchSize, bytes_of
from synovia.schema import Document, SearchSpec, Table, TableSpec
from synovia.schema.search import has_other_terms, keeping_terms
from synovia.store.base import StoreError
from synovia.tasks import end, keep_running
from synovia.transaction.keyed import KeyedCommit
from synovia.transaction.transaction import Scan
from synovia.turns import in_turns
from synovia_protocol import codec

logger = logging.getLogger("synovia")

_LACKING: Final = keys.prefix([None])
_MUCH_ENTRIES: Final = 5_000
"""No further document is given its terms in a transaction that begins and ends so many entries of indexes."""
_TRY_AGAIN_SECONDS: Final = 5.0
_MOST_FOREIGN: Final = 10_000
"""So many changes of other programs wait at most; a table with more is looked through by the next hub that starts."""


class SearchTerms:
    """Gives documents their terms.

    Args:
        models: The tables of the application by their names.

    Attributes:
        documents: How many it has given their terms since the start.
        fault: Why it cannot go on.
    """

    def __init__(self, engine: Engine, models: Mapping[str, type[Table]]) -> None:
        self._engine = engine
        self._tables = {name: model.spec for name, model in models.items() if model.spec.searches}
        self._query = self._lacking_query()
        self._changed: OrderedDict[tuple[str, bytes], Any] = OrderedDict()
        self._wake = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self.documents = 0
        self.fault: str | None = None
        self._behind = False

    def start(self) -> None:
        """Begin; the engine has been started."""
        if self._tables:
            self._engine.hears.append(self._heard)
            self._tasks = [keep_running(self._follow, "search terms", StoreError)]

    async def stop(self) -> None:
        """Stop; what is not done is done when a hub starts."""
        await end(self._tasks)
        self._tasks = []

    async def health(self) -> PartHealth:
        """Tell how many documents it has given their terms, and whether there are more."""
        figures = {"indexedTexts": self.documents, "searchIndexes": "behind" if self._behind else "complete"}
        if self.fault is not None:
            return PartHealth("texts cannot be indexed: see the log", Level.DEGRADED, permanent=True, figures=figures)
        return PartHealth(figures=figures)

    def notify(self) -> None:
        """Look again: there may be documents without terms."""
        self._wake.set()

    def replaced(self, old: LiveQuery, new: LiveQuery) -> None:
        """Do nothing: what is asked does not depend on who is calling."""

    async def catch_up(self, *, gently: bool = False) -> None:
        """Give all documents their terms that lack them.

        Args:
            gently: Rest as long as each batch took.

        Raises:
            SearchTermsFailed: Those of one cannot be stored.
        """
        for table in self._tables.values():
            for search in table.searches:
                await self._fill(table, search, gently=gently)

    # --- in the background

    def _lacking_query(self) -> Function:
        async def lacking(ctx: QueryContext) -> list[str]:
            return [table.name for table in self._tables.values() if await _lacks(ctx, table)]

        return query_of_the_hub("_search:lacking", lacking)

    async def _follow(self) -> None:
        live = self._engine.watch(self, self._query)
        try:
            while True:
                await self._wake.wait()
                self._wake.clear()
                if self._changed or self._lacking(live):
                    await self._until_done()
        finally:
            self._engine.unsubscribe(self, live)

    @staticmethod
    def _lacking(live: LiveQuery) -> bool:
        version = live.version_at(live.ran_at) if live.loaded else None
        return version is not None and version.packed is not None and bool(codec.unpack(version.packed))

    async def _until_done(self) -> None:
        self._behind = True
        while True:
            try:
                await self._correct()
                await self.catch_up(gently=True)
                self._behind, self.fault = False, None
                return
            except SearchTermsFailed as error:
                if self.fault is None:
                    logger.warning("%s", error)
                self.fault = str(error)
            await asyncio.sleep(_TRY_AGAIN_SECONDS)

    async def _fill(self, table: TableSpec, search: SearchSpec, *, gently: bool) -> None:
        size, began, told = BatchSize(), time.monotonic(), self.documents
        while True:
            since = time.monotonic()
            work = partial(_fill_some, table=table, search=search, most=size.documents)
            outcome = await self._engine.transact(work, path="_search:fill")
            if outcome.error is not None:
                if size.documents == 1:
                    raise SearchTermsFailed(f"{table.name}: texts cannot be indexed: {outcome.error.message}")
                size = BatchSize(most=1)
                continue
            number, length, more = outcome.value()
            self.documents += number
            if not more:
                break
            seconds = time.monotonic() - since
            size.learn_of(number, length, seconds)
            await asyncio.sleep(seconds if gently else 0)
        if self.documents > told:
            logger.info(
                "the search index %s of %s: the texts of %d documents were indexed in %.1f s",
                search.name, table.name, self.documents - told, time.monotonic() - began,
            )  # fmt: skip

    # --- what other programs change

    def _heard(self, commit: KeyedCommit) -> None:
        """Note what another program has written without the terms of what it says now."""
        for name in commit.by_table.keys() & self._tables.keys() if commit.fence is None else ():
            for write in commit.by_table[name]:
                if write.write.after is not None and len(self._changed) < _MOST_FOREIGN:
                    self._changed[name, write.id_key] = write.write.id
                    self._wake.set()

    async def _correct(self) -> None:
        while self._changed:
            (name, id_key), id_ = self._changed.popitem(last=False)
            work = partial(_correct_one, table=self._tables[name], id_=id_)
            outcome = await self._engine.transact(work, path="_search:correct")
            if outcome.error is not None:
                self._changed[name, id_key] = id_
                raise SearchTermsFailed(f"{name}: texts cannot be indexed: {outcome.error.message}")


class SearchTermsFailed(Exception):
    """The terms of a document cannot be stored; the message says why."""


async def _fill_some(ctx: MutationContext, *, table: TableSpec, search: SearchSpec, most: int) -> list[int]:
    """Give some documents their terms, ``most`` at most; tell their number, their bytes, and whether there may be more."""
    writer = SystemWriter(ctx.db)
    documents = await writer.scan(table.name, search.lacking, _LACKING, most)
    given = await _give(writer, table, documents)
    return [given, bytes_of(documents[:given]), given == most or given < len(documents)]


async def _correct_one(ctx: MutationContext, *, table: TableSpec, id_: Any) -> None:
    writer = SystemWriter(ctx.db)
    document = await writer.read(table.name, id_)
    if document is not None and has_other_terms(table, document):
        await _give(writer, table, [document], anew=True)


async def _give(writer: SystemWriter, table: TableSpec, documents: Sequence[Document], *, anew: bool = False) -> int:
    """Give documents their terms until they have enough entries of indexes together; tell of how many."""
    entries = 0
    for number, before in enumerate(documents):
        if entries >= _MUCH_ENTRIES:
            return number
        after = dict(before)
        await in_turns(keeping_terms(table, None if anew else before, after, strict=False))
        changed = sum(keys.keys_changed(index, before, after) for index in table.indexes)
        writer.change(table.name, before, after, entries=changed)
        entries += changed
    return len(documents)


async def _lacks(ctx: QueryContext, table: TableSpec) -> bool:
    for search in table.searches:
        if await ctx.db.transaction.scan(Scan(table.name, search.lacking, _LACKING), 1):
            return True
    return False
