"""What hubs tell each other of rooms, as bytes."""

from __future__ import annotations

from typing import NamedTuple

from synovia.presence.room import Changes, Claim
from synovia_protocol import codec


class Report(NamedTuple):
    """What one hub tells another.

    Attributes:
        hub: Whose it is.
        anew: Forget what it has told before.
        opened, closed: Keys of rooms of which it wants to know who is there, and does not any more.
        changes: By the key of a room, who is there by this hub.
    """

    hub: bytes
    anew: bool
    opened: list[bytes]
    closed: list[bytes]
    changes: list[tuple[bytes, Changes]]


def pack_report(report: Report) -> bytes:
    """Pack a report."""
    changes = [
        [key, [[name, *claim] for name, claim in here], [[name, *claim] for name, claim in moved], left, whole]
        for key, (here, moved, left, whole) in report.changes
    ]
    return codec.pack([report.hub, report.anew, report.opened, report.closed, changes])


def unpack_report(packed: bytes) -> Report:
    """Read a report."""
    hub, anew, opened, closed, changes = codec.unpack(packed)
    return Report(hub, anew, opened, closed, [(key, _changes(*fields)) for key, *fields in changes])


def _changes(here: list[list[object]], moved: list[list[object]], left: list[str], whole: bool) -> Changes:
    return Changes(_claims(here), _claims(moved), left, whole)


def _claims(fields: list[list[object]]) -> list[tuple[str, Claim]]:
    return [(name, Claim(since, who, state)) for name, since, who, state in fields]  # type: ignore[arg-type, misc]
