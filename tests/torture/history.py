"""What happened, as the clients saw it: every call with its outcome, and everything each client was shown."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Outcome(StrEnum):
    """How a call ended for its caller."""

    OK = "ok"
    FAIL = "fail"
    """It was refused: it changed nothing, now or later."""
    UNKNOWN = "unknown"
    """Nobody has said: it may have taken effect, or may yet."""


@dataclass(slots=True, eq=False)
class Call:
    """One mutation of one client.

    Attributes:
        name: Unique in the history; functions write it beside what they do.
        shown: What its client was shown when the answer came.
        began, answered: On which connections, for people.
        data: What a refusal said.
        ts: The commit's timestamp, as the answer said.
        began_at, ended: When it was made and answered, by the clock of this process in seconds.
    """

    name: str
    client: int
    kind: str
    args: dict[str, Any]
    outcome: Outcome = Outcome.UNKNOWN
    result: Any = None
    error: str | None = None
    data: Any = None
    ts: int | None = None
    shown: dict[str, Any] | None = None
    began: str = ""
    answered: str = ""
    began_at: float = 0.0
    ended: float = math.inf


@dataclass(slots=True, eq=False)
class Reading:
    """What somebody who has just come was told.

    Attributes:
        name: Of the counter or register that was asked for.
        person: Who asked.
        way: By a subscription, or a single request.
        hub: The port that was asked.
        began, ended: When it was asked and answered, by the clock of this process in seconds.
    """

    path: str
    name: str
    person: str
    way: str
    hub: int
    began: float = 0.0
    ended: float = 0.0
    value: Any = None
    error: str | None = None


@dataclass(slots=True, eq=False)
class Sight:
    """What one client held after one transition.

    Attributes:
        life: Which of its connections brought it.
        values: By query, among them those that the connection has not confirmed yet: a program sees them all.
    """

    client: int
    life: int
    ts: int
    values: dict[str, Any]


@dataclass(slots=True)
class Final:
    """The state after everything has calmed down, read through one hub."""

    accounts: dict[str, int]
    sides: tuple[dict[str, int], dict[str, int]]
    entries: list[dict[str, Any]]
    registers: dict[str, list[int]]
    on_duty: dict[str, int]
    counters: dict[str, int]
    handles: list[dict[str, Any]]
    seats: list[dict[str, Any]]


@dataclass(slots=True)
class History:
    """All of it.

    Attributes:
        total: The sum of all accounts.
        faults: How often each kind of fault was made.
        counts: Retries, reconnects and the like.
        finals: The final state, through each hub.
        readings: By readers who have just come.
    """

    total: int = 0
    calls: list[Call] = field(default_factory=list)
    sights: list[Sight] = field(default_factory=list)
    faults: Counter[str] = field(default_factory=Counter)
    counts: Counter[str] = field(default_factory=Counter)
    finals: list[Final] = field(default_factory=list)
    readings: list[Reading] = field(default_factory=list)

    def of_kind(self, kind: str, outcome: Outcome | None = None) -> Iterator[Call]:
        """Give the calls of a kind, in the order in which they were made."""
        return (call for call in self.calls if call.kind == kind and outcome in (None, call.outcome))


@dataclass(frozen=True, slots=True)
class Anomaly:
    """A promise that was not kept."""

    kind: str
    text: str

    def __str__(self) -> str:
        return f"{self.kind}: {self.text}"
