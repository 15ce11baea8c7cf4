"""What is computed beside the hub runs in a gentle process of its own, which ends with whoever waits for it."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from pathlib import Path

import pytest
from anyio import BrokenWorkerProcess

from synovia import to_process
from synovia.processes import NICENESS

pytestmark = pytest.mark.slow


def told(first: int, *, second: int) -> tuple[int, int, int, int]:
    return first + second, os.getpid(), os.getpriority(os.PRIO_PROCESS, 0), os.getsid(0)


def refused() -> None:
    raise ValueError("not this one")


def never(note: Path) -> None:
    note.with_suffix(".new").write_text(str(os.getpid()))
    note.with_suffix(".new").rename(note)
    time.sleep(3_600)


def held(note: Path) -> None:
    with note.open("wb", buffering=0) as file:
        file.write(b"x")
        while True:
            sum(range(100_000))


def killed() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


async def test_it_computes_elsewhere_and_gently() -> None:
    total, pid, niceness, session = await to_process(told, 1, second=2)
    assert total == 3
    assert pid != os.getpid()
    assert niceness >= NICENESS
    assert session == pid, "Linux shares the cores out among sessions"
    assert (await to_process(told, 1, second=2))[1] == pid, "it is kept"
    with pytest.raises(ValueError, match="not this one"):
        await to_process(refused)
    with pytest.raises(BrokenWorkerProcess):
        await to_process(killed)
    assert (await to_process(told, 1, second=2))[0] == 3


async def test_a_process_ends_with_whoever_waits_for_it(tmp_path: Path) -> None:
    note = tmp_path / "pid"
    waiting = asyncio.create_task(to_process(never, note))
    while not note.exists():  # noqa: ASYNC110 (another process tells nobody)
        await asyncio.sleep(0.01)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    with pytest.raises(ProcessLookupError):
        os.kill(int(note.read_text()), 0)


async def test_a_process_ends_with_a_hub_that_is_killed(tmp_path: Path) -> None:
    note, computing = (
        tmp_path / "held",
        "import asyncio, sys; from pathlib import Path; from app import test_processes as t;",
    )
    run = "asyncio.run(t.to_process(t.held, Path(sys.argv[1])))"
    os.mkfifo(note)
    hub = await asyncio.create_subprocess_exec(
        sys.executable, "-c", computing + run, str(note), env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}
    )  # fmt: skip
    with await asyncio.to_thread(note.open, "rb") as held:
        assert held.read(1) == b"x"
        hub.kill()
        await hub.wait()
        assert await asyncio.to_thread(held.read) == b"", "nobody holds it any more"
