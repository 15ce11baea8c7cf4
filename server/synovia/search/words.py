"""Cutting text into words, and folding these so that case, width and accents do not matter.

Words are runs of letters, digits and the marks on them (a simple form of UAX #29). Scripts that are written without spaces
(Chinese, Japanese) have no such runs: there every two neighbouring characters are a word, and the last one is, as search
engines cut them where they have no dictionary.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from functools import cache
from typing import Final, NamedTuple

MAX_WORD: Final = 64
"""Characters of a word that count."""
_ENDING: Final = 2
"""An apostrophe with no more letters behind it belongs to the word, as in *don't* and *knee's*; others part two words."""
_LONGER: Final = 4
"""So many times longer a text may become when its characters are resolved into others (NFKC); the rest does not count. Some
characters stand for 18 others: a text of these would take long."""
_FEW: Final = 1024
"""A text that has become no longer than that counts as a whole."""
_LAST_MARK: Final = 0x1E8D6
_FOLDED_MARKS: Final = re.compile("[\u0300-\u036f]")
"""The accents of Latin, Greek and Cyrillic letters; the marks of other scripts are as much as letters."""
_ASCII_WORD: Final = re.compile(rf"[a-z0-9]+(?:'[a-z0-9]{{1,{_ENDING}}}(?![a-z0-9]))?")
_IDEOGRAPHS: Final = "\u3005-\u3007\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U000323af"
_IDEOGRAPH: Final = re.compile(f"[{_IDEOGRAPHS}]")


class Word(NamedTuple):
    """A word of a text, in lower case, not folded.

    Attributes:
        is_whole: Its language's stem may be asked for; not of a piece of a run without spaces.
    """

    text: str
    is_whole: bool = True


def words_in(text: str) -> Iterator[Word]:
    """Give the words of a text in their order."""
    if text.isascii():
        for found in _ASCII_WORD.finditer(text.lower()):
            yield Word(found[0][:MAX_WORD])
        return
    most = max(_FEW, _LONGER * len(text))
    for found in _pattern().finditer(unicodedata.normalize("NFKC", text)[:most].casefold()):
        run = unicodedata.normalize("NFC", found[0])
        if found.lastgroup == "ideographs":
            yield from _pairs(run)
        else:
            yield Word(run.replace("’", "'")[:MAX_WORD])


def fold(word: str) -> str:
    """Take the accents off a word, and apostrophes out of it."""
    if word.isascii():
        return word.replace("'", "")
    bare = _FOLDED_MARKS.sub("", unicodedata.normalize("NFD", word))
    return unicodedata.normalize("NFC", bare).replace("'", "")[:MAX_WORD]


def is_ideograph(character: str) -> bool:
    """Tell whether a character is of a script that is written without spaces, and cut into pairs."""
    return _IDEOGRAPH.match(character) is not None


def _pairs(run: str) -> Iterator[Word]:
    for start in range(len(run)):
        yield Word(run[start : start + 2], is_whole=False)


@cache
def _pattern() -> re.Pattern[str]:
    marks = "".join(mark for code in range(0x300, _LAST_MARK + 1) if unicodedata.category(mark := chr(code))[0] == "M")
    letter = rf"(?:(?![{_IDEOGRAPHS}])[^\W_]|[{re.escape(marks)}])"
    word = rf"(?![{re.escape(marks)}]){letter}+(?:['’]{letter}{{1,{_ENDING}}}(?!{letter}))?"
    return re.compile(rf"(?P<ideographs>[{_IDEOGRAPHS}]+)|(?P<word>{word})")
