"""Running migrations: in batches, each a transaction that also says how far they are, so nothing is done twice or left out.

Two hubs may try the same batch: both read and write the migration's state, so only one of them commits. The lease in the
state only keeps them from getting into each other's way.
"""

from __future__ import annotations

import asyncio
import copy
import logging
import time
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, Final

import bson

from synovia.engine.engine import Engine
from synovia.errors import FunctionError
from synovia.functions.context import MutationContext
from synovia.functions.database import SystemWriter
from synovia.functions.migration import DELETE, Deletion, Migration
from synovia.functions.registry import Registry
from synovia.functions.schema_states import MigrationState, MigrationStatus
from synovia.migrations.batches import BatchSize, after, bytes_of, key_of
from synovia.migrations.rotation import PREFIX, resealed
from synovia.schema import Document, Id, Unstorable, id_to_bson, misfit_of
from synovia.schema.encrypted import Sealed, SealedField, opened_document, sealed_fields, sealed_in
from synovia.schema.misfits import id_text
from synovia.schema.search import keep_terms
from synovia.schema.wire_names import python_names_in
from synovia.sealing.keyring import Keyring
from synovia.store.base import Store, StoreError
from synovia.store.contents import all_documents
from synovia_protocol.errors import ErrorCode

logger = logging.getLogger("synovia")

LEASE_MS: Final = 30_000
LOOK_SECONDS: Final = 2.0
"""So often a hub looks whether the one that runs a migration is done, or gone."""
LONGEST_WAIT: Final = 10.0
FAILED: Final = "migration_failed"


class MigrationFailed(FunctionError):
    """A migration cannot go on: its function failed, or what it gave cannot be stored or read."""

    def __init__(self, message: str) -> None:
        super().__init__(FAILED, message)


class Migrations:
    """The migrations of an application on its database.

    Args:
        hub: What this hub is called among those that run migrations.
    """

    def __init__(self, engine: Engine, registry: Registry, hub: str) -> None:
        self._engine = engine
        self._migrations = registry.migrations
        self._last = {each.table: each for each in registry.migrations if not each.reseals}
        self._hub = hub
        self.pending = len(registry.migrations)
        self.fault: str | None = None
        self._running = False

    def __len__(self) -> int:
        return len(self._migrations)

    async def run(self, *, gently: bool = False) -> None:
        """Run what has not run, one after the other; one that another hub runs is waited for.

        Args:
            gently: Rest as long as each batch took.

        Raises:
            MigrationFailed: One cannot go on; those after it have not run.
        """
        self.fault = None
        self.pending = len(self._migrations)
        self._running = self.pending > 0
        try:
            for each in self._migrations:
                await self._run(each, gently=gently)
                self.pending -= 1
            self._running = False
        except MigrationFailed as error:
            self.fault = error.message
            raise

    async def seal_anew(self) -> None:
        """Go over all encrypted fields once more, though that has been done: a hub may have had other keys meanwhile.

        Raises:
            MigrationFailed: It cannot go on.
        """

        async def forget(ctx: MutationContext) -> None:
            writer = SystemWriter(ctx.db)
            for state in await writer.query(MigrationState).collect():
                if state.id.startswith(PREFIX) and state.status == "done":
                    await writer.delete(state)

        (await self._engine.transact(forget, path="_migrations:forget")).value()
        for each in self._migrations:
            if each.reseals:
                await self._run(each, gently=False)

    async def release(self) -> None:
        """Let another hub go on at once with what this one has begun: it is stopping."""
        if not self._running:
            return

        async def release(ctx: MutationContext) -> None:
            writer = SystemWriter(ctx.db)
            for state in await writer.query(MigrationState).collect():
                if state.status == "running" and state.hub == self._hub:
                    await writer.patch(state, hub=None, lease_until=None)

        await self._engine.transact(release, path="_migrations:release")

    async def _run(self, migration: Migration, *, gently: bool) -> None:
        size, wait = BatchSize(), 0.1
        while True:
            began = time.monotonic()
            work = partial(self._batch, migration=migration, most=size.documents)
            outcome = await self._engine.transact(work, path=migration.path)
            error = outcome.error
            if error is None:
                wait = 0.1
                told = outcome.value()
                if told["state"] == "done":
                    self._say_done(migration, told)
                    return
                seconds = time.monotonic() - began
                size.learn_of(told["documents"], told["bytes"], seconds)
                await asyncio.sleep(LOOK_SECONDS if told["state"] == "elsewhere" else seconds if gently else 0)
            elif error.code == ErrorCode.OVERLOADED:
                await asyncio.sleep(wait)
                wait = min(LONGEST_WAIT, 2 * wait)
            elif size.documents > 1:
                size.documents = 1  # then the error is of one document
            else:
                raise await self._failed(migration, f"{error.code}: {error.message}")

    def _say_done(self, migration: Migration, told: Mapping[str, Any]) -> None:
        _, changed, _ = told["counts"]
        if told["now"] and (changed or not migration.reseals):  # with keys that have sealed everything, nothing to say
            logger.info(
                "the migration %s is done: %d documents, %d changed, %d deleted", migration.path, *told["counts"]
            )

    async def _failed(self, migration: Migration, reason: str) -> MigrationFailed:
        text = reason.removeprefix(f"{FAILED}: ")
        logger.error("the migration %s has failed: %s", migration.path, text)

        async def note(ctx: MutationContext) -> None:
            writer = SystemWriter(ctx.db)
            state = await writer.get(MigrationState, _id_of(migration))
            if state is None:
                await writer.insert(self._begun(migration, ctx.now, status="failed", error=text))
            elif state.status != "done" and state.hub in (None, self._hub):
                await writer.patch(state, status="failed", error=text, hub=None, lease_until=None)

        await self._engine.transact(note, path="_migrations:fail")
        return MigrationFailed(f"{migration.path}: {text}")

    @staticmethod
    def _begun(migration: Migration, now: int, status: MigrationStatus = "running", **fields: Any) -> MigrationState:
        return MigrationState(id=_id_of(migration), table=migration.table, status=status, started_at=now, **fields)

    # --- one batch, in its transaction

    async def _batch(self, ctx: MutationContext, *, migration: Migration, most: int) -> dict[str, Any]:
        writer = SystemWriter(ctx.db)
        state = await writer.get(MigrationState, _id_of(migration))
        if state is None:
            state = self._begun(migration, ctx.now, hub=self._hub)
            await writer.insert(state)
        if state.status == "done":
            return _told("done", state, now=False)
        if state.status == "running" and state.hub not in (None, self._hub) and (state.lease_until or 0) > ctx.now:
            return _told("elsewhere", state)
        documents = await writer.documents(migration.table, after(state.after), most)
        changed, deleted = await self._apply(ctx, writer, migration, documents)
        done = len(documents) < most
        new = await writer.patch(
            state,
            status="done" if done else "running",
            after=key_of(documents[-1]) if documents else state.after,
            documents=state.documents + len(documents),
            changed=state.changed + changed,
            deleted=state.deleted + deleted,
            finished_at=ctx.now if done else None,
            hub=None if done else self._hub,
            lease_until=None if done else ctx.now + LEASE_MS,
            error=None,
        )
        return _told("done" if done else "running", new, documents, now=True)

    async def _apply(
        self, ctx: MutationContext, writer: SystemWriter, migration: Migration, documents: Sequence[Document]
    ) -> tuple[int, int]:
        changed = deleted = 0
        for before in documents:
            new = await self._changed(ctx, migration, before)
            if new is DELETE:
                deleted += 1
                writer.change(migration.table, before, None)
            elif bson.encode(new) != bson.encode(before):
                changed += 1
                writer.change(migration.table, before, new)
        return changed, deleted

    async def _changed(self, ctx: MutationContext, migration: Migration, before: Document) -> Document | Deletion:
        """Give what becomes of a document.

        Raises:
            MigrationFailed: It cannot become that.
        """
        keyring, encrypted = ctx.db.transaction.keyring, sealed_fields(migration.model) if migration.model else {}
        if migration.reseals and migration.model is not None and keyring is not None:
            return resealed(migration.model, before, keyring)
        name = f"the document {id_text(before['_id'])} of {migration.table}"
        given = _opened(encrypted, copy.deepcopy(before), keyring)
        try:
            result = await migration.body(ctx, given)
        except Exception as error:
            if isinstance(error, StoreError) and error.passing:
                raise
            logger.exception("the migration %s failed at %s", migration.path, name)
            raise MigrationFailed(f"{name}: {type(error).__name__}: {error}") from error
        new = given if result is None else result
        if new is DELETE:
            return DELETE
        if isinstance(new, dict):
            new = _sealed(encrypted, new, before, keyring, name)
        return self._checked(migration, name, before, new)

    def _checked(self, migration: Migration, name: str, before: Document, new: Any) -> Document:
        if not isinstance(new, dict):
            raise MigrationFailed(f"{name}: a migration gives a document, DELETE or nothing, not {new!r:.80}")
        stored: Document = _stored(new)
        if stored.get("_id") != before["_id"]:
            raise MigrationFailed(f"{name}: its _id cannot change; insert another document and give DELETE")
        if migration.model is not None:
            known = dict(python_names_in(migration.model, before))
            for field, real in python_names_in(migration.model, stored):
                if field not in known:
                    raise MigrationFailed(f"{name} would not be found by its {field}: in the database that is {real}")
        if migration.model is not None and self._last[migration.table] is migration:
            misfit = misfit_of(migration.model, stored)
            if misfit is not None:
                raise MigrationFailed(f"{name} would not fit: {misfit.fault}")
        if migration.model is not None:
            keep_terms(migration.model.spec, before, stored, strict=False)
        try:
            bson.encode(stored)
        except (bson.errors.InvalidDocument, OverflowError, ValueError) as error:
            raise MigrationFailed(f"{name} cannot be stored: {error}") from error
        return stored


def _opened(encrypted: Mapping[str, SealedField], document: Document, keyring: Keyring | None) -> Document:
    """Open encrypted fields; what does not open stays as it is."""
    opened = opened_document(encrypted, document, keyring)
    return {name: value.stored if type(value) is Sealed else value for name, value in opened.items()}


def _sealed(
    encrypted: Mapping[str, SealedField], new: Document, before: Document, keyring: Keyring | None, name: str
) -> Document:
    """Seal encrypted fields again, also those that were stored in the clear."""
    sealed = dict(new)
    for field in encrypted.values():
        value = _stored(sealed.get(field.database))
        if value is not None and sealed_in(value) is None:
            try:
                sealed[field.database] = field.seal(value, before["_id"], keyring, before.get(field.database))
            except Unstorable as error:
                raise MigrationFailed(f"{name} cannot be stored: {error}") from error
    return sealed


async def states_of(store: Store) -> dict[str, MigrationState]:
    """Tell what a database knows of migrations, by their paths; also of those that this version does not declare."""
    documents = await all_documents(store, MigrationState.spec.name)
    return {each["_id"]: MigrationState.from_document(each) for each in documents}


def _id_of(migration: Migration) -> Id[MigrationState]:
    return Id[MigrationState](migration.path)


def _told(state: str, row: MigrationState, documents: Sequence[Document] = (), *, now: bool = False) -> dict[str, Any]:
    counts = [row.documents, row.changed, row.deleted]
    return {"state": state, "documents": len(documents), "bytes": bytes_of(documents), "counts": counts, "now": now}


def _stored(value: Any) -> Any:
    """Give a value with its typed ids as the database holds them."""
    if isinstance(value, Id):
        return id_to_bson(value)
    if isinstance(value, dict):
        return {key: _stored(item) for key, item in value.items()}
    return [_stored(item) for item in value] if isinstance(value, list | tuple) else value
