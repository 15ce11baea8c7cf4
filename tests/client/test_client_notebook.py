"""The notebook of the examples runs as it stands, on a real hub."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from helpers.running_hub import running_hub

nbformat = pytest.importorskip("nbformat")
nbclient = pytest.importorskip("nbclient")
notebook_parts = pytest.importorskip("synovia_client.notebook", exc_type=ModuleNotFoundError)

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


@pytest.mark.slow
async def test_the_notebook_runs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    notebook = nbformat.read(EXAMPLES / "jupyter" / "reception.ipynb", as_version=4)
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path))
    async with running_hub("sqlite://:memory:", EXAMPLES / "reception" / "reception.py") as hub:
        monkeypatch.setenv("SYNOVIA_URL", f"ws://127.0.0.1:{hub.port}")
        monkeypatch.setenv("SENSOR_PAUSE", "0")
        await nbclient.NotebookClient(
            notebook, timeout=110, resources={"metadata": {"path": str(tmp_path)}}
        ).async_execute()
    frame, polars, live, plot, drawn, last = [outputs for cell in notebook.cells if (outputs := cell.get("outputs"))]
    assert "Grace Hopper" in text_of(frame, "text/html")
    assert "i64" in text_of(polars, "text/html")
    line = text_of(live, "text/html")
    assert line.index("Mary Somerville") < line.index("Ada Byron") < line.index("Grace Hopper")
    assert "application/vnd.jupyter.widget-view+json" in plot[0]["data"]
    assert "300 readings are followed" in text_of(drawn, "text/plain")
    assert "5.98" in text_of(last, "text/plain")


def text_of(outputs: list[Any], kind: str) -> str:
    return str(outputs[-1]["data"][kind])


async def test_a_plot_draws_the_newest_rows_and_gaps_for_what_is_no_number() -> None:
    plot = notebook_parts.LivePlot(x="at", y=["angle", "none"])
    rows: list[dict[str, Any]] = [{"at": 1, "angle": 2.5}, {"at": 2, "angle": None}, {"at": 3}]
    await asyncio.to_thread(plot.show, [])
    await asyncio.to_thread(plot.show, rows)
    drawn = np.empty(0)
    while len(drawn) < 9:
        await asyncio.sleep(0)
        drawn = np.frombuffer(plot.data, "<f8")
    nan = float("nan")
    assert np.array_equal(drawn, [1, 2, 3, 2.5, nan, nan, nan, nan, nan], equal_nan=True)
    plot.close()


async def test_a_field_that_no_row_has_is_named() -> None:
    plot = notebook_parts.LivePlot(x="at", y=["angel"])
    told: asyncio.Queue[str] = asyncio.Queue()
    plot.observe(lambda change: told.put_nowait(change["new"]), "trouble")
    plot.show([{"at": 1, "angle": 2.5}])
    assert await told.get() == "no row has a field 'angel'; there are 'at', 'angle'"
    plot.show([{"at": 1, "angel": 2.5}])
    assert await told.get() == ""
    plot.close()
