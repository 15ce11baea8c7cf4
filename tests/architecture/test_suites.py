"""The program that runs all suites: it fails if one fails, and leaves nothing running."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from pathlib import Path

import pytest

import suites
from helpers.waiting import until
from suites import Suite, browser_again, run_lanes, tried_again


def python(code: str) -> list[str]:
    return [sys.executable, "-S", "-c", code]


async def test_all_of_them_run_and_each_says_how_it_ended(capsys: pytest.CaptureFixture[str]) -> None:
    good = Suite("good", [python("print('first')"), python("print('second')")])
    bad = Suite("bad", [python("import sys; print('wrong'); sys.exit(3)"), python("print('never')")])
    results = await run_lanes([good], [bad, good])
    assert [(each.name, each.good) for each in results] == [("good", True), ("bad", False), ("good", True)]
    printed = capsys.readouterr().out
    assert printed.count("--- good") == printed.count("first\n") == printed.count("second\n") == 2
    head, text = printed.partition("--- bad")[2].splitlines()[:2]
    assert (head.endswith("  FAILED"), text) == (True, "wrong")
    assert "never" not in printed


async def test_they_keep_compiled_code_whatever_the_environment_says(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    await run_lanes([Suite("it", [python("import sys; print('without:', sys.dont_write_bytecode)")])])
    assert "without: False" in capsys.readouterr().out


@pytest.mark.parametrize("deaf_to", ["CONT", "INT", "INT TERM"])
@pytest.mark.slow
async def test_what_a_suite_has_started_ends_with_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, deaf_to: str
) -> None:
    monkeypatch.setattr(suites, "GRACE", 0.2)
    script = f"trap '' {deaf_to}; (sleep 1000; true) & echo $$ > pid; mv pid group; sleep 1000"
    running = asyncio.create_task(run_lanes([Suite("long", [["sh", "-c", script]], folder=str(tmp_path), seen=True)]))
    await until((tmp_path / "group").exists)
    group = int((tmp_path / "group").read_text())
    os.killpg(group, 0)  # it is there
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    await until(lambda: has_ended(group))


async def test_what_fails_beside_others_is_tried_again_alone_and_may_then_pass(tmp_path: Path) -> None:
    seen = tmp_path / "seen"
    second = Suite("second", [python(f"import pathlib; pathlib.Path({str(seen)!r}).read_text()")])
    first = Suite("first", [python(f"open({str(seen)!r}, 'w'); raise SystemExit(1)")], again=lambda: second)
    broken = Suite("broken", [python("raise SystemExit(2)")], again=lambda: second)
    results = await run_lanes([broken, first])
    assert [(each.name, each.good) for each in results] == [("broken", False), ("first", False)]
    again = await tried_again(results)
    assert [(each.name, each.good) for each in again] == [("broken", False), ("second", True)]


async def test_a_suite_that_does_not_end_is_ended(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(suites, "LIMIT", 0.2)
    results = await run_lanes([Suite("long", [["sleep", "1000"]], again=lambda: Suite("never", [["true"]]))])
    assert [(each.good, each.again) for each in results] == [(False, None)]
    assert "long: sleep 1000 has not ended within" in capsys.readouterr().out


def test_only_files_of_the_browser_in_which_a_test_has_failed_are_tried_again(tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    assert browser_again(report) is None
    report.write_text(json.dumps({"testResults": [{"name": "/a/b.test.ts", "status": "passed"}]}))
    assert browser_again(report) is None
    results = [{"name": f"/a/{name}.test.ts", "status": "failed"} for name in ("d", "c")]
    report.write_text(json.dumps({"testResults": results}))
    again = browser_again(report)
    assert again is not None
    assert again.commands == [["npx", "vitest", "run", "c.test.ts", "d.test.ts"]]


def has_ended(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return True
    return False
