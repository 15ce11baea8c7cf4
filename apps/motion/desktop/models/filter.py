"""Which recordings of a list are shown, and in which order."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from motion.desktop.models.people import People
from motion.desktop.words.naming import Row, title_of

NAMED = "name:"


@dataclass(frozen=True)
class Filter:
    """What is looked for.

    Attributes:
        text: Words; each has to be somewhere.
        tags: All of them have to be there.
        subject: Who was measured, as ``subject_key`` has it; None: everybody.
    """

    text: str = ""
    tags: tuple[str, ...] = ()
    subject: str | None = None

    @property
    def is_empty(self) -> bool:
        """Whether it lets everything through."""
        return not self.text.strip() and not self.tags and self.subject is None

    def keeps(self, recording: Row, people: People) -> bool:
        """Tell whether a recording is looked for."""
        if self.subject is not None and subject_key(recording) != self.subject:
            return False
        if not set(self.tags) <= set(recording.get("tags") or ()):
            return False
        words = plain(self.text).split()
        return not words or _holds_all(recording, people, words)


def _holds_all(recording: Row, people: People, words: list[str]) -> bool:
    fields = (recording.get(name) for name in ("notes", "exerciseType", "archiveReason"))
    parts = [title_of(recording), people.subject_of(recording), *fields, *(recording.get("tags") or ())]
    text = plain("\n".join(str(part) for part in parts if part))
    return all(word in text for word in words)


def plain(text: str) -> str:
    """Make small and without accents, so that "Muller" finds "Müller"."""
    apart = unicodedata.normalize("NFD", text)
    return "".join(letter for letter in apart if not unicodedata.combining(letter)).casefold()


def subject_key(recording: Row) -> str:
    """Give the id of who was measured, or the name of somebody without an account, which is no id."""
    return str(recording.get("subjectId") or NAMED + str(recording.get("subjectAlias") or ""))


def tags_of(recordings: Iterable[Row]) -> list[str]:
    """List the tags of recordings, the most used first."""
    uses = Counter(tag for recording in recordings for tag in recording.get("tags") or ())
    return sorted(uses, key=lambda tag: (-uses[tag], tag.casefold()))


def subjects_of(recordings: Iterable[Row], people: People, asked: str | None = None) -> list[tuple[str, str]]:
    """List who was measured, key and name, by name; with who is asked for, measured or not."""
    names = {subject_key(recording): people.subject_of(recording) for recording in recordings}
    if asked is not None and asked not in names:
        names[asked] = asked.removeprefix(NAMED) if asked.startswith(NAMED) else people.name_of(asked)
    return sorted(names.items(), key=lambda item: item[1].casefold())


SortKey = Callable[[Row, People], Any]
ORDERS: dict[str, tuple[str, SortKey | None]] = {
    "newest": ("Newest first", None),
    "oldest": ("Oldest first", lambda row, _: row["startTime"]),
    "title": ("By title", lambda row, _: plain(title_of(row))),
    "subject": ("By person", lambda row, people: (plain(people.subject_of(row)), -row["startTime"])),
    "longest": ("Longest first", lambda row, _: -row["durationMs"]),
}
"""The orders of a list: what they are called, and by what they sort; None: as the server gives it."""
