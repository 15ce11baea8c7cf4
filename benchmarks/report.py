"""The table at the end."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from rich.table import Table

from benchmarks.results import Result, Row

HEADINGS = ("benchmark", "what", "figure", "peer's", "ratio", "aim", "peer", "met")
_COLORS = {"yes": "[green]yes[/]", "no": "[red]no[/]"}


def table(results: Iterable[Result]) -> Table:
    """Lay the rows of all benchmarks out."""
    laid = Table(title="Synovia beside its peers", title_justify="left")
    for heading in HEADINGS:
        laid.add_column(heading, justify="right" if heading in HEADINGS[2:6] else "left")
    for result in results:
        for place, row in enumerate(result.rows):
            *cells, met = _cells(row)
            laid.add_row("" if place else result.name, *cells, _COLORS.get(met, ""))
        laid.add_section()
    return laid


def markdown(results: Iterable[Result]) -> str:
    """Lay the same out for a document."""
    lines: list[tuple[str, ...]] = [HEADINGS, ("---",) * len(HEADINGS)]
    lines += [("" if place else each.name, *_cells(row)) for each in results for place, row in enumerate(each.rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def document(result: Result) -> str:
    """Lay one benchmark out for its place in a document."""
    return result.laid_out if result.laid_out is not None else markdown([result])


def put_into_documents(results: Iterable[Result], folder: Path, conditions: str) -> Iterator[Path]:
    """Replace the figures and pictures of benchmarks in pages that have a place for them; give the files that were written.

    Such a place begins with ``<!-- python -m benchmarks NAME --docs -->`` and ends with ``<!-- end -->``.

    Args:
        folder: That of the pages; pictures lie in its ``images``.
        conditions: What is said of the machine.
    """
    for result in results:
        begin, end = f"<!-- python -m benchmarks {result.name} --docs -->\n", "<!-- end -->"
        for page in sorted(folder.glob("*.md")):
            before, found, rest = page.read_text().partition(begin)
            if found:
                after = rest.partition(end)[2]
                page.write_text(f"{before}{begin}\n{document(result)}\n\n{conditions}\n\n{end}{after}")
                yield page
        for name, drawn in result.pictures.items():
            file = folder / "images" / f"{result.name}-{name}.svg"
            file.write_text(drawn)
            yield file


def _cells(row: Row) -> tuple[str, ...]:
    aim = "" if row.aim is None else str(row.aim)
    met = "" if row.met is None else "yes" if row.met else "no"
    figure, peer = f"{number(row.figure)} {row.unit}", f"{number(row.peer_figure)} {row.unit}"
    return row.name, figure, peer, f"{row.ratio:.2f}", aim, row.peer, met


def number(value: float) -> str:
    """Write a figure with three digits that count, and no fraction from 100 on."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"
