"""List-append: what was observed of the lists tells the order of all transactions, and so any cycle among them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import pairwise

from torture.checker.graph import Graph
from torture.history import Anomaly, Call, History, Outcome

Lists = Mapping[str, list[int]]


def check_appends(history: History) -> Iterator[Anomaly]:
    """Check that all transactions on lists could have run one after the other."""
    writers = {call.args["item"]: call for call in history.of_kind("append")}
    reads = dict(_reads(history))
    longest = _longest(reads.values())
    yield from _check_elements(longest, writers)
    yield from _check_order(reads, longest)
    yield from _check_lost(history, longest)
    graph = _graph(reads, longest, writers)
    for kind, cycle in graph.cycles():
        yield Anomaly(kind, " ".join(cycle))


def _reads(history: History) -> Iterator[tuple[str, Lists]]:
    """Give every observation of lists, under the name of the transaction that made it; equal sights count once."""
    for call in history.of_kind("append", Outcome.OK):
        yield call.name, call.result
    for call in history.of_kind("peek", Outcome.FAIL):
        if call.error == "peeked":
            yield call.name, call.data
    known: set[tuple[tuple[str, int], ...]] = set()
    for number, sight in enumerate(history.sights):
        lists: Lists = sight.values.get("registers", {})
        lengths = tuple((name, len(items)) for name, items in lists.items())
        if lengths not in known:
            known.add(lengths)
            yield f"sight{number} of client {sight.client}", lists
    for number, final in enumerate(history.finals):
        yield f"final{number}", final.registers


def _longest(reads: object) -> dict[str, list[int]]:
    longest: dict[str, list[int]] = {}
    for lists in reads:  # type: ignore[attr-defined]
        for name, items in lists.items():
            if len(items) >= len(longest.get(name, ())):
                longest[name] = items
    return longest


def _check_elements(longest: Lists, writers: Mapping[int, Call]) -> Iterator[Anomaly]:
    for name, items in longest.items():
        if len(set(items)) != len(items):
            doubled = sorted({item for item in items if items.count(item) > 1})
            yield Anomaly("doubled", f"{name} holds {doubled} more than once")
        for item in items:
            writer = writers.get(item)
            if writer is None or name not in writer.args["append"]:
                yield Anomaly("made up", f"{name} holds {item}, which nobody appended to it")
            elif writer.outcome is Outcome.FAIL:
                yield Anomaly("G1a", f"{name} holds {item} of {writer.name}, which was told {writer.error}")


def _check_order(reads: Mapping[str, Lists], longest: Lists) -> Iterator[Anomaly]:
    for reader, lists in reads.items():
        for name, items in lists.items():
            if longest[name][: len(items)] != items:
                yield Anomaly("order", f"{reader} saw {name} as {items[-5:]}, which is no beginning of what it became")


def _check_lost(history: History, longest: Lists) -> Iterator[Anomaly]:
    kept = {name: set(items) for name, items in longest.items()}
    finals = [{name: set(items) for name, items in final.registers.items()} for final in history.finals]
    for call in history.of_kind("append", Outcome.OK):
        for name in call.args["append"]:
            for state in [kept, *finals]:
                if call.args["item"] not in state.get(name, ()):
                    yield Anomaly("lost", f"{call.name} was acknowledged, but {name} has lost its {call.args['item']}")
                    break


def _graph(reads: Mapping[str, Lists], longest: Lists, writers: Mapping[int, Call]) -> Graph:
    graph = Graph()
    names = {item: call.name for item, call in writers.items()}
    for items in longest.values():
        for before, after in pairwise(items):
            graph.add(names.get(before, "?"), names.get(after, "?"), "ww")
    for reader, lists in reads.items():
        for name, items in lists.items():
            if longest[name][: len(items)] != items:
                continue
            if items:
                graph.add(names.get(items[-1], "?"), reader, "wr")
            if len(items) < len(longest[name]):
                graph.add(reader, names.get(longest[name][len(items)], "?"), "rw")
    return graph
