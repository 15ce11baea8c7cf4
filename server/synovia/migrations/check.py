"""Comparing what is stored with what is declared: some documents of every table at once, then all of them.

The work is bounded: a batch is small, and is followed by a pause several times as long. How far a table has been checked
against its present declaration is kept in the database, so that a hub that starts goes on there, and hubs of one version do
it once.
"""

from __future__ import annotations

import asyncio
import hashlib
import inspect
import logging
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

from synovia.functions.unreadable import UnreadableDocuments
from synovia.keys import BY_ID, Order
from synovia.migrations.batches import BatchSize, after, key_of
from synovia.schema import Document, Misfit, Table, misfit_of
from synovia.schema.annotations import fields_of, models_in
from synovia.schema.misfits import id_text
from synovia.schema.wire_names import python_names_in
from synovia.store.base import Snapshot, Store

logger = logging.getLogger("synovia")

SAMPLE: Final = 20
"""So many of the oldest and of the newest documents of each table are looked at first."""
_AT_ONCE: Final = 32
"""So many documents are looked at before others have their turn."""

Models = Mapping[str, type[Table]]


@dataclass(slots=True)
class TableCheck:
    """How far the documents of a table have been looked at.

    Attributes:
        examples: The first that do not fit.
    """

    documents: int = 0
    misfits: int = 0
    after: bytes | None = None
    examples: list[Misfit] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Misnamed:
    """A field that a document has under its name in Python: it is read, and no condition and no index finds it.

    Attributes:
        id: Of the first document that was found with it, as a text.
        field: Its place, as ``verses.first_line``.
        name: What the database calls it.
    """

    table: str
    id: str
    field: str
    name: str

    def __str__(self) -> str:
        return f"the document {self.id} of {self.table} has {self.fault}"

    @property
    def fault(self) -> str:
        """What is wrong."""
        return f"{self.field}, which is {self.name} in the database: no condition and no index finds it under this name"


class MisnamedFields:
    """Tells of each such field of a table once.

    Args:
        tell: Is told.
    """

    def __init__(self, tell: Callable[[Misnamed], object]) -> None:
        self._tell = tell
        self._told: set[tuple[str, str]] = set()

    def look(self, model: type[Table], document: Document) -> None:
        """Look at a document that fits its table."""
        table = model.spec.name
        for place, name in python_names_in(model, document):
            if (table, place) not in self._told:
                self._told.add((table, place))
                self._tell(Misnamed(table, id_text(document.get("_id")), place, name))


@dataclass(frozen=True, slots=True)
class RenamedTable:
    """A table that is empty, while another one that is none of the application's holds documents of its shape."""

    table: str
    model: str
    holds: str

    def __str__(self) -> str:
        return (
            f"the table {self.table!r} is empty, but the database holds {self.holds!r}, which is no table of this"
            f" application and whose documents have the same fields: if it was renamed, say"
            f" class {self.model}(Table, name={self.holds!r}), or move the documents by a migration"
        )


async def sample(store: Store, models: Models, known: UnreadableDocuments, misnamed: MisnamedFields) -> None:
    """Look at some documents of every table."""
    ts, _ = await store.newest()
    snapshot = store.snapshot(ts)
    for name, model in models.items():
        for misfit in await misfits_of(model, await oldest_and_newest(snapshot, name), misnamed):
            known.note(misfit)


async def oldest_and_newest(snapshot: Snapshot, table: str) -> list[Document]:
    """Read some of the oldest documents of a table, and some of the newest; of a small one all, once."""
    oldest = await snapshot.scan(table, BY_ID, after(None), Order.ASC, limit=SAMPLE)
    if len(oldest) < SAMPLE:
        return oldest
    return oldest + await snapshot.scan(table, BY_ID, after(None), Order.DESC, limit=SAMPLE)


async def check_table(
    store: Store, model: type[Table], found: TableCheck, misnamed: MisnamedFields | None = None
) -> AsyncIterator[list[Misfit]]:
    """Look at every document of a table after ``found.after``, batch by batch; give those of each that do not fit."""
    async for documents in batches_of(store, model.spec.name, found.after):
        misfits = await misfits_of(model, documents, misnamed)
        found.documents += len(documents)
        found.misfits += len(misfits)
        found.after = key_of(documents[-1])
        yield misfits


async def batches_of(store: Store, table: str, key: bytes | None = None) -> AsyncIterator[list[Document]]:
    """Read a table in the order of ids, each batch as of now.

    Args:
        key: That of the last document that is known already.
    """
    size = BatchSize()
    while True:
        began = time.monotonic()
        ts, _ = await store.newest()
        documents = await store.snapshot(ts).scan(table, BY_ID, after(key), limit=size.documents)
        complete = len(documents) < size.documents
        if documents:
            key = key_of(documents[-1])
            size.learn(documents, time.monotonic() - began)
            yield documents
        if complete:
            return


async def misfits_of(
    model: type[Table], documents: Sequence[Document], misnamed: MisnamedFields | None = None
) -> list[Misfit]:
    """Give what is wrong with documents; of those that fit, note what they have under a name of Python."""
    found = []
    for place, document in enumerate(documents):
        if place % _AT_ONCE == _AT_ONCE - 1:
            await asyncio.sleep(0)
        if (misfit := misfit_of(model, document)) is not None:
            found.append(misfit)
        elif misnamed is not None:
            misnamed.look(model, document)
    return found


async def look_again(store: Store, models: Models, known: UnreadableDocuments) -> None:
    """Forget those that have been mended or deleted."""
    ts, _ = await store.newest()
    for name, model in models.items():
        misfits = known.of(name)
        if not misfits:
            continue
        documents = await store.snapshot(ts).get(name, [each.key for each in misfits])
        for misfit, document in zip(misfits, documents, strict=True):
            if document is None or misfit_of(model, document) is None:
                known.forget(misfit)


async def renamed_tables(store: Store, models: Models) -> list[RenamedTable]:
    """Find tables that have been given another name in the application, but not in the database."""
    ts, _ = await store.newest()
    snapshot, there = store.snapshot(ts), await store.tables()
    empty = [name for name in models if name not in there or not await snapshot.scan(name, BY_ID, after(None), limit=1)]
    others = [name for name in there if name not in models and not name.startswith("_")]
    found: list[RenamedTable] = []
    for other in others if empty else ():
        documents = await snapshot.scan(other, BY_ID, after(None), limit=SAMPLE)
        alike = (name for name in empty if documents and _has_shape(models[name], documents))
        found += [RenamedTable(name, models[name].__name__, other) for name in alike]
    return found


def _has_shape(model: type[Table], documents: Sequence[Document]) -> bool:
    """Tell whether documents may be of a table whose declaration has changed, too: half of its fields are there."""
    names = {info.alias or name for name, info in fields_of(model).items()} - {"_id"}
    needed = {info.alias or name for name, info in fields_of(model).items() if info.is_required()} - {"_id"}
    wanted = needed or names
    there = set().union(*(document.keys() for document in documents)) - {"_id"}
    return bool(wanted) and 2 * len(wanted & there) >= len(wanted)


@lru_cache(maxsize=1024)
def fingerprint(model: type[Table]) -> str:
    """Give what tells one declaration of a table from another: the source of its class and of the models in it."""
    sources = []
    for each in models_in(model):
        try:
            sources.append(inspect.getsource(each))
        except (OSError, TypeError):  # it has no file
            sources.append(repr({name: str(info.annotation) for name, info in fields_of(each).items()}))
    return hashlib.sha256("\0".join(sources).encode()).hexdigest()[:16]
