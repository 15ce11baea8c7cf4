"""The hand-written table of docs/motion-access.md: who may call what."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

PAGE = Path(__file__).resolve().parents[2] / "docs" / "motion-access.md"
CALLERS = ("anonymous", "newcomer", "archived", "patient", "physio", "admin", "looking")
_CODES = {"401": "unauthenticated", "403": "forbidden", "404": "not_found", "unregistered": "not_registered"}
_CANNOT_BE = "–"


@dataclass(frozen=True)
class Row:
    """What one function answers each caller who stands in one relation to the document.

    Attributes:
        function: A path; what follows it on the page after a blank tells variants apart.
        cells: By caller: ``yes`` or the code of an error.
    """

    function: str
    variant: str
    relation: str
    cells: dict[str, str]

    @property
    def name(self) -> str:
        """As the page's first two columns have it."""
        return f"{self.function} {self.variant}".strip() + (f" [{self.relation}]" if self.relation else "")


def rows() -> list[Row]:
    """Read the page."""
    return list(_rows(PAGE.read_text().splitlines()))


def _rows(lines: list[str]) -> Iterator[Row]:
    for line in lines:
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")] if line.startswith("|") else []
        if len(cells) != 2 + len(CALLERS) or ":" not in cells[0]:
            continue
        function, _, variant = cells[0].partition(" ")
        answers = {c: _CODES.get(t, t) for c, t in zip(CALLERS, cells[2:], strict=True) if t != _CANNOT_BE}
        yield Row(function, variant, cells[1], answers)
