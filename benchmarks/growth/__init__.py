"""Cost against size: each row says its law, and whether what was measured keeps to it.

The cost is CPU time, of the hub and of the database beside it, of the best of several rounds: other programs of the machine
disturb it least. The slope is that of a line through the costs on two logarithmic scales.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Iterator, Sequence

from benchmarks.growth import arrays, clients, coming_back, commits, tables
from benchmarks.growth.laws import Group
from benchmarks.growth.picture import duration, picture
from benchmarks.growth.places import mongo_place, sqlite_place
from benchmarks.results import Result, Setting

_TABLES = (100, 1_000, 10_000, 100_000, 1_000_000)
_FULL = 10_000_000
_COMMITS = (100, 1_000, 10_000, 100_000, 1_000_000)
_MISSED = (10, 100, 1_000, 3_000)
_ARRAYS = (1_000, 10_000, 100_000, 1_000_000, 10_000_000)
_CONNECTIONS = (10, 30, 100, 300, 1_000, 3_000)
_SUBSCRIPTIONS = (10, 100, 1_000, 10_000)
_QUICK = 1_000
_QUICK_TABLE = 10_000
_QUICK_ARRAY = 100_000


async def run(setting: Setting) -> Result:
    """Measure everything, one after the other."""
    found = []
    async for group in measured(setting):
        found.append(group)
        for series in group.series:
            print(f"{series.name}, {series.store}: slope {series.slope:.2f}, {series.law.title}", flush=True)
    groups = merged(found)
    rows = tuple(series.row() for group in groups for series in group.series)
    return Result("growth", rows, None, tables_of(groups), {group.name: picture(group) for group in groups})


def tables_of(groups: Iterable[Group]) -> str:
    """Lay the groups out for a page: a picture and a table each."""
    return "\n\n".join("\n".join(_laid_out(group)) for group in groups)


def _laid_out(group: Group) -> Iterator[str]:
    title = f"{group.name.capitalize()}: cost against {group.size}, both on logarithmic scales"
    yield f"![{title}](images/growth-{group.name}.svg)\n"
    yield f"| CPU, {group.size} | store | fewest | cost | most | cost | slope | law | up to | holds |"
    yield "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |"
    for each in group.series:
        first, last = each.points[0], each.points[-1]
        ends = [f"{point.size:,} | {duration(point.cost)}" for point in (first, last)]
        holds = "yes" if each.holds else "**no**"
        cells = each.name, each.store, *ends, f"{each.slope:.2f}", each.law.title, f"{each.law.steepest:g}", holds
        yield f"| {' | '.join(cells)} |"


async def measured(setting: Setting) -> AsyncIterator[Group]:
    """Give each group as soon as it is measured, those of the stores apart."""
    for store in (sqlite_place, lambda: mongo_place(setting)):
        async with store() as place:
            for group in await commits.measure(place, setting, _sizes(setting, _COMMITS)):
                yield group
        async with store() as place:
            yield await arrays.measure(place, setting, _sizes(setting, _ARRAYS, _QUICK_ARRAY))
        async with store() as place:
            for group in await tables.measure(place, setting, _tables(setting)):
                yield group
    yield await coming_back.measure(setting, _sizes(setting, _MISSED))
    yield await clients.connections(setting, _sizes(setting, _CONNECTIONS))
    yield await clients.subscriptions(setting, _sizes(setting, _SUBSCRIPTIONS))
    yield await clients.subscribers(setting, _sizes(setting, _CONNECTIONS))


def _tables(setting: Setting) -> Sequence[int]:
    return _sizes(setting, (*_TABLES, _FULL) if setting.full else _TABLES, _QUICK_TABLE)


def _sizes(setting: Setting, sizes: Sequence[int], quick: int = _QUICK) -> Sequence[int]:
    return [size for size in sizes if size <= quick] if setting.quick else sizes


def merged(groups: Iterable[Group]) -> list[Group]:
    """Put series of one name together, in the order in which the names came first."""
    found: dict[str, Group] = {}
    for group in groups:
        before = found[group.name].series if group.name in found else ()
        found[group.name] = Group(group.name, group.size, before + group.series)
    return list(found.values())
