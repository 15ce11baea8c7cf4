"""A hub of the application under test; one guarantee can be switched off, which the checker has to find.

The variable ``TORTURE_SABOTAGE`` names the guarantee; it is read here and nowhere in the product. Without it, this is a hub
like any other::

    python -m torture.hub --store mongodb://... --port 8001

With ``TORTURE_KEEP_LITTLE`` its caches are small, so that its memory shows what is left behind.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import secrets
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

from helpers.small_caches import keep_little
from synovia.app import Synovia
from synovia.auth.development import DevelopmentAuthenticator
from synovia.cli.server import listen, make_server
from synovia.config import Settings
from synovia.engine import committer, freshness, mutations, stage
from synovia.engine.entries import Attempt, Entry, Submission
from synovia.engine.outcomes import Outcome
from synovia.engine.peers import MutationCall
from synovia.store.base import Batch
from synovia.sync.query_set import QuerySet
from synovia.sync.transitions import Change
from synovia.transaction.keyed import KeyedWrite
from synovia.transaction.readset import ReadSet
from torture.trouble import KILL_AMID, make_trouble

APP = Path(__file__).parents[1] / "apps" / "tortured"
VARIABLE = "TORTURE_SABOTAGE"
KEEP_LITTLE = "TORTURE_KEEP_LITTLE"


def without_validation() -> None:
    """Check only the documents that a mutation writes: that is snapshot isolation."""
    add = stage.Stage.add

    def add_unchecked(self: stage.Stage, view: stage.View, submission: Submission) -> Entry:
        written = {(write.table, KeyedWrite(write).id_key) for write in submission.writes}
        submission.decisive = ReadSet(points=written)
        return add(self, view, submission)

    stage.Stage.add = add_unchecked  # type: ignore[method-assign]


def without_fence() -> None:
    """Commit without looking whether another hub has committed."""
    as_batch = committer.Committer._as_batch

    def unfenced(self: committer.Committer, attempt: Attempt) -> Batch:
        return replace(as_batch(self, attempt), fence=None)

    committer.Committer._as_batch = unfenced  # type: ignore[method-assign]


def without_records() -> None:
    """Neither keep nor look for the records of requests."""

    async def nothing(*_: Any) -> None:
        return None

    request: Any = mutations.Request
    request.record = lambda *_: None
    runner: Any = mutations.Mutations
    runner.earlier = nothing


def without_instants() -> None:
    """Advance a query set query by query: one in each transition, to whatever is known of it."""

    def changes(self: QuerySet, target: int) -> list[Change]:
        for query in self._queries.values():
            live = query.live
            version = live.version_at(live.known_through(self._engine.head)) if live.loaded else None
            if version is not None and version is not query.version:
                self._wake()  # for the next one
                return [Change(query, version)]
        return []

    def target(self: QuerySet, head: int) -> int:
        return head

    QuerySet._changes = changes  # type: ignore[method-assign]
    QuerySet._target = target  # type: ignore[method-assign]


def without_durability() -> None:
    """Acknowledge every twentieth mutation without committing it."""
    add = stage.Stage.add
    count = 0

    def add_some(self: stage.Stage, view: stage.View, submission: Submission) -> Entry:
        nonlocal count
        count += 1
        if count % 20:
            return add(self, view, submission)
        lost = Entry(submission, self.number, self.epoch)
        lost.settle(view.ts)
        return lost

    stage.Stage.add = add_some  # type: ignore[method-assign]


def without_freshness() -> None:
    """Answer from whatever is at hand, as soon as it is asked for."""

    async def instant(self: freshness.Freshness) -> int:
        return self._log.head

    freshness.Freshness.floor = lambda self, notify: freshness.Floor(0)  # type: ignore[method-assign]
    freshness.Freshness.instant = instant  # type: ignore[method-assign]


def acknowledging_before_durable() -> None:
    """Acknowledge a mutation as soon as it is staged."""
    add = stage.Stage.add

    def add_and_tell(self: stage.Stage, view: stage.View, submission: Submission) -> Entry:
        entry = add(self, view, submission)
        entry.done.set_result(self.head)
        return entry

    stage.Stage.add = add_and_tell  # type: ignore[method-assign]


def telling_failures_early() -> None:
    """Tell failures that rest on what is staged at once."""

    async def at_once(self: stage.Stage, entries: Any) -> bool:
        return True

    stage.Stage.until_durable = at_once  # type: ignore[method-assign]
    stage.Stage.still_holds = lambda self, view, reads, leaned_on: True  # type: ignore[method-assign]


def without_reruns_of_who_leaned() -> None:
    """Let stand what has only read the writes of entries that were dropped, and writes something else."""

    def leans_on(self: Entry, dropped: Iterable[Entry]) -> bool:
        return any(not self.commit.points.keys().isdisjoint(entry.commit.points) for entry in dropped)

    Entry.leans_on = leans_on  # type: ignore[method-assign]


def without_names_of_what_comes_back() -> None:
    """Run what another hub was asked to, and has not answered, as if nobody had it."""
    run_elsewhere = mutations.Mutations._run_elsewhere

    async def renamed(self: mutations.Mutations, progress: mutations._Progress, call: MutationCall) -> Outcome | None:
        before = progress.request
        outcome = await run_elsewhere(self, progress, call)
        if progress.request.retry and not before.retry:
            progress.request = replace(progress.request, session=secrets.token_bytes(16), retry=False)
        return outcome

    mutations.Mutations._run_elsewhere = renamed  # type: ignore[method-assign]


SABOTAGES: dict[str, Callable[[], None]] = {
    "validation": without_validation,
    "fence": without_fence,
    "records": without_records,
    "instants": without_instants,
    "durability": without_durability,
    "freshness": without_freshness,
    "acknowledgements": acknowledging_before_durable,
    "failures": telling_failures_early,
    "leaning": without_reruns_of_who_leaned,
    "forwarding": without_names_of_what_comes_back,
}


async def serve(store: str, port: int) -> None:
    """Serve until a signal comes."""
    trouble = make_trouble()
    if trouble is not None:
        asyncio.get_running_loop().add_signal_handler(KILL_AMID, trouble.die_soon)
    settings = Settings(store=store, port=port, log_level="warning")
    with listen(settings.host, settings.port) as listener:
        app = Synovia(APP, settings=settings, authenticator=DevelopmentAuthenticator(settings.host))
        await app.start()
        try:
            await make_server(app, log_config=None).serve([listener])
        finally:
            await app.stop()


def main() -> None:
    """Run one hub."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--store", required=True)
    parser.add_argument("--port", type=int, required=True)
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.WARNING)
    if sabotage := os.environ.get(VARIABLE):
        SABOTAGES[sabotage]()
    if os.environ.get(KEEP_LITTLE):
        keep_little()
    asyncio.run(serve(arguments.store, arguments.port))


if __name__ == "__main__":
    main()
