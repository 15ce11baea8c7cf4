"""What has to hold in every instant that any client is shown, and from each instant to the next."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from torture.history import Anomaly, Final, History, Sight

Values = Mapping[str, Any]


def check_sights(history: History) -> Iterator[Anomaly]:
    """Check every transition of every client."""
    latest: dict[int, Sight] = {}
    for sight in history.sights:
        where = f"client {sight.client}, connection {sight.life}, ts {sight.ts}"
        for anomaly in _instant(sight.values, history.total):
            yield Anomaly(anomaly.kind, f"{where}: {anomaly.text}")
        before = latest.get(sight.client)
        if before is not None:
            yield from _order(before, sight, where)
        latest[sight.client] = sight


def _instant(values: Values, total: int) -> Iterator[Anomaly]:
    accounts, first, second = values.get("accounts"), values.get("side 0"), values.get("side 1")
    if accounts is not None and sum(accounts.values()) != total:
        yield Anomaly("sum", f"the accounts make {sum(accounts.values())}, not {total}")
    if accounts is not None and any(balance < 0 for balance in accounts.values()):
        yield Anomaly("overdrawn", f"{accounts}")
    if first is not None and second is not None:
        both = {**first, **second}
        if sum(both.values()) != total:
            yield Anomaly("torn", f"two queries of the accounts make {sum(both.values())}, not {total}")
        elif accounts is not None and both != accounts:
            yield Anomaly("torn", "two queries of the accounts and one of all are of different instants")
    for post, count in values.get("guards", {}).items():
        if count < 1:
            yield Anomaly("write skew", f"nobody is on duty at {post}")


def _order(before: Sight, after: Sight, where: str) -> Iterator[Anomaly]:
    if after.ts < before.ts:
        yield Anomaly("back in time", f"{where} comes after ts {before.ts} of connection {before.life}")
    for query in ("counters", "registers"):
        old, new = before.values.get(query, {}), after.values.get(query, {})
        for name, value in old.items():
            if query in after.values and _size(new.get(name, 0)) < _size(value):
                yield Anomaly("back in time", f"{where}: {query} {name} has shrunk")


def _size(value: Any) -> int:
    return len(value) if isinstance(value, list) else int(value)


def check_finals(history: History) -> Iterator[Anomaly]:
    """Check the last state, and that every hub tells the same."""
    for number, final in enumerate(history.finals):
        for anomaly in _instant(_as_values(final), history.total):
            yield Anomaly(anomaly.kind, f"in the end, hub {number}: {anomaly.text}")
        if final != history.finals[0]:
            yield Anomaly("hubs differ", f"hub {number} tells another final state than hub 0")


def _as_values(final: Final) -> Values:
    first, second = final.sides
    return {"accounts": final.accounts, "side 0": first, "side 1": second, "guards": final.on_duty}
