"""Stems of words, by Snowball's algorithms: *angles* and *angle* have the same one."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import cache, lru_cache
from importlib.metadata import version
from typing import Final

# The library is imported by whoever needs it: it takes a tenth of a second, and most applications search for nothing.

_KEPT: Final = 65_536
"""So many words of each language are known with their stems: finding one takes 25 microseconds."""


@cache
def languages() -> tuple[str, ...]:
    """Name the languages whose words have stems."""
    import snowballstemmer

    return tuple(sorted(set(snowballstemmer.algorithms()) - {"porter", "dutch_porter"}))


@cache
def stems_of(language: str) -> Callable[[str], str]:
    """Give what finds the stem of a word in lower case."""
    import snowballstemmer

    stemmer, one_at_a_time = snowballstemmer.stemmer(language), threading.Lock()

    @lru_cache(_KEPT)
    def stem(word: str) -> str:
        with one_at_a_time:  # a stemmer keeps the word it works on
            return str(stemmer.stemWord(word)) or word

    return stem


@cache
def algorithms() -> str:
    """Name the version of the algorithms: stems that were kept by another one may be others."""
    return ".".join(version("snowballstemmer").split(".")[:2])
