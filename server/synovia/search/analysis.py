"""From text to the terms under which an index has it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Generator, Iterator
from typing import Final

from synovia.search.stems import stems_of
from synovia.search.words import Word, fold, is_ideograph, words_in

WAY: Final = 1
"""The number of the way in which texts become terms; another one makes other indexes."""
WORDS_AT_ONCE: Final = 64
"""After so many words others have a turn."""


class Analyzer:
    """Finds the terms of texts in a language; None: words are not reduced to stems."""

    def __init__(self, language: str | None) -> None:
        self._stem = None if language is None else stems_of(language)

    def terms(self, text: str) -> Iterator[tuple[str, str]]:
        """Give each word of a text, folded, and its stem, folded."""
        for word in words_in(text):
            if folded := fold(word.text):
                yield folded, self._folded_stem(word) or folded

    def _folded_stem(self, word: Word) -> str:
        return fold(self._stem(word.text)) if self._stem is not None and word.is_whole else ""

    def searched(self, text: str) -> list[tuple[str, str]]:
        """Give what a text has to have in which another one is searched for, each once, in their order.

        The last character of a run without spaces ends the pair before it: a text that has it elsewhere only does not do.
        """
        found: list[tuple[str, str]] = []
        for term in self.terms(text):
            ends_pair = len(term[0]) == 1 and found and len(found[-1][0]) == 2 and found[-1][0].endswith(term[0])
            if not (ends_pair and is_ideograph(term[0])):
                found.append(term)
        return [*dict.fromkeys(reversed(found))][::-1]

    def counting(self, text: str) -> Generator[None, None, tuple[dict[str, int], int]]:
        """Count how often each term stands in a text, as a word or as the stem of one; and its words. Stops now and then."""
        words, stems, length = Counter[str](), Counter[str](), 0
        for folded, stem in self.terms(text):
            length += 1
            words[folded] += 1
            if self._stem is not None:
                stems[stem] += 1
            if length % WORDS_AT_ONCE == 0:
                yield
        for number, (stem, times) in enumerate(stems.items(), 1):
            words[stem] = max(words[stem], times)
            if number % WORDS_AT_ONCE == 0:
                yield
        return words, length
