"""What a function is run with, and what came of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from synovia.engine.results import NOTHING
from synovia.errors import InvalidArguments
from synovia.functions.function import Function
from synovia.functions.log_lines import LogLine
from synovia.schema import RunIds
from synovia.transaction.readset import ReadSet
from synovia.transaction.transaction import Transaction
from synovia_protocol.errors import ErrorInfo

Arguments = Mapping[str, Any] | InvalidArguments
"""As ``Function.validate`` gave them, or what it raised: who may not call a function is not told what is wrong with them."""


def arguments_of(function: Function, args: Mapping[str, Any]) -> Arguments:
    """Check what a function is called with; what does not fit is told when it is called, to whoever may call it."""
    try:
        return function.validate(args)
    except InvalidArguments as error:
        return error


class IdentityNeeded(Exception):
    """A query that is run for everybody looked at who is calling."""


@dataclass(slots=True)
class Run:
    """What came of running a function.

    Attributes:
        reads: What it read; complete also when it failed, because then the failure is what was read.
        value: The result as wire values.
        packed: The same, encoded.
        arrays: Digests of the arrays that the result refers to.
        error: Why there is no result.
        journal: Where the pages of a query ended, encoded; None if it read none.
        timed_out: It was ended because it took too long.
        log_lines: What it has logged and printed.
        documents_read, documents_written: How many.
    """

    reads: ReadSet
    value: Any = None
    packed: bytes = NOTHING
    arrays: frozenset[bytes] = frozenset()
    error: ErrorInfo | None = None
    journal: bytes | None = None
    timed_out: bool = False
    log_lines: list[LogLine] = field(default_factory=list)
    documents_read: int = 0
    documents_written: int = 0

    def refuse(self, error: ErrorInfo) -> None:
        """Have an error instead of the result."""
        self.value, self.packed, self.arrays, self.error = None, NOTHING, frozenset(), error


@dataclass(slots=True)
class MutationRun(Run):
    """A mutation that has run and waits for its commit."""

    transaction: Transaction | None = field(default=None)
    ids: RunIds | None = field(default=None)
    entries_changed: int = 0

    @property
    def has_written(self) -> bool:
        """Whether there is something to commit."""
        return self.transaction is not None and bool(self.transaction.writes)
