"""A few scheduled calls while their hub is killed; the long run is ``python -m torture.calls``."""

from __future__ import annotations

from pathlib import Path

from torture.calls import Plan, trial


async def test_calls_run_once_though_their_hub_is_killed(tmp_path: Path) -> None:
    assert await trial(Plan(100, kills=1, hubs=1), f"sqlite:///{tmp_path / 'calls.sqlite'}", tmp_path) == []
