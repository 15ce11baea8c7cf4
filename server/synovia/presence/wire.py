"""What hubs tell each other of rooms, as bytes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

from synovia.presence.room import Changes, Claim
from synovia_protocol import codec

MOST_BYTES: Final = 1024 * 1024
"""A report with more is sent in parts: the other hub refuses what is larger than a frame may be."""
_ENTRY_BYTES: Final = 64
"""At most, of an id and what stands around it."""


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


def parts_of(report: Report, most: int = MOST_BYTES) -> list[Report]:
    """Cut a report into some that say the same one after another, each of about ``most`` bytes."""
    parts, size = [report._replace(changes=[])], 0
    for key, changes in report.changes:
        for piece, length in _pieces(changes, most):
            if size and size + length > most:
                parts.append(Report(report.hub, False, [], [], []))
                size = 0
            parts[-1].changes.append((key, piece))
            size += length
    return parts


def _pieces(changes: Changes, most: int) -> Iterator[tuple[Changes, int]]:
    piece, size = changes._replace(here=[], moved=[]), _ENTRY_BYTES * (1 + len(changes.left))
    for place, entries in enumerate((changes.here, changes.moved)):
        for name, claim in entries:
            length = _ENTRY_BYTES + len(claim.who) + len(claim.state)
            if size + length > most:
                yield piece, size
                piece, size = Changes([], [], [], whole=False), _ENTRY_BYTES
            (piece.moved if place else piece.here).append((name, claim))
            size += length
    yield piece, size


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
