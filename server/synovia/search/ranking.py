"""How well a text fits what is searched for.

The rank of a document depends on that document and the words that are searched for, on nothing else. BM25 would also weigh a
word by how rare it is, and a text by how long others are: then each insertion would move the ranks of all, and every live
search with them. As a document has to have all words, a rare one does not need more weight to be decisive.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Generator, Sequence
from typing import Final, NamedTuple

from synovia.search.analysis import WORDS_AT_ONCE, Analyzer
from synovia.turns import at_once

_SATURATION: Final = 1.2
_LENGTH: Final = 0.75
"""``k1`` and ``b`` of BM25: how much a word counts that is there again, and how much the length of a text does."""
_USUAL_WORDS: Final = 100
"""The length of a text that is neither short nor long."""
_LEAST: Final = 1 / 8
_EXACT, _STEM, _PREFIX = 4, 3, 2
"""What a word counts that is there as it was written, by its stem, or as the beginning of another one."""


class Terms(NamedTuple):
    """The terms of a document in order, with the weight of each, from 1 to 255."""

    words: list[str]
    weights: bytes


def terms_of(analyzer: Analyzer, texts: Sequence[str]) -> Terms:
    """Weigh the terms of a document, see ``weighing``."""
    return at_once(weighing(analyzer, texts))


def weighing(analyzer: Analyzer, texts: Sequence[str]) -> Generator[None, None, Terms]:
    """Weigh the terms of a document. Stops now and then.

    Args:
        texts: Those of its fields; each counts half as much as the one before it, the fourth and later ones an eighth.
    """
    found: dict[str, float] = {}
    whole = 0.0
    for place, text in enumerate(texts):
        share = max(_LEAST, 0.5**place)
        whole += share
        counts, length = yield from analyzer.counting(text)
        norm = _SATURATION * (1 - _LENGTH + _LENGTH * length / _USUAL_WORDS)
        for number, (term, times) in enumerate(counts.items(), 1):
            found[term] = found.get(term, 0.0) + share * times / (times + norm)
            if number % WORDS_AT_ONCE == 0:
                yield
    words, weights = sorted(found), bytearray()
    for first in range(0, len(words), WORDS_AT_ONCE):
        some = words[first : first + WORDS_AT_ONCE]
        weights += bytes(max(1, min(255, round(255 * found[word] / whole))) for word in some)
        yield
    return Terms(words, bytes(weights))


def rank(terms: Terms, searched: Sequence[tuple[str, str]], *, prefix: bool) -> int:
    """Tell how well a document fits; the greater, the better.

    Args:
        searched: The words that are searched for, each with its stem.
        prefix: Whether the last of them may be the beginning of a word.
    """
    score = 0
    for place, (word, stem) in enumerate(searched):
        best = max(_EXACT * _weight(terms, word), _STEM * _weight(terms, stem))
        if prefix and place == len(searched) - 1:
            best = max(best, _PREFIX * _best_completion(terms, word))
        score += best
    return score


def _weight(terms: Terms, word: str) -> int:
    place = bisect_left(terms.words, word)
    found = place < len(terms.words) and terms.words[place] == word
    return terms.weights[place] if found and place < len(terms.weights) else 0


def _best_completion(terms: Terms, word: str) -> int:
    best, place = 0, bisect_left(terms.words, word)
    while place < len(terms.words) and terms.words[place].startswith(word):
        best = max(best, terms.weights[place] if place < len(terms.weights) else 0)
        place += 1
    return best
