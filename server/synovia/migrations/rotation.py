"""Other keys for encrypted fields: documents are sealed anew in the background, and counted by what has sealed them.

A hub whose keys begin with a new one goes over all tables that have encrypted fields, as a migration does: in batches, each
document once, one hub at a time, whatever hubs are killed meanwhile. What does not open stays as it is.
"""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from synovia.functions.context import MutationContext
from synovia.functions.migration import Migration
from synovia.functions.scheduled_calls import CronJob, ScheduledCall, WorkflowStep
from synovia.functions.shared_tables import SharedState, SharedUpdate
from synovia.migrations.check import batches_of
from synovia.schema import Document, Table
from synovia.schema.encrypted import Sealed, SealedField, key_id_or_none, sealed_fields, sealed_in
from synovia.schema.shared import shared_docs_of
from synovia.sealing.keyring import Keyring
from synovia.store.base import Store

PREFIX: Final = "_encryption/"
IN_THE_CLEAR: Final = ""
"""Stands for the key of what is not sealed."""
_OF_THE_SERVER: Final[tuple[type[Table], ...]] = (ScheduledCall, WorkflowStep, CronJob)
_OF_SHARED_DOCS: Final[tuple[type[Table], ...]] = (SharedUpdate, SharedState)


async def _nothing(ctx: MutationContext, document: Document) -> None:
    """Seal anew what an older key has sealed."""


def rotations(models: Iterable[type[Table]], keyring: Keyring | None) -> tuple[Migration, ...]:
    """Give the migrations that leave everything sealed by the newest key; each key has its own."""
    if keyring is None:
        return ()
    tables = [model for model in _with_the_servers(models) if sealed_fields(model)]
    return tuple(
        Migration(_nothing, each.spec.name, each, "the keys of encrypted fields", path, reseals=True)
        for each in tables
        for path in [f"{PREFIX}{keyring.fingerprint}:{each.spec.name}"]
    )


def _with_the_servers(models: Iterable[type[Table]]) -> Iterator[type[Table]]:
    """Give an application's tables, and those of the server's that hold what it has sealed."""
    models = list(models)
    yield from (*models, *_OF_THE_SERVER)
    if any(map(shared_docs_of, models)):
        yield from _OF_SHARED_DOCS


def resealed(model: type[Table], document: Document, keyring: Keyring) -> Document:
    """Give a document with everything sealed by the newest key; it stays itself if it is, or does not open."""
    new = document
    for each in sealed_fields(model).values():
        stored = document.get(each.database)
        if stored is None or sealed_in(stored) is None:
            continue
        value = each.open(stored, document["_id"], keyring)
        if type(value) is Sealed:
            continue
        after = each.seal(value, document["_id"], keyring, stored)
        if after is not stored:
            new = {**new, each.database: after}
    return new


@dataclass(slots=True)
class SealedCounts:
    """How many values of an encrypted field each key has sealed.

    Attributes:
        keys: By the key's id, the values; ``""`` of those that are stored in the clear.
        unopened: Values of keys that are there, which do not open all the same.
        examples: The ids of some documents whose value does not open.
    """

    table: str
    field: str
    keys: Counter[str] = dataclasses.field(default_factory=Counter)
    unopened: int = 0
    examples: list[str] = dataclasses.field(default_factory=list)


_EXAMPLES: Final = 5


async def sealed_counts(store: Store, models: Mapping[str, type[Table]], keyring: Keyring) -> list[SealedCounts]:
    """Count what each key has sealed, of all documents, each opened once."""
    found: list[SealedCounts] = []
    for model in _with_the_servers(models.values()):
        counts = [(each, SealedCounts(each.table, each.name)) for each in sealed_fields(model).values()]
        if counts:
            async for batch in batches_of(store, model.spec.name):
                for document in batch:
                    for each, count in counts:
                        _count(document, each, count, keyring)
            found += [count for _, count in counts if not model.spec.system or count.keys]
    return found


def told_of(keyring: Keyring, counts: Iterable[SealedCounts]) -> dict[str, Any]:
    """Give what was counted as JSON has it."""
    fields = [
        {
            "table": each.table,
            "field": each.field,
            "keys": dict(each.keys),
            "unopened": each.unopened,
            "examples": each.examples,
        }
        for each in counts
    ]
    return {"keys": keyring.ids, "search": keyring.searches, "fields": fields}


def _count(document: Document, each: SealedField, count: SealedCounts, keyring: Keyring) -> None:
    stored = document.get(each.database)
    if stored is None:
        return
    sealed = sealed_in(stored)
    if sealed is None and each.if_keys:
        return
    id_ = IN_THE_CLEAR if sealed is None else key_id_or_none(sealed) or "?"
    count.keys[id_] += 1
    if type(each.open(stored, document["_id"], keyring)) is Sealed:
        count.unopened += id_ in keyring.ids
        if len(count.examples) < _EXAMPLES:
            count.examples.append(str(document["_id"]))
