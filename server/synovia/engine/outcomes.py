"""What came of a call: for whoever made it, and as the record of a request keeps it."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from synovia.engine.runs import Run
from synovia.engine.store_errors import told_of
from synovia.errors import FunctionError
from synovia.functions.log_lines import LogLine
from synovia.sparingly import Sparingly
from synovia.store.base import StoreError, StoreUnusable, Ts
from synovia_protocol import codec
from synovia_protocol.errors import ErrorInfo

logger = logging.getLogger("synovia")

AGAIN_SECONDS: Final = 10.0
_FAILED = b"\xc1"  # begins the record of a failure; msgpack never uses this byte


@dataclass(slots=True)  # frozen ones take five times as long to make, and there are many for each mutation
class Outcome:
    """What came of a call.

    Attributes:
        ts: A mutation's commit; a query's instant; None if nothing was committed.
        packed: The encoded result; None for an error.
        error: Why there is no result.
        arrays: Digests of the arrays that the result refers to.
        log_lines: What the run that counts has logged and printed.
        documents_read, documents_written: How many that run has read and written.
        unusable: Nothing was done, and nothing will be until somebody mends the database.
        unknown: The database could not say whether the commit took place. Only the same request again can tell.
    """

    ts: Ts | None = None
    packed: bytes | None = None
    error: ErrorInfo | None = None
    arrays: frozenset[bytes] = frozenset()
    unknown: bool = False
    unusable: bool = False
    log_lines: tuple[LogLine, ...] = ()
    documents_read: int = 0
    documents_written: int = 0

    def value(self) -> Any:
        """Give the result as wire values.

        Raises:
            FunctionError: There is none.
        """
        if self.error is not None:
            raise FunctionError(self.error.code, self.error.message, self.error.data)
        return None if self.packed is None else codec.unpack(self.packed, codec.FROM_SERVER)


def outcome_of(run: Run, ts: Ts | None = None) -> Outcome:
    """Tell what came of a run; ``ts`` is its instant, or its commit; None: it has none, or none yet."""
    lines, read, written = tuple(run.log_lines), run.documents_read, run.documents_written
    if run.error is not None:
        return Outcome(error=run.error, log_lines=lines, documents_read=read)
    return Outcome(ts, run.packed, None, run.arrays, log_lines=lines, documents_read=read, documents_written=written)


class StoreFailures:
    """Tells the log what the store fails with.

    While a disk is full every call fails with the same, hundreds a second, and the log may lie on that disk: the same is
    told once in ``AGAIN_SECONDS``, with how many there were.

    Args:
        clock: A steady one, in seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._sparingly = Sparingly(clock)

    def tell(self, error: StoreError) -> None:
        """Log it, or count it."""
        left_out = self._sparingly.left_out(text := str(error), AGAIN_SECONDS)
        if left_out is not None:
            more = f" ({left_out} more since the last such line)" if left_out else ""
            logger.warning("the store failed: %s%s", text, more)


_failures: Final = StoreFailures()


def unavailable(error: StoreError, *, unknown: bool = False) -> Outcome:
    """Tell that the store failed."""
    _failures.tell(error)
    unusable = isinstance(error, StoreUnusable)
    return Outcome(error=told_of(error), unknown=unknown and not unusable, unusable=unusable)


def to_record(run: Run) -> bytes:
    """Pack what the record of a request keeps of a run."""
    error = run.error
    return run.packed if error is None else _FAILED + codec.pack([error.code, error.message, error.data])


def from_record(result: bytes, ts: Ts) -> Outcome:
    """Tell what came of a request by its record."""
    if result.startswith(_FAILED):
        return Outcome(error=ErrorInfo(*codec.unpack(result[len(_FAILED) :])))
    return Outcome(ts, result)
