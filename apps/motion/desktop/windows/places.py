"""The places of the desk, and the keys that lead there."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Place:
    """Where one can go.

    Attributes:
        path: What it is called in the program.
        key: Pressed after ``G``.
        group: Under which heading it stands.
    """

    path: str
    label: str
    icon_name: str
    key: str
    group: str


PLACES = (
    Place("recordings", "Recordings", "activity", "R", "Recordings"),
    Place("of-me", "Recordings of me", "person", "M", "Recordings"),
    Place("shared", "Shared with me", "share", "S", "Recordings"),
    Place("archive", "Archive", "archive", "A", "Recordings"),
    Place("live", "Live", "live", "L", "Measure"),
    Place("contacts", "Contacts", "contacts", "C", "People"),
    Place("invites", "Invitations", "mail", "I", "People"),
)


def home_of(role: str) -> str:
    """Tell where somebody begins: a patient with the recordings of themselves."""
    return "of-me" if role == "patient" else "recordings"
