"""What recordings and people are called."""

from __future__ import annotations

import re
from typing import Any

Row = dict[str, Any]
"""A document as the server gives it."""
SIDES = ("left", "right")


def shown_name(contact: Row) -> str:
    """Give what a contact is called: by oneself, else by themselves."""
    return str(contact.get("alias") or contact["name"])


def title_of(recording: Row) -> str:
    """Give what a recording goes by: the first line of its notes, else what was done."""
    notes = str(recording.get("notes") or "")
    line = next((text.strip() for text in notes.splitlines() if text.strip()), "")
    exercise = str(recording.get("exerciseType") or "")
    return line or exercise[:1].upper() + exercise[1:] or "Untitled recording"


def with_title(recording: Row, title: str) -> str:
    """Give the notes of a recording with another first line."""
    lines = str(recording.get("notes") or "").splitlines()
    first = next((place for place, text in enumerate(lines) if text.strip()), None)
    if first is None:
        return title
    return "\n".join([*lines[:first], title, *lines[first + 1 :]])


def sides_of(recording: Row) -> list[str]:
    """List the knees that were measured."""
    return [side for side in SIDES if recording.get(f"{side}Knee") is not None]


def initials(name: str) -> str:
    """Give up to two letters for a person."""
    words = [word for word in re.split(r"[\s._\-,()]+", name.partition("@")[0]) if word]
    chosen = words if len(words) < 2 else [words[0], words[-1]]
    return "".join(word[0].upper() for word in chosen) or "?"


def words_of(text: str) -> list[str]:
    """Read tags with commas between them; each once."""
    return list(dict.fromkeys(word for part in text.split(",") if (word := part.strip())))
