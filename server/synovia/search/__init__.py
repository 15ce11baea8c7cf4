"""Texts as words: how they are cut, folded and reduced to stems, and how well a text fits what is searched for."""

from synovia.search.analysis import WAY, Analyzer
from synovia.search.ranking import Terms, rank, terms_of, weighing
from synovia.search.stems import algorithms, languages
from synovia.search.words import MAX_WORD, Word, fold, words_in

__all__ = [
    "MAX_WORD", "WAY", "Analyzer", "Terms", "Word", "algorithms", "fold", "languages", "rank", "terms_of",
    "weighing", "words_in",
]  # fmt: skip
