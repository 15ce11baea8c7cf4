"""The pages of the documentation as plain Markdown: their code, headings and links."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

_FENCE = re.compile(r" *(```+)\s*(.*)")
_HEADING = re.compile(r"#{1,6} +(.*?) *#*")
_LINK = re.compile(r"\[(?:[^\[\]]|\[[^\]]*\])*\]\(<?([^()\s>]+(?:\([^()]*\))?)>?(?: \"[^\"]*\")?\)")
_SOURCE = re.compile(r"\b(?:src|srcset|href)=\"([^\"]+)\"")


@dataclass(frozen=True)
class Block:
    """A fenced block of a page.

    Attributes:
        line: The number of its first line of code, from 1.
        language: The first word after the fence.
        file: What it says after ``file=`` or ``more=``: the file that a reader writes it to.
        adds: Whether it stands behind what the file holds already (``more=``); else it is the whole file.
        unchecked: Why nobody checks it, as it says after ``unchecked:``.
    """

    line: int
    language: str
    file: str | None
    adds: bool
    unchecked: str | None
    code: str


@dataclass(frozen=True)
class Page:
    """A Markdown file of the project."""

    path: Path

    @property
    def name(self) -> str:
        """Its path in the project, with slashes."""
        return self.path.relative_to(ROOT).as_posix()

    @cached_property
    def lines(self) -> list[str]:
        return self.path.read_text(encoding="utf-8").splitlines()

    @cached_property
    def blocks(self) -> list[Block]:
        return list(_blocks(self.lines))

    def code(self, language: str) -> list[Block]:
        """Give the blocks in one language."""
        return [block for block in self.blocks if block.language == language]

    @cached_property
    def prose(self) -> list[tuple[int, str]]:
        """The lines outside of blocks, with their numbers."""
        inside = {block.line + offset for block in self.blocks for offset in range(-1, block.code.count("\n") + 1)}
        return [(number, line) for number, line in enumerate(self.lines, 1) if number not in inside]

    @cached_property
    def anchors(self) -> set[str]:
        """The anchors of its headings, as forges make them."""
        found: set[str] = set()
        for _, line in self.prose:
            if match := _HEADING.fullmatch(line):
                found.add(_numbered(slug(match[1]), found))
        return found

    @cached_property
    def links(self) -> list[tuple[int, str]]:
        """The targets of its links and pictures, with the numbers of their lines."""
        text = [(number, re.sub(r"`[^`]*`", "", line)) for number, line in self.prose]
        return [
            (number, target)
            for number, line in text
            for pattern in (_LINK, _SOURCE)
            for target in pattern.findall(line)
        ]


def pages() -> list[Page]:
    """Give every page for readers: those of the project's root, and all of docs/."""
    return [Page(path) for path in (*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md")))]


def page(name: str) -> Page:
    """Give a page by its path in the project."""
    return Page(ROOT / name)


def slug(heading: str) -> str:
    """Give the anchor of a heading: links as their text, lower case, no punctuation, hyphens for blanks."""
    text = re.sub(r"!?\[([^\]]*)\]\([^)]*\)", r"\1", heading).replace("`", "").lower()
    return re.sub(r"[^\w\- ]", "", text).replace(" ", "-")


def _numbered(anchor: str, taken: set[str]) -> str:
    names = (anchor, *(f"{anchor}-{number}" for number in range(1, 100)))
    return next(name for name in names if name not in taken)


def _blocks(lines: list[str]) -> Iterator[Block]:
    fence, info, start = "", "", 0
    for number, line in enumerate(lines):
        match = _FENCE.fullmatch(line)
        if not fence and match:
            fence, info, start = match[1], match[2], number + 1
        elif fence and match and match[1] == fence and not match[2]:
            yield _block(info, start, lines[start:number])
            fence = ""
    if fence:
        raise ValueError(f"the block that begins in line {start} has no end")


def _block(info: str, start: int, lines: list[str]) -> Block:
    words, _, unchecked = info.partition(" unchecked: ")
    language, _, rest = words.partition(" ")
    place = re.fullmatch(r"(file|more)=(\S+)", rest.strip())
    if rest.strip() and place is None and not language.startswith("{"):
        raise ValueError(f"line {start}: {info!r} is not understood")
    code = "".join(f"{line}\n" for line in lines)
    file, adds = (place[2], place[1] == "more") if place else (None, False)
    return Block(start + 1, language, file, adds, unchecked or None, code)
