"""Acknowledged is there, refused is not, unknown is whole or absent, and nothing is there twice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from torture.history import Anomaly, Call, Final, History, Outcome


def check_answers(history: History) -> Iterator[Anomaly]:
    """Check that an answer never comes before the transition that shows its effects."""
    for call in history.calls:
        if call.outcome is Outcome.OK and call.shown is not None:
            missing = _missing(call, call.shown)
            if missing:
                told = f"{call.name} ({call.kind}), ts {call.ts}, begun on {call.began}, answered on {call.answered}"
                yield Anomaly("answered too early", f"{told}: {missing}")


def _missing(call: Call, shown: dict[str, Any]) -> str | None:
    if call.kind == "append" and "registers" in shown:
        for name in call.args["append"]:
            if call.args["item"] not in shown["registers"].get(name, ()):
                return f"{name} was shown without {call.args['item']}"
    if call.kind == "increment" and "counters" in shown:
        name = call.args["name"]
        value = shown["counters"].get(name, 0)
        return f"{name} was shown as {value}, after it had become {call.result}" if value < call.result else None
    return None


def check_transfers(history: History) -> Iterator[Anomaly]:
    """Check the ledger against the calls, and the balances against the ledger."""
    calls = {call.name: call for call in history.of_kind("transfer")}
    for final in history.finals:
        times = Counter(entry["ref"] for entry in final.entries)
        yield from _check_presence(calls, times)
        yield from _check_balances(history, final)


def _check_presence(calls: dict[str, Call], times: Counter[str]) -> Iterator[Anomaly]:
    for name in times.keys() - calls.keys():
        yield Anomaly("made up", f"an entry of a transfer {name} that nobody asked for")
    for name, call in calls.items():
        if times[name] > 1:
            yield Anomaly("doubled", f"the transfer {name} is there {times[name]} times")
        if call.outcome is Outcome.OK and not times[name]:
            yield Anomaly("lost", f"the transfer {name} was acknowledged and is not there")
        if call.outcome is Outcome.FAIL and times[name]:
            yield Anomaly("G1a", f"the transfer {name} was told {call.error} and is there")


def _check_balances(history: History, final: Final) -> Iterator[Anomaly]:
    if not final.accounts:
        yield Anomaly("lost", "the accounts that the round began with are not there")
        return
    each = history.total // len(final.accounts)
    expected = dict.fromkeys(final.accounts, each)
    for entry in final.entries:
        expected[entry["source"]] -= entry["amount"]
        expected[entry["target"]] += entry["amount"]
    if expected != final.accounts:
        yield Anomaly("half a write", f"by the ledger the accounts are {expected}, but they are {final.accounts}")


def check_counters(history: History) -> Iterator[Anomaly]:
    """Check that acknowledged increments <= value <= acknowledged + unknown ones, and that no two had the same result."""
    known, unknown = Counter[str](), Counter[str]()
    results: dict[tuple[str, int], str] = {}
    for call in history.of_kind("increment"):
        name = call.args["name"]
        known[name] += call.outcome is Outcome.OK
        unknown[name] += call.outcome is Outcome.UNKNOWN
        if call.outcome is Outcome.OK and (other := results.setdefault((name, call.result), call.name)) != call.name:
            yield Anomaly("lost update", f"{other} and {call.name} both made {name} {call.result}")
    for final in history.finals:
        for name in known.keys() | final.counters.keys():
            value, least, most = final.counters.get(name, 0), known[name], known[name] + unknown[name]
            if value < least:
                yield Anomaly("lost", f"{name} is {value} after {least} acknowledged increments")
            if value > most:
                yield Anomaly(
                    "doubled", f"{name} is {value} after {least} acknowledged and {most - least} unknown ones"
                )


def check_names(history: History) -> Iterator[Anomaly]:
    """Check that each name has one owner, and the one who was told so."""
    for final in history.finals:
        for kind, rows in (("handle", final.handles), ("seat", final.seats)):
            owners: dict[str, list[str]] = {}
            for row in rows:
                owners.setdefault(row["name"], []).append(row["owner"])
            yield from _check_owners(history, kind, owners)


def _check_owners(history: History, kind: str, owners: dict[str, list[str]]) -> Iterator[Anomaly]:
    for name, several in owners.items():
        if len(several) > 1:
            yield Anomaly("not unique", f"the {kind} {name} belongs to {several}")
    for call in history.of_kind(kind):
        there = call.name in owners.get(call.args["name"], ())
        if call.outcome is Outcome.OK and not there:
            yield Anomaly("lost", f"the {kind} {call.args['name']} was given to {call.name} and is not there")
        if call.outcome is Outcome.FAIL and there:
            yield Anomaly(
                "G1a", f"the {kind} {call.args['name']} was refused to {call.name} ({call.error}) and is theirs"
            )
