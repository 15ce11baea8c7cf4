"""Whatever a function has begun beside itself ends the server as little as the function does."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from cli.command_line import server
from helpers.patience import PATIENCE
from helpers.written_applications import write_application
from synovia_client import Client, FunctionError

SOURCE = """
import asyncio, sys

async def exit() -> None:
    sys.exit(3)

async def interrupt() -> None:
    raise KeyboardInterrupt

ENDINGS = {"exits": exit, "is interrupted": interrupt}

@action(public=True)
async def act(ctx: ActionContext, how: str, way: str) -> str:
    match way:
        case "awaited":
            await asyncio.create_task(ENDINGS[how]())
        case "group":
            async with asyncio.TaskGroup() as group:
                group.create_task(ENDINGS[how]())
        case "forgotten":
            ended = asyncio.Event()
            asyncio.create_task(ENDINGS[how]()).add_done_callback(lambda task: ended.set())
            await ended.wait()
        case "callback":
            called = asyncio.Event()
            asyncio.get_running_loop().call_soon(ENDINGS[how]().send, None)
            asyncio.get_running_loop().call_soon(called.set)
            await called.wait()
    return way
"""


@pytest.mark.parametrize(
    ("how", "told", "ending"),
    [
        ("exits", r"called sys.exit\(3\)", "SystemExit"),
        ("is interrupted", "raised KeyboardInterrupt, which is no error", "KeyboardInterrupt"),
    ],
)
async def test_a_task_of_a_function_does_not_end_the_server(tmp_path: Path, how: str, told: str, ending: str) -> None:
    path = write_application(tmp_path, SOURCE)
    with server("dev", str(path), "--port", "0", "--no-reload", "--store", f"sqlite:///{tmp_path}/x.db") as process:
        async with asyncio.timeout(PATIENCE), Client(process.url()) as client:
            for way in ("awaited", "group"):
                with pytest.raises(FunctionError, match=told):
                    await client.action(f"{path.stem}:act", {"how": how, "way": way})
            for way in ("forgotten", "callback"):
                assert await client.action(f"{path.stem}:act", {"how": how, "way": way}) == way
        process.terminate()
        assert process.ended().count(f"ended by {ending}; the server goes on") == 4
