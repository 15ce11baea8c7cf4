"""A job, and workflows, while their hub is killed; the long run is ``python -m torture.jobs``."""

from __future__ import annotations

from pathlib import Path

from torture.jobs import Plan, trial, workflows_trial


async def test_a_job_meets_each_document_once_though_its_hub_is_killed(tmp_path: Path) -> None:
    assert await trial(Plan(1_500, kills=3, hubs=1), f"sqlite:///{tmp_path / 'jobs.sqlite'}", tmp_path) == []


async def test_workflows_run_each_step_once_though_their_hub_is_killed(tmp_path: Path) -> None:
    assert await workflows_trial(Plan(20, kills=3, hubs=1), f"sqlite:///{tmp_path / 'flows.sqlite'}", tmp_path) == []
