"""``synovia-motion live`` and ``watch`` against a real hub."""

from __future__ import annotations

import asyncio
import re
import threading
from collections.abc import Iterator

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from motion.cli import commands as cli
from motion.demo.stage import stage
from motion.files import MotionFileError
from motion.gait import walk
from synovia_client import Client

ANNA = "dev:anna@example.org"


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """Run a hub on a loop of its own: the command line wants its own loop."""
    ready, stop, loop = threading.Event(), asyncio.Event(), asyncio.new_event_loop()
    urls: list[str] = []

    async def run() -> None:
        async with stage("sqlite://:memory:") as staged:
            urls.append(staged.url)
            ready.set()
            await stop.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=(run(),))
    thread.start()
    assert ready.wait(30), "the hub did not start"
    yield urls[0]
    loop.call_soon_threadsafe(stop.set)
    thread.join(30)
    loop.close()


def live(url: str, *args: str, lines: str = "") -> Result:
    return CliRunner().invoke(
        cli.app, ["live", "--url", url, "--token", ANNA, "--register", "patient", *args], input=lines
    )


def saved(output: str) -> str:
    found = re.search(r"saved ([0-9a-f]{24}):", output)
    assert found, output
    return found[1]


def knees(url: str, recording_id: str) -> list[np.ndarray[tuple[int], np.dtype[np.float64]]]:
    async def fetch() -> list[np.ndarray[tuple[int], np.dtype[np.float64]]]:
        async with (
            Client(url, token=ANNA) as client,
            client.subscribe("recordings:get", {"recordingId": recording_id}) as got,
        ):
            return [await client.array(got.value[knee]) for knee in ("leftKnee", "rightKnee")]

    return asyncio.run(fetch())


def test_lines_become_a_recording(url: str) -> None:
    numbers = np.random.default_rng(1).standard_normal((500, 2))
    lines = "# left,right\n\n" + "".join(f"{left!r},{right!r}\n" for left, right in numbers.tolist())
    result = live(url, "--notes", "from a pipe", lines=lines)
    assert result.exit_code == 0, result.output
    left, right = knees(url, saved(result.output))
    assert left.tobytes() == numbers[:, 0].tobytes()
    assert right.tobytes() == numbers[:, 1].tobytes()


def test_what_came_before_a_broken_line_is_saved(url: str) -> None:
    result = live(url, lines="1,2\n3 4\n5;6\nseven,8\n9,10\n")
    assert isinstance(result.exception, MotionFileError)
    assert str(result.exception) == "stdin:4: not two numbers: 'seven,8'"

    async def newest() -> list[dict[str, int]]:
        async with Client(url, token=ANNA) as client:
            found: list[dict[str, int]] = await client.query("recordings:list_mine", {"limit": 1})
            return found

    assert asyncio.run(newest())[0]["sampleCount"] == 3


@pytest.mark.parametrize("lines", ["", "\n# nothing\n"])
def test_nothing_is_not_saved(url: str, lines: str) -> None:
    result = live(url, lines=lines)
    assert result.exit_code != 0
    assert "nothing was saved" in str(result.exception)


def test_a_walk_is_recorded_at_its_pace_and_can_be_watched_again(url: str) -> None:
    result = live(url, "--simulate", "0.5", "--seed", "3", "--every", "0.05")
    assert result.exit_code == 0, result.output
    left, _ = knees(url, saved(result.output))
    assert left.tobytes() == walk(0.5, seed=3).left_knee.tobytes()
    session = re.search(r"watch ([0-9a-f]{24})", result.output)
    assert session, result.output
    watched = CliRunner().invoke(cli.app, ["watch", session[1], "--url", url, "--token", ANNA])
    assert watched.exit_code == 0, watched.output
    assert "51 samples" in watched.output
    assert f"saved as {saved(result.output)}" in watched.output


def test_watching_what_is_not_there(url: str) -> None:
    result = CliRunner().invoke(cli.app, ["watch", "0123456789abcdef01234567", "--url", url, "--token", ANNA])
    assert result.exit_code != 0
    assert "no such live session" in str(result.exception)
