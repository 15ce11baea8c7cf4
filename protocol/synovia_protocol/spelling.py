"""Names that are spelled nearly alike, for errors that ask what is meant."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable

_LONGEST = 40
"""A name may be anybody's, and comparing takes the square of its length."""
_CLOSE = 0.8
"""How much of two names has to be the same, from 0 to 1, for one to be taken for the other."""


def letters(name: str) -> str:
    """Give what is the same in all ways of writing a name or path: with other separators, in camelCase or in snake_case."""
    return re.sub(r"[\W_]", "", name).casefold()


def nearest(name: str, names: Iterable[str]) -> str | None:
    """Find the one that is spelled most nearly like a name; None if none is, or the name is no name by its length."""
    known = {letters(each): each for each in names}
    near = difflib.get_close_matches(letters(name), known, 1, _CLOSE) if len(name) <= _LONGEST else []
    return known[near[0]] if near else None
