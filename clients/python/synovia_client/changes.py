"""What a query shows, and what leads from one thing shown to the next."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from functools import cached_property
from typing import Any, Generic, NamedTuple, TypeVar, cast

from synovia_client.edits import Edits, Replaced, compare, compose
from synovia_client.errors import FunctionError
from synovia_client.tabular import summary
from synovia_protocol.errors import WireValueError

R = TypeVar("R")


class Missing(Enum):
    """Stands for a result that has not come yet; None is a result like any other."""

    MISSING = "missing"


MISSING = Missing.MISSING


@dataclass(frozen=True, slots=True)
class Outcome:
    """The outcome of a query: its newest value (``MISSING``: none yet), and why its newest run failed."""

    value: Any = MISSING
    error: FunctionError | None = None

    @property
    def answered(self) -> bool:
        """Whether there is a value or an error."""
        return self.value is not MISSING or self.error is not None


NOTHING = Outcome()


class Change(Generic[R]):
    """What led from one outcome of a query to a later one.

    Args:
        before, after: The outcomes.
        find: Finds the edits, when somebody first asks; by default both values are compared.
    """

    def __init__(self, before: Outcome, after: Outcome, find: Callable[[], Edits | None] | None = None) -> None:
        self._before = before
        self._after = after
        self._find = find

    def __repr__(self) -> str:
        return f"<Change to {summary(self.value, self.error)}>"

    @property
    def value(self) -> R:
        """The newest value; None (whatever its type) before the first."""
        return cast(R, None if self._after.value is MISSING else self._after.value)

    @property
    def before(self) -> R | None:
        """The value that the edits lead on from; None before the first."""
        return None if self._before.value is MISSING else cast(R, self._before.value)

    @property
    def is_first(self) -> bool:
        """Whether there was no value before."""
        return self._before.value is MISSING

    @property
    def error(self) -> FunctionError | None:
        """Why the newest run failed; the value is an earlier one then."""
        return None if self._after.error is None else self._after.error.again()

    @cached_property
    def edits(self) -> Edits | None:
        """Exactly what leads from value to value; None when they are equal, as when there is only an error."""
        before, after = self._before.value, self._after.value
        if after is before or after is MISSING:
            return None
        if before is MISSING:
            return Replaced(after)
        try:
            return compare(before, after) if self._find is None else self._find()
        except WireValueError:  # an optimistic update may show what could not be sent
            return Replaced(after)

    def then(self, later: Change[R]) -> Change[R]:
        """Make one of two changes, for somebody who missed what was between them."""
        joined: Change[R] = Change(
            self._before, later._after, lambda: compose(self._before.value, self.edits, later.edits)
        )
        _ = joined.edits  # at once: what was between is not kept
        joined._find = None
        return joined

    @property
    def outcome(self) -> Outcome:
        """The outcome that it leads to."""
        return self._after


class QueryChange(NamedTuple):
    """The change of one query."""

    path: str
    args: dict[str, Any]
    change: Change[Any]


@dataclass(frozen=True, slots=True)
class Transition:
    """Everything that changed from one instant to a later one.

    Attributes:
        ts: The instant of the server that is shown now; None if all that is shown is optimistic.
        changes: The queries whose outcome is another.
    """

    ts: int | None
    changes: tuple[QueryChange, ...]
