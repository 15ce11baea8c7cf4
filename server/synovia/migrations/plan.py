"""What a version of an application finds in a database: for ``synovia migrate``, before it is served, and as JSON."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from synovia.functions.aggregate_trees import CHANGES, NODES
from synovia.functions.registry import Registry
from synovia.keys import IndexSpec, ParallelArrays, decode, encode_value, index_keys
from synovia.migrations.check import Misnamed, MisnamedFields, batches_of, misfits_of, renamed_tables
from synovia.migrations.runner import states_of
from synovia.schema import Document, Misfit, Table
from synovia.schema.misfits import id_text
from synovia.store.base import Batch, Store, StoredIndex, Write

MOST_EXAMPLES: Final = 5


async def plan(store: Store, registry: Registry) -> dict[str, Any]:
    """Compare a database with an application; every document is read, and nothing changed.

    Returns:
        ``newTables``, ``missingIndexes``, ``unusedIndexes``, ``tables`` (with the documents that do not fit),
        ``renamedTables`` and ``migrations``.
    """
    there = await store.tables()
    models = [model for name, model in registry.models.items() if name in there]
    missing = await store.missing_indexes(registry.tables)
    return {
        "newTables": [name for name in registry.models if name not in there],
        "missingIndexes": [_index(each) for each in missing],
        "unusedIndexes": [_index(each) for each in await store.unused_indexes(registry.tables)],
        "tables": [await _table(store, model, missing) for model in models],
        "renamedTables": [
            {"table": each.table, "holds": each.holds, "text": str(each)}
            for each in await renamed_tables(store, registry.models)
        ],
        **await status(store, registry),
    }


async def status(store: Store, registry: Registry) -> dict[str, Any]:
    """Tell which migrations have run, run, have failed or are to run; those of other versions are told apart."""
    states = await states_of(store)
    declared = {each.path: each.table for each in registry.migrations}
    found: list[dict[str, Any]] = []
    for path, table in {**declared, **{path: state.table for path, state in states.items()}}.items():
        state = states.get(path)
        found.append(
            {
                "path": path,
                "table": table,
                "status": "pending" if state is None else state.status,
                "documents": 0 if state is None else state.documents,
                "changed": 0 if state is None else state.changed,
                "deleted": 0 if state is None else state.deleted,
                "error": None if state is None else state.error,
                "declared": path in declared,
            }
        )
    return {"migrations": found}


async def drop_unused_indexes(store: Store, registry: Registry) -> dict[str, Any]:
    """Take away the indexes that this version of the application does not declare, and tell which."""
    unused = await store.unused_indexes(registry.tables)
    for each in unused:
        await store.drop_index(each)
    return {"droppedIndexes": [_index(each) for each in unused], "droppedSums": await _drop_sums(store, registry)}


async def _drop_sums(store: Store, registry: Registry) -> int:
    """Delete what is kept for aggregate indexes that this version does not declare; tell how many documents that was."""
    own = {spec.tree for table in registry.aggregated.values() for spec in table.aggregates}
    dropped, there = 0, await store.tables()
    for table in (NODES.name, CHANGES.name):
        if table not in there:
            continue
        async for documents in batches_of(store, table):
            others = [each for each in documents if each["_id"].rsplit("/", 2)[0] not in own]
            if others:
                await store.commit(Batch([Write(table, each["_id"], each, None) for each in others]))
            dropped += len(others)
    return dropped


def lines_of(found: Mapping[str, Any]) -> Iterable[str]:
    """Write for people what ``plan``, ``status`` or ``drop_unused_indexes`` have found."""
    if new := found.get("newTables"):
        yield f"tables that would be made: {', '.join(new)}"
    for title, key in (
        ("indexes that would be made", "missingIndexes"),
        ("indexes that no table declares (--drop-unused-indexes takes them away)", "unusedIndexes"),
        ("indexes taken away", "droppedIndexes"),
    ):
        if key in found:
            yield f"{title}: {', '.join(map(_index_text, found[key])) or 'none'}"
    if found.get("droppedSums"):
        yield f"documents with sums of aggregate indexes taken away: {found['droppedSums']:,}"
    for table in found.get("tables", ()):
        yield from _table_lines(table)
    for renamed in found.get("renamedTables", ()):
        yield str(renamed["text"])
    if "migrations" in found:
        yield f"migrations: {len(found['migrations']) or 'none'}"
        yield from map(_migration_line, found["migrations"])


def needs_attention(found: Mapping[str, Any]) -> bool:
    """Tell whether something would not work: documents that do not fit, equal keys, a renamed table, a failed migration."""
    tables = (table["misfits"] or table["equalKeys"] for table in found.get("tables", ()))
    failed = any(each["status"] == "failed" for each in found.get("migrations", ()))
    return any(tables) or failed or bool(found.get("renamedTables"))


# --- one table --------------------------------------------------------------------------------------------------------


async def _table(store: Store, model: type[Table], missing: Sequence[StoredIndex]) -> dict[str, Any]:
    name, documents = model.spec.name, 0
    new = {each.fields for each in missing if each.table == name and each.unique}
    keys = [_UniqueKeys(index) for index in model.spec.indexes if index.unique and index.fields in new]
    examples: list[Misfit] = []
    misnamed: list[Misnamed] = []
    fields = MisnamedFields(misnamed.append)
    count = 0
    async for batch in batches_of(store, name):
        documents += len(batch)
        misfits = await misfits_of(model, batch, fields)
        count += len(misfits)
        examples += misfits[: MOST_EXAMPLES - len(examples)]
        for each in keys:
            each.add(batch)
    return {
        "name": name,
        "documents": documents,
        "misfits": count,
        "examples": [{"id": each.id, "field": each.field, "reason": each.reason} for each in examples],
        "misnamed": [{"id": each.id, "field": each.field, "name": each.name, "text": each.fault} for each in misnamed],
        "equalKeys": [text for each in keys for text in each.found],
    }


class _UniqueKeys:
    """Looks for documents that an index which is to be unique cannot hold together."""

    def __init__(self, index: IndexSpec) -> None:
        self._index = index
        self._seen: dict[bytes, str] = {}
        self.found: list[str] = []

    def add(self, documents: Iterable[Document]) -> None:
        for document in documents:
            try:
                keys = index_keys(self._index, document)
            except ParallelArrays as error:
                self._say(f"{id_text(document['_id'])}: {error}")
                continue
            own = len(encode_value(document["_id"]))
            for key in keys:
                self._add(key[:-own], id_text(document["_id"]))

    def _add(self, key: bytes, id_: str) -> None:
        other = self._seen.setdefault(hashlib.sha256(key).digest()[:16], id_)
        if other != id_:
            values = decode(key)
            self._say(f"{id_} and {other} both have {', '.join(self._index.fields)} = {', '.join(map(repr, values))}")

    def _say(self, text: str) -> None:
        if len(self.found) < MOST_EXAMPLES:
            self.found.append(f"unique index {self._index.name}: {text}")


# --- words ------------------------------------------------------------------------------------------------------------


def _index(index: StoredIndex) -> dict[str, Any]:
    return {"table": index.table, "name": index.name, "fields": [*index.fields], "unique": index.unique}


def _index_text(index: Mapping[str, Any]) -> str:
    unique = "unique " if index["unique"] else ""
    return f"{unique}{index['table']}.{index['name']} ({', '.join(index['fields'])})"


def _table_lines(table: Mapping[str, Any]) -> Iterable[str]:
    wrong = f", {table['misfits']:,} do not fit" if table["misfits"] else ""
    yield f"{table['name']}: {table['documents']:,} documents{wrong}"
    for each in table["examples"]:
        yield f"  {each['id']}  {each['field'] or 'as a whole'}: {each['reason']}"
    for each in table.get("misnamed", ()):
        yield f"  {each['id']}  {each['text']}"
    for text in table["equalKeys"]:
        yield f"  {text}: a hub of this version would not start"


def _migration_line(each: Mapping[str, Any]) -> str:
    counts = f"{each['documents']:,} documents, {each['changed']:,} changed, {each['deleted']:,} deleted"
    told = "" if each["status"] == "pending" else f"  {counts}"
    error = f"  {each['error']}" if each["error"] else ""
    other = "" if each["declared"] else "  (of another version)"
    return f"  {each['path']}  {each['status']}{told}{other}{error}"
