"""The table at the end."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from rich.table import Table

from benchmarks.results import Result, Row

HEADINGS = ("benchmark", "what", "figure", "peer's", "ratio", "aim", "peer", "met")
_PLACE = re.compile(
    r"(?P<begin><!-- python -m benchmarks (?P<names>\w+(?: \w+)*) --docs -->\n).*?(?P<end><!-- end -->)", re.DOTALL
)
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


def document(results: Sequence[Result]) -> str:
    """Lay benchmarks out for their place in a document."""
    alone = results[0].laid_out if len(results) == 1 else None
    return markdown(results) if alone is None else alone


def put_into_documents(results: Iterable[Result], folder: Path, conditions: str) -> Iterator[Path]:
    """Replace the figures and pictures of benchmarks in pages that have a place for them; give the files that were written.

    Such a place begins with ``<!-- python -m benchmarks NAME ... --docs -->`` and ends with ``<!-- end -->``; one of several
    benchmarks is left as it is, unless all of them have run.

    Args:
        folder: That of the pages; pictures lie in its ``images``.
        conditions: What is said of the machine.
    """
    by_name = {result.name: result for result in results}
    for page in sorted(folder.glob("*.md")):
        text = page.read_text()
        places = [each for each in _PLACE.finditer(text) if by_name.keys() >= {*each["names"].split()}]
        for place in reversed(places):
            figures = document([by_name[name] for name in place["names"].split()])
            text = f"{text[: place.end('begin')]}\n{figures}\n\n{conditions}\n\n{text[place.start('end') :]}"
        if places:
            page.write_text(text)
            yield page
    for result in by_name.values():
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
