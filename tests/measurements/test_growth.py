"""Cost against size: what a slope is, which laws hold, how they are drawn, and that each part measures at all."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import pytest
from benchmarks.growth import clients, coming_back, commits, merged, tables, tables_of
from benchmarks.growth.laws import Group, Law, Point, Series
from benchmarks.growth.picture import duration, picture
from benchmarks.growth.places import sqlite_place
from benchmarks.report import put_into_documents
from benchmarks.results import Result, Row, Setting

_QUICK = Setting("", quick=True)
_SVG = "{http://www.w3.org/2000/svg}"


def series(law: Law, exponent: float, name: str = "a change", store: str = "SQLite") -> Series:
    sizes = (10, 100, 1_000, 10_000)
    return Series(name, store, law, "µs", tuple(Point(size, 7.0 * size**exponent) for size in sizes))


@pytest.mark.parametrize("exponent", [-0.5, 0.0, 0.5, 1.0, 2.0])
def test_the_slope_is_the_exponent(exponent: float) -> None:
    assert series(Law.FLAT, exponent).slope == pytest.approx(exponent)


def test_a_constant_part_hides_no_growth() -> None:
    points = tuple(Point(size, 1_000.0 + size) for size in (10, 100, 1_000, 10_000, 100_000, 1_000_000))
    assert Series("a scan", "SQLite", Law.LINEAR, "µs", points).slope == pytest.approx(1.0, abs=0.05)


@pytest.mark.parametrize(
    ("law", "exponent", "holds"),
    [
        (Law.FLAT, 0.05, True),
        (Law.FLAT, 0.3, False),
        (Law.LOG, 0.1, True),
        (Law.LOG, 0.5, False),
        (Law.LINEAR, 1.0, True),
        (Law.LINEAR, 1.5, False),
    ],
)
def test_a_law_holds_up_to_its_steepest_slope(law: Law, exponent: float, holds: bool) -> None:
    measured = series(law, exponent)
    assert (measured.holds, measured.row().met) == (holds, holds)
    assert ("does not hold" in picture(Group("g", "documents", (measured,)))) is not holds


def test_every_point_lies_on_the_card() -> None:
    group = Group("g", "documents & more", (series(Law.FLAT, 0.0), series(Law.LINEAR, 1.0, "a scan", "MongoDB")))
    drawn = ElementTree.fromstring(picture(group))
    _, _, width, height = map(float, drawn.attrib["viewBox"].split())
    dots = list(drawn.iter(f"{_SVG}circle"))
    assert len(dots) == 8
    assert all(0 < float(dot.attrib["cx"]) < width and 0 < float(dot.attrib["cy"]) < height for dot in dots)
    flat = [float(dot.attrib["cy"]) for dot in dots[:4]]
    assert max(flat) == min(flat)
    rising = [float(dot.attrib["cy"]) for dot in dots[4:]]
    assert rising == sorted(rising, reverse=True)


@pytest.mark.parametrize(("cost", "text"), [(0.5, "0.5 µs"), (12.34, "12.3 µs"), (4_560.0, "4.56 ms"), (2e6, "2 s")])
def test_times_have_the_unit_that_suits_them(cost: float, text: str) -> None:
    assert duration(cost) == text


def test_figures_go_where_a_page_has_a_place_for_them(tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    begin = "<!-- python -m benchmarks growth --docs -->\n"
    (tmp_path / "growth.md").write_text(f"# Growth\n\n{begin}| before |\n<!-- end -->\n\nafter\n")
    (tmp_path / "other.md").write_text("# Other\n")
    group = Group("tables", "documents", (series(Law.FLAT, 0.0),))
    result = Result("growth", (), laid_out=tables_of([group]), pictures={"tables": picture(group)})
    for _ in range(2):
        written = list(put_into_documents([result], tmp_path, "2 cores."))
    assert [file.name for file in written] == ["growth.md", "growth-tables.svg"]
    text = (tmp_path / "growth.md").read_text()
    assert text.startswith(f"# Growth\n\n{begin}\n![Tables")
    assert text.endswith("| yes |\n\n2 cores.\n\n<!-- end -->\n\nafter\n")
    assert "before" not in text
    assert (tmp_path / "other.md").read_text() == "# Other\n"


def test_figures_of_several_benchmarks_are_renewed_together_or_not_at_all(tmp_path: Path) -> None:
    begin, end = "<!-- python -m benchmarks latency live --docs -->\n", "<!-- end -->\n"
    page = tmp_path / "performance.md"
    page.write_text(before := f"{begin}| before |\n{end}\nafter\n")
    latency, live = (Result(name, (Row("p50", 1.0, "ms", "bare", 2.0, 0.5),)) for name in ("latency", "live"))
    assert not list(put_into_documents([latency], tmp_path, "2 cores."))
    assert page.read_text() == before
    assert list(put_into_documents([live, latency], tmp_path, "2 cores.")) == [page]
    text = page.read_text()
    assert text.startswith(begin)
    assert text.endswith(f"\n\n2 cores.\n\n{end}\nafter\n")
    assert "before" not in text
    assert -1 < text.index("| latency | p50 |") < text.index("| live | p50 |")


def test_series_of_several_stores_share_a_picture() -> None:
    groups = [Group("a", "x", (series(Law.FLAT, 0.0),)), Group("b", "y", ()), Group("a", "x", (series(Law.LOG, 0.1),))]
    assert [(group.name, len(group.series)) for group in merged(groups)] == [("a", 2), ("b", 0)]


@pytest.mark.slow
async def test_tables_and_commits_are_measured() -> None:
    async with sqlite_place() as place:
        groups = [*await commits.measure(place, _QUICK, (10, 30), 3)]
    async with sqlite_place() as place:
        groups += await tables.measure(place, _QUICK, (20, 1_000), 3)
    assert all(point.cost > 0 for group in groups for each in group.series for point in each.points)
    assert [(group.name, len(group.series)) for group in groups] == [
        ("commits", 1),
        ("log", 2),
        ("tables", 3),
        ("live-queries", 3),
    ]


@pytest.mark.slow
async def test_clients_are_measured() -> None:
    groups = [
        await clients.connections(_QUICK, (2, 4), 3),
        await clients.subscriptions(_QUICK, (10, 20), 3),
        await clients.subscribers(_QUICK, (2, 4), 3),
        await coming_back.measure(_QUICK, (2, 4)),
    ]
    assert all(point.cost > 0 for group in groups for each in group.series for point in each.points)
