"""What the demonstration shows on a terminal: who does what and when, what travels, and the curves."""

from __future__ import annotations

from time import perf_counter

import numpy as np
from rich.console import Console
from rich.markup import escape
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from motion.files.motion import Floats

COLOURS = {"desk": "cyan", "room": "green", "ben": "magenta", "hub": "yellow"}
NAMES = {"desk": "Anna's desk", "room": "measuring room", "ben": "Ben's phone", "hub": "hub"}
MARGIN = " " * 29
PLOT_COLUMNS, PLOT_ROWS = 66, 7
_DOTS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))


class Show:
    """Prints the story and keeps count of what was claimed and whether it held."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self.claims = 0
        self.broken: list[str] = []
        self._drawn: set[str] = set()
        self._began = perf_counter()

    def begin(self, title: str) -> None:
        """Open a chapter; its clock starts at zero."""
        self.console.print()
        self.console.print(Rule(f"[bold]{escape(title)}", align="left", style="dim"))
        self._began = perf_counter()

    def says(self, who: str, text: str) -> None:
        """Tell what somebody does, with the time since the chapter began."""
        at = f"{(perf_counter() - self._began) * 1000:8.1f} ms"
        self._line(f"[dim]{at}[/]  [{COLOURS[who]}]{NAMES[who]:<14}[/]  {text}")

    def claim(self, text: str, holds: bool) -> None:
        """State something that has just been checked."""
        self.claims += 1
        if not holds:
            self.broken.append(text)
        self._line(f"{MARGIN}{'[green]✓[/]' if holds else '[bold red]✗[/]'} {text}")

    def plot(self, title: str, left: Floats, right: Floats) -> None:
        """Draw two series, each stretched over the whole width; the same picture only once."""
        if title in self._drawn:
            return
        self._drawn.add(title)
        low, high = float(min(left.min(), right.min())), float(max(left.max(), right.max()))
        masks = [_dots(series, low, high) for series in (left, right)]
        for row in range(PLOT_ROWS):
            label = f"{high:.0f}°" if row == 0 else f"{low:.0f}°" if row == PLOT_ROWS - 1 else ""
            line = Text()
            line.append(f"{label:>11} ", style="dim")
            for own, other in zip(masks[0][row], masks[1][row], strict=True):
                style = "white" if own and other else "cyan" if own else "magenta"
                line.append(chr(0x2800 | int(own) | int(other)), style=style)
            self.console.print(line, soft_wrap=True)
        self._line(f"[dim]{'':12}{escape(title)}: [/][cyan]left[/][dim] and [/][magenta]right[/][dim] knee[/]")

    def _line(self, markup: str) -> None:
        self.console.print(markup, soft_wrap=True)

    def pushes(self, rows: list[tuple[str, int, int, float]]) -> None:
        """Print what was pushed: its name, bytes of the transition, bytes of the whole result, milliseconds."""
        table = Table("what was pushed", box=None, pad_edge=False, header_style="bold")
        for header in ("patch", "whole result", "smaller by", "commit to push"):
            table.add_column(header, justify="right")
        for name, patch, whole, milliseconds in rows:
            table.add_row(name, f"{patch:,} B", f"{whole:,} B", f"{whole / patch:,.0f}x", f"{milliseconds:.1f} ms")
        self.console.print()
        self.console.print(table)

    def verdict(self) -> int:
        """Say whether everything held, and give the exit code."""
        self.console.print()
        if self.broken:
            self.console.print(f"[bold red]{len(self.broken)} of {self.claims} claims did not hold:[/]")
            for text in self.broken:
                self.console.print(f"  [red]✗[/] {text}")
            return 1
        self.console.print(f"[bold green]All {self.claims} claims were checked and held.[/]")
        return 0


def _dots(series: Floats, low: float, high: float) -> list[list[int]]:
    """Place a series on braille cells of 2 by 4 dots, giving the mask of each cell by row and column."""
    wide, tall = PLOT_COLUMNS * 2, PLOT_ROWS * 4
    places = np.linspace(0, len(series) - 1, wide)
    values = np.interp(places, np.arange(len(series)), series)
    heights = np.clip(((high - values) / ((high - low) or 1.0) * (tall - 1)).round().astype(int), 0, tall - 1)
    cells = [[0] * PLOT_COLUMNS for _ in range(PLOT_ROWS)]
    for x in range(wide):
        before = int(heights[x - 1]) if x else int(heights[x])
        for y in _between(before, int(heights[x])):
            cells[y // 4][x // 2] |= _DOTS[y % 4][x % 2]
    return cells


def _between(before: int, now: int) -> range:
    """Give the heights to fill so that the curve has no holes: from next to the one before up to the present."""
    if now > before:
        return range(before + 1, now + 1)
    return range(now, before) if now < before else range(now, now + 1)
