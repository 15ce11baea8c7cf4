"""Real time: who asks after an acknowledgement is told of what was acknowledged, by any hub; and a role taken is gone."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from synovia_protocol.errors import ErrorCode
from torture.history import Anomaly, Call, History, Outcome, Reading


def check_readings(history: History) -> Iterator[Anomaly]:
    """Check every reading against the calls that were answered before it began."""
    for reading in history.readings:
        if reading.path == "roles:secret":
            yield from _check_access(history, reading)
        elif reading.error is None:
            yield from _check_content(history, reading)


def _check_content(history: History, reading: Reading) -> Iterator[Anomaly]:
    """A counter is at least what an earlier call has made it, and a register has what an earlier call appended."""
    counter = reading.path == "counters:value"
    for call in history.of_kind("increment" if counter else "append", Outcome.OK):
        if call.ended >= reading.began:
            continue
        if counter and call.args["name"] == reading.name and int(reading.value) < call.result:
            yield _stale(reading, call, f"{reading.name} is {reading.value} after it had become {call.result}")
        elif not counter and reading.name in call.args["append"] and call.args["item"] not in map(int, reading.value):
            yield _stale(reading, call, f"{reading.name} lacks {call.args['item']}")


def _check_access(history: History, reading: Reading) -> Iterator[Anomaly]:
    """Only its own actor gives and takes a person's role, one call after the other, so the last one tells.

    A reading that failed, because the database was away, say, tells nothing of who may read.
    """
    if reading.error not in (None, ErrorCode.FORBIDDEN):
        return
    calls = [call for call in history.of_kind("place") if call.args["person"] == reading.person]
    before = [call for call in calls if call.began_at < reading.ended]
    if any(call.outcome is not Outcome.OK or call.ended >= reading.began for call in before):
        return
    inside = bool(before) and bool(before[-1].args["inside"])
    told = reading.error is None
    if told != inside and before:
        did = "was shown the secret" if told else f"was refused ({reading.error})"
        yield Anomaly(
            "stale access", f"{reading.person} {did} by {reading.way} at {reading.hub} after {before[-1].name}"
        )


def _stale(reading: Reading, call: Call, what: Any) -> Anomaly:
    late = reading.began - call.ended
    return Anomaly("stale", f"{what}, {late:.3f} s after {call.name} was answered, by {reading.way} at {reading.hub}")
