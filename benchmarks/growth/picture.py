"""A picture of costs against sizes, both on logarithmic scales, as SVG: legible on light and on dark pages."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from html import escape

from benchmarks.growth.laws import Group, Series

WIDTH, PLOT_HEIGHT, LEGEND_LINE = 792, 360, 20
LEFT, RIGHT, TOP, BOTTOM = 78, 52, 16, 52
_MARKS = {"SQLite": "", "MongoDB": "7 4"}
_COLORS = 6
_MICROSECONDS = (("s", 1e6), ("ms", 1e3), ("µs", 1.0))

_STYLE = """
text{font:13px system-ui,sans-serif}.line{fill:none;stroke:var(--c);stroke-width:2}.dot{fill:var(--c)}
.card{fill:#fcfcfa}.grid{stroke:#dcdcd6}.fine{stroke:#efefeb}.law{stroke:#8a8a84;stroke-dasharray:1.5 4}
text{fill:#3c4142}.dim{fill:#6a6f70}
.c0{--c:#0d6e77}.c1{--c:#b4530a}.c2{--c:#6b4fbb}.c3{--c:#a3195b}.c4{--c:#4a7a12}.c5{--c:#1f5fb0}
@media (prefers-color-scheme:dark){
.card{fill:#15191a}.grid{stroke:#3a4142}.fine{stroke:#23292a}.law{stroke:#80898a}
text{fill:#d5dbdb}.dim{fill:#9aa4a4}
.c0{--c:#5fc4c3}.c1{--c:#f0a15e}.c2{--c:#b3a1f2}.c3{--c:#f08cba}.c4{--c:#a6cf6b}.c5{--c:#86b7f5}}
"""


class _Scale:
    """A logarithmic scale between two places, from a power of ten to one."""

    def __init__(self, values: Sequence[float], begin: float, end: float) -> None:
        self.first = math.floor(math.log10(min(values)) + 1e-9)
        self.last = max(self.first + 1, math.ceil(math.log10(max(values)) - 1e-9))
        self._begin, self._end = begin, end

    def __call__(self, value: float) -> float:
        part = (math.log10(value) - self.first) / (self.last - self.first)
        return self._begin + part * (self._end - self._begin)

    @property
    def decades(self) -> Iterator[int]:
        return iter(range(self.first, self.last + 1))


def picture(group: Group) -> str:
    """Draw the series of a group, whose costs are in microseconds."""
    points = [point for series in group.series for point in series.points]
    x = _Scale([point.size for point in points], LEFT, WIDTH - RIGHT)
    y = _Scale([point.cost for point in points], PLOT_HEIGHT - BOTTOM, TOP)
    legend = list(_legend(group.series))
    height = PLOT_HEIGHT + LEGEND_LINE * len(legend)
    body = [*_grid(x, y, group.size), *_guides(x, y), *_lines(group.series, x, y), *legend]
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img">',
            f"<title>{escape(group.name)}: cost against {escape(group.size)}</title>",
            f"<style>{_STYLE}</style>",
            f'<rect class="card" width="{WIDTH}" height="{height}" rx="6"/>',
            *body,
            "</svg>\n",
        ]
    )


def duration(microseconds: float) -> str:
    """Write a time with the unit that suits it."""
    unit, size = next((each for each in _MICROSECONDS if microseconds >= each[1]), _MICROSECONDS[-1])
    return f"{microseconds / size:,.3g} {unit}"


def _grid(x: _Scale, y: _Scale, size: str) -> Iterator[str]:
    bottom = PLOT_HEIGHT - BOTTOM
    for decade in y.decades:
        at = y(10**decade)
        yield f'<path class="grid" d="M{LEFT} {at:.1f}H{WIDTH - RIGHT}"/>'
        yield f'<text x="{LEFT - 8}" y="{at + 4:.1f}" text-anchor="end">{duration(10**decade)}</text>'
    for decade in x.decades:
        at = x(10**decade)
        yield f'<path class="fine" d="M{at:.1f} {TOP}V{bottom}"/>'
        yield f'<text x="{at:.1f}" y="{bottom + 18}" text-anchor="middle">{10**decade:,}</text>'
    yield f'<text class="dim" x="{(LEFT + WIDTH - RIGHT) / 2}" y="{bottom + 38}" text-anchor="middle">{escape(size)}</text>'


def _guides(x: _Scale, y: _Scale) -> Iterator[str]:
    """Draw what grows as the size does, dotted, from each decade of the left edge: lines that are as steep are linear."""
    for decade in range(y.first - (x.last - x.first) + 1, y.last):
        low = max(decade, y.first)
        high = min(decade + x.last - x.first, y.last)
        begin, end = x.first + low - decade, x.first + high - decade
        yield f'<path class="law" d="M{x(10**begin):.1f} {y(10**low):.1f}L{x(10**end):.1f} {y(10**high):.1f}"/>'


def _lines(series: Sequence[Series], x: _Scale, y: _Scale) -> Iterator[str]:
    for each in series:
        places = [(x(point.size), y(point.cost)) for point in each.points]
        path = "L".join(f"{left:.1f} {top:.1f}" for left, top in places)
        yield f'<g class="c{_color(each, series)}"><path class="line" stroke-dasharray="{_mark(each)}" d="M{path}"/>'
        yield from (f'<circle class="dot" cx="{left:.1f}" cy="{top:.1f}" r="3.5"/>' for left, top in places)
        yield "</g>"


def _legend(series: Sequence[Series]) -> Iterator[str]:
    for place, each in enumerate(series):
        at = PLOT_HEIGHT + place * LEGEND_LINE
        verdict = f"slope {each.slope:.2f}; {each.law.title}" + ("" if each.holds else ": does not hold")
        yield (
            f'<g class="c{_color(each, series)}"><path class="line" stroke-dasharray="{_mark(each)}" '
            f'd="M{LEFT} {at}h36"/><text x="{LEFT + 46}" y="{at + 4}">{escape(each.name)}, {each.store} '
            f'<tspan class="dim">({verdict})</tspan></text></g>'
        )


def _color(each: Series, series: Sequence[Series]) -> int:
    names = list(dict.fromkeys(other.name for other in series))
    return names.index(each.name) % _COLORS


def _mark(each: Series) -> str:
    return _MARKS.get(each.store, "")
