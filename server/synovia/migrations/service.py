"""What a hub does about documents and their declarations, from its start on: look at some, migrate, look at all."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable

from synovia.engine.engine import Engine
from synovia.functions.context import MutationContext
from synovia.functions.database import SystemWriter
from synovia.functions.registry import Registry
from synovia.functions.schema_states import SchemaCheckState
from synovia.health import Level, PartHealth
from synovia.migrations.check import (
    MisnamedFields,
    RenamedTable,
    TableCheck,
    check_table,
    fingerprint,
    look_again,
    renamed_tables,
    sample,
)
from synovia.migrations.runner import MigrationFailed, Migrations
from synovia.migrations.settings import DocumentSettings
from synovia.schema import Id, Table, misfit_of
from synovia.store.base import StoreError
from synovia.tasks import end

logger = logging.getLogger("synovia")

REST = 4.0
"""A batch is followed by a pause so many times as long."""
SHORTEST_REST = 0.02
NOTE_SECONDS = 5.0
"""So often the database is told how far a check is."""
LOOK_AGAIN_SECONDS = 30.0
GOOD_MS = 7 * 86_400_000
"""So long a check that found nothing counts, for the same declaration."""
TRY_AGAIN_SECONDS = 5.0


class SchemaService:
    """Checks documents and runs migrations in the background.

    Args:
        hub: What this hub is called among those that run migrations.
        clock: Tells the time of day in seconds since 1970.

    Attributes:
        migrations: Those of the application.
        renamed: Tables that seem to have been given another name.
        documents: How many documents were looked at since the start.
    """

    def __init__(
        self, engine: Engine, registry: Registry, settings: DocumentSettings, hub: str, clock: Callable[[], float]
    ) -> None:
        self._engine = engine
        self._store = engine.store
        self._models = registry.models
        self._settings = settings
        self._clock = clock
        self.migrations = Migrations(engine, registry, hub)
        self.renamed: list[RenamedTable] = []
        self._misnamed = MisnamedFields(lambda each: logger.warning("%s", each))
        self.documents = 0
        self._check = "pending" if settings.check else "off"
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin; the engine has been started."""
        self._task = asyncio.create_task(self._run(), name="schema")

    async def stop(self) -> None:
        """Stop; what is not done goes on when a hub starts."""
        if self._task is not None:
            await end([self._task])
            await self.migrations.release()

    async def health(self) -> PartHealth:
        """Tell what does not fit, and how far checks and migrations are."""
        figures = {
            "schemaCheck": self._check,
            "checkedDocuments": self.documents,
            "pendingMigrations": self.migrations.pending,
        }
        faults = [*self._faults()]
        if faults:
            return PartHealth("; ".join(faults), Level.DEGRADED, permanent=True, figures=figures)
        return PartHealth(figures=figures)

    def _faults(self) -> list[str]:
        """Say what is wrong, without names: whoever asks for health may see this."""
        found = []
        if self.migrations.fault is not None:
            found.append("a migration has failed")
        if count := len(self._engine.unreadable):
            found.append(
                "a document does not fit its table" if count == 1 else f"{count} documents do not fit their tables"
            )
        if count := len(self.renamed):
            found.append("a table seems" if count == 1 else f"{count} tables seem")
            found[-1] += " to have been renamed"
        return [f"{each}: see the log" for each in found]

    # --- in the background

    async def _run(self) -> None:
        if self._settings.check:
            await self._until_done(self.look)
        if self._settings.migrate:
            await self._until_done(self._migrate)
        if self._settings.check:
            await self._until_done(self._check_all)
        while True:
            await asyncio.sleep(LOOK_AGAIN_SECONDS)
            if len(self._engine.unreadable):
                await self._until_done(self.look_again)

    async def _until_done(self, work: Callable[[], Awaitable[None]]) -> None:
        """Do something, again as long as the database does not answer."""
        while True:
            try:
                await work()
                return
            except StoreError as error:
                if not error.passing:
                    logger.warning("documents cannot be compared with their tables: %s", error)
                    return
            except Exception:
                logger.exception("documents could not be compared with their tables")
                return
            await asyncio.sleep(TRY_AGAIN_SECONDS)

    async def look(self) -> None:
        """Look at some documents of each table, and for tables that were renamed."""
        await sample(self._store, self._models, self._engine.unreadable, self._misnamed)
        self.renamed = await renamed_tables(self._store, self._models)
        for each in self.renamed:
            logger.warning("%s", each)

    async def look_again(self) -> None:
        """Look again at the documents that do not fit."""
        await look_again(self._store, self._models, self._engine.unreadable)

    async def _migrate(self) -> None:
        try:
            await self.migrations.run(gently=True)
        except MigrationFailed:
            return  # the log has it, and health
        await self.look_again()

    # --- all documents

    async def _check_all(self) -> None:
        self._check = "running"
        for model in self._models.values():
            await self._check_table(model)
        self._check = "done"
        logger.info(
            "documents and their tables: %d looked at, %d do not fit", self.documents, len(self._engine.unreadable)
        )

    async def _check_table(self, model: type[Table]) -> None:
        id_ = Id[SchemaCheckState](f"{model.spec.name} {fingerprint(model)}")
        state = await self._state(id_)
        if state is not None and state.finished_at is not None:
            if not state.misfits and self._now() - state.finished_at < GOOD_MS:
                return
            state = None  # somebody may have mended them meanwhile
        found = TableCheck()
        if state is not None:
            found = TableCheck(state.documents, state.misfits, state.after)
        noted = began = time.monotonic()
        async for misfits in check_table(self._store, model, found, self._misnamed):
            for misfit in misfits:
                self._engine.unreadable.note(misfit)
            now = time.monotonic()
            if now - noted > NOTE_SECONDS:
                noted = now
                await self._note(id_, model, found)
            await asyncio.sleep(max(SHORTEST_REST, REST * (now - began)))
            began = time.monotonic()
        if found.documents:
            await self._note(id_, model, found, finished=True)
        self.documents += found.documents

    async def _state(self, id_: Id[SchemaCheckState]) -> SchemaCheckState | None:
        ts, _ = await self._store.newest()
        [document] = await self._store.snapshot(ts).get(SchemaCheckState.spec.name, [str(id_)])
        fits = document is not None and misfit_of(SchemaCheckState, document) is None
        return SchemaCheckState.from_document(document) if fits and document is not None else None

    async def _note(
        self, id_: Id[SchemaCheckState], model: type[Table], found: TableCheck, *, finished: bool = False
    ) -> None:
        async def note(ctx: MutationContext) -> None:
            writer = SystemWriter(ctx.db)
            state = SchemaCheckState(
                id=id_, table=model.spec.name, after=found.after, documents=found.documents, misfits=found.misfits,
                seen_at=ctx.now, finished_at=ctx.now if finished else None,
            )  # fmt: skip
            if await writer.get(SchemaCheckState, id_) is None:
                await writer.insert(state)
            else:
                await writer.replace(state)

        outcome = await self._engine.transact(note, path="_schema:check")
        if outcome.error is not None:
            logger.info("how far the documents of %s were checked is not noted: %s", model.spec.name, outcome.error)

    def _now(self) -> int:
        return int(self._clock() * 1000)
