"""``synovia aggregates`` compares sums with the documents, and makes them anew."""

from __future__ import annotations

import asyncio
from pathlib import Path

from typer.testing import CliRunner

from helpers.http_server import APPS
from synovia.cli.commands import app as commands
from synovia.functions.aggregate_trees import NODES
from synovia.keys import BY_ID, prefix
from synovia.store.base import Batch, Write
from synovia.testing import TestApp

SCORES = str(APPS / "scores.py")


async def spoilt(store: str) -> None:
    """Write ten results, and have the database keep that there are a hundred more."""
    async with TestApp(SCORES, store) as app:
        steps = [{"verb": "insert", "points": float(number)} for number in range(10)]
        await app.trusted.mutation("scores:take_steps", {"steps": steps})
        await app.server.aggregates.catch_up()
        ts, _ = await app.store.newest()
        nodes = await app.store.snapshot(ts).scan(NODES.name, BY_ID, prefix([]))
        [node] = [each for each in nodes if each["_id"].startswith("results.")]
        wrong = {**node, "totals": [[*node["totals"][0][:3], 1, 0, 0], node["totals"][1]]}
        await app.store.commit(Batch([Write(NODES.name, node["_id"], node, wrong)]))


def test_wrong_sums_are_told_and_made_anew(tmp_path: Path) -> None:
    store = f"sqlite:///{tmp_path / 'data.db'}"
    asyncio.run(spoilt(store))
    told = [
        CliRunner().invoke(commands, ["aggregates", SCORES, "--store", store, *more], env={"COLUMNS": "300"})
        for more in ([], ["--rebuild"], [])
    ]
    assert [each.exit_code for each in told] == [1, 0, 0], [each.output for each in told]
    assert "results.by_points: sums of 10 documents: 1 of 1 node wrong" in told[0].output
    assert "results.by_points: sums of 10 documents: right" in told[1].output
