"""The table at the end."""

from __future__ import annotations

from collections.abc import Iterable

from rich.table import Table

from benchmarks.results import Result, Row


def table(results: Iterable[Result]) -> Table:
    """Lay the rows of all benchmarks out."""
    laid = Table("benchmark", "what", title="Synovia beside its peers", title_justify="left")
    for heading in ("figure", "peer's", "ratio", "aim"):
        laid.add_column(heading, justify="right")
    laid.add_column("peer")
    laid.add_column("met")
    for result in results:
        for place, row in enumerate(result.rows):
            laid.add_row("" if place else result.name, *_cells(row))
        laid.add_section()
    return laid


def _cells(row: Row) -> tuple[str, ...]:
    aim = "" if row.aim is None else str(row.aim)
    met = "" if row.met is None else "[green]yes[/]" if row.met else "[red]no[/]"
    figure, peer = f"{number(row.figure)} {row.unit}", f"{number(row.peer_figure)} {row.unit}"
    return row.name, figure, peer, f"{row.ratio:.2f}", aim, row.peer, met


def number(value: float) -> str:
    """Write a figure with three digits that count, and no fraction from 100 on."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"
