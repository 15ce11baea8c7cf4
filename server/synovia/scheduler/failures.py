"""Failures of calls and crons: nobody waits for these, so each is said in the log, counted and remembered here."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass

from synovia.functions.scheduled_calls import CallError
from synovia.schema import Model
from synovia_protocol.errors import ErrorCode, ErrorInfo

logger = logging.getLogger("synovia")

KEPT = 100
CALL_FAILED = "call_failed"
"""The code under which an error that a scheduled function raised on purpose comes back; its own one is the data."""
_LONGEST_MESSAGE = 2_000


class Failure(Model):
    """An attempt at a call, or a run of a cron, that has failed.

    Attributes:
        id: Of the call; of a cron's own mutation, which is no call, None.
        attempts: How often the call has been begun.
        retry_at: When it is tried again, in milliseconds since 1970; None: it has failed for good.
        told_of: What has failed is a mutation that was told of the end of a call; the path of that call.
    """

    path: str
    id: str | None = None
    error: CallError
    attempts: int = 1
    retry_at: int | None = None
    told_of: str | None = None

    def __str__(self) -> str:
        what = f"the cron {self.path}" if self.id is None else f"the scheduled call {self.id} of {self.path}"
        if self.told_of is not None:
            what = f"{self.path}, told that the scheduled call {self.id} of {self.told_of} is over,"
        attempt = f" at attempt {self.attempts}" if self.attempts > 1 or self.retry_at is not None else ""
        reference = "" if self.error.reference is None else f" (error {self.error.reference})"
        again = "" if self.retry_at is None else "; it will be tried again"
        return f"{what} failed{attempt}: {self.error.code}: {self.error.message}{reference}{again}"


@dataclass(frozen=True, slots=True)
class FailureCount:
    """How many calls and crons have failed for good since the hub was started, and when the last one did.

    Attributes:
        last: In milliseconds since 1970; None: none has failed.
    """

    count: int = 0
    last: int | None = None


class Failures:
    """The failures that one hub has seen.

    Attributes:
        total: Those for good.
    """

    def __init__(self) -> None:
        self.total = FailureCount()
        self._recent: deque[Failure] = deque(maxlen=KEPT)

    def note(self, failures: Iterable[Failure], now: int) -> None:
        """Say, count and remember failures; ``now`` in milliseconds since 1970."""
        failures = list(failures)
        say(failures)
        for failure in failures:
            if failure.retry_at is not None:
                continue
            self.total = FailureCount(self.total.count + 1, now)
            self._recent.append(failure)

    def take(self) -> list[Failure]:
        """Give the newest of those for good that nobody has taken yet."""
        taken = list(self._recent)
        self._recent.clear()
        return taken


def say(failures: Iterable[Failure]) -> None:
    """Say failures in the log."""
    for failure in failures:
        logger.log(logging.ERROR if failure.retry_at is None else logging.WARNING, "%s", failure)


def error_of(error: ErrorInfo) -> CallError:
    """Make of an error what is stored of it."""
    wrapped = error.code == CALL_FAILED and isinstance(error.data, str)
    code = error.data if wrapped else error.code
    return CallError(code=code, message=error.message[:_LONGEST_MESSAGE], reference=_reference(error))


def _reference(error: ErrorInfo) -> str | None:
    """Give the reference under which the log has the traceback of an error."""
    known = error.code == ErrorCode.SERVER_ERROR and isinstance(error.data, dict)
    return error.data.get("id") if known else None
