"""How much one mutation may write: what is written in one transaction holds up whoever writes next."""

from __future__ import annotations

from dataclasses import dataclass

from synovia.errors import FunctionError
from synovia_protocol.errors import ErrorCode

INSTEAD = (
    "go over them in a job (ctx.scheduler.run_job), or do less at once: a few hundred documents in each mutation, which"
    " schedules the next one (ctx.scheduler.run_after), or one call for each part (ctx.scheduler.run_many)"
)


class MutationTooLarge(FunctionError):
    """A mutation writes more than one may."""

    def __init__(self, what: str, limit: int) -> None:
        text = f"one mutation writes at most {limit:,} {what}; {INSTEAD}"
        super().__init__(ErrorCode.MUTATION_TOO_LARGE, text, {"limit": what, "most": limit})


@dataclass(slots=True)
class WriteBudget:
    """What a mutation may write.

    Attributes:
        documents: So many of them.
        bytes: Of what it writes, each time that it writes it; of a deletion those of what was there.
        entries: Of indexes that it ends and begins, each time; a text has one for each of its words in a search index.
        written, entered: The bytes and entries so far.
        exceeded: What was wrong with the first write beyond it; from then on the mutation has failed, whatever it does.
    """

    documents: int
    bytes: int
    entries: int
    written: int = 0
    entered: int = 0
    exceeded: MutationTooLarge | None = None

    def spend(self, documents: int, size: int, entries: int = 0) -> None:
        """Count a write.

        Args:
            documents: How many documents have been written with this one.
            size: Its bytes.
            entries: Those of indexes that it changes.

        Raises:
            MutationTooLarge: It is too much.
        """
        self.written += size
        self.entered += entries
        if documents > self.documents:
            self.exceeded = MutationTooLarge("documents", self.documents)
        elif self.written > self.bytes:
            self.exceeded = MutationTooLarge("bytes", self.bytes)
        elif self.entered > self.entries:
            self.exceeded = MutationTooLarge("index entries", self.entries)
        if self.exceeded is not None:
            raise self.exceeded
