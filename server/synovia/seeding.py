"""Running the seeds of an application: each in one transaction with the note that it has run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from synovia.engine.engine import Engine
from synovia.errors import NotFound
from synovia.functions.context import MutationContext
from synovia.functions.database import SystemWriter
from synovia.functions.registry import Registry
from synovia.functions.seed import Seed, SeedState
from synovia.schema import Id
from synovia.store.base import Store
from synovia.store.contents import all_documents, first_table_with_documents


@dataclass(frozen=True, slots=True)
class SeedingState:
    """What there is to seed, and where.

    Attributes:
        seeds: When each has run, in milliseconds since 1970, by path; None: it has not.
        holds: The name of a table of the application that holds documents; None: none does.
    """

    seeds: dict[str, int | None]
    holds: str | None

    @property
    def strange(self) -> bool:
        """Whether there are documents that no seed of this application can have written."""
        return self.holds is not None and not any(self.seeds.values())


async def seeding_state(store: Store, registry: Registry) -> SeedingState:
    """Read which seeds have run."""
    at = {row["_id"]: row.get("at") for row in await all_documents(store, SeedState.spec.name)}
    return SeedingState(
        {each.path: at.get(each.path) for each in registry.seeds}, await first_table_with_documents(store)
    )


async def run_seeds(
    engine: Engine, registry: Registry, *, only: Sequence[str] = (), again: bool = False
) -> dict[str, bool]:
    """Run the seeds that have not run, and tell of each whether it has now.

    Args:
        only: Paths of those that are meant; none: all are.
        again: Whether those are run too that have run.

    Raises:
        NotFound: There is no seed at one of the paths.
        FunctionError: What a seed raised; those before it have run, of that one nothing is written.
    """
    known = {each.path: each for each in registry.seeds}
    for path in only:
        if path not in known:
            raise NotFound(f"there is no seed {path!r}; there are {', '.join(known) or 'none'}")
    return {path: await _run(engine, known[path], again) for path in known if path in (only or known)}


async def _run(engine: Engine, seed: Seed, again: bool) -> bool:
    async def work(ctx: MutationContext) -> bool:
        writer, id_ = SystemWriter(ctx.db), Id[SeedState](seed.path)
        before = await writer.get(SeedState, id_)
        if before is not None and not again:
            return False
        await seed.body(ctx)
        if before is None:
            await writer.insert(SeedState(id=id_, at=ctx.now))
        else:
            await writer.patch(before, at=ctx.now)
        return True

    return bool((await engine.transact(work, path=seed.path)).value())
