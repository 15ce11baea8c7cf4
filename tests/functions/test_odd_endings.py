"""However a function ends, its caller is answered, and the hub goes on; of a group of errors the first is told."""

from __future__ import annotations

import asyncio
import logging
from contextvars import copy_context
from pathlib import Path
from typing import Any

import pytest

from helpers.http_server import serving
from helpers.patience import PATIENCE
from helpers.written_applications import write_application
from synovia import FunctionError
from synovia.functions.awaiting import RunCalls, _current
from synovia.testing import TestApp
from synovia_client import Client
from synovia_client import FunctionError as ToldError

SOURCE = """
import asyncio, sys

class Thing(Table, name="things"):
    name: str

async def end(ctx: Any, how: str) -> str:
    match how:
        case "cancelled":
            raise asyncio.CancelledError
        case "waits for what is cancelled":
            task = asyncio.ensure_future(asyncio.Event().wait())
            asyncio.get_running_loop().call_soon(task.cancel)
            await task
        case "waits":
            await asyncio.Event().wait()
        case "exits":
            sys.exit(3)
        case "generator exit":
            raise GeneratorExit
        case "task that raises it":
            await asyncio.create_task(leave(GeneratorExit()))
        case "tasks that raise it":
            await asyncio.gather(leave(GeneratorExit()), leave(Halt("later")))
        case "shielded task that raises it":
            await asyncio.shield(leave(GeneratorExit()))
        case "task that halts":
            await asyncio.create_task(leave(Halt("stop")))
        case "interrupt":
            raise KeyboardInterrupt
        case "no exception":
            raise Halt("stop")
        case "group of no exceptions":
            raise BaseExceptionGroup("outer", [BaseExceptionGroup("inner", [Halt("stop"), NotFound("later")])])
        case "surrogate":
            raise FunctionError("odd\\ud800", "half \\ud800", {"text": "\\ud800"})
        case "no text":
            raise FunctionError("odd", 5, {"a": {1}})
        case "group":
            async with asyncio.TaskGroup() as group:
                group.create_task(asyncio.Event().wait())
                group.create_task(refuse())
        case "group of groups":
            raise ExceptionGroup("outer", [ExceptionGroup("inner", [NotFound("it is gone"), ValueError("later")])])
        case "group of a mistake":
            raise ExceptionGroup("outer", [ValueError("a mistake"), NotFound("later")])
    return how

class Halt(BaseException):
    pass

async def leave(by: BaseException) -> None:
    await asyncio.sleep(0)
    raise by

async def refuse() -> None:
    raise NotFound("it is gone")

@query(public=True)
async def read(ctx: QueryContext, how: str) -> str:
    return await end(ctx, how)

@mutation(public=True)
async def write(ctx: MutationContext, how: str) -> str:
    await ctx.db.insert(Thing(name=how))
    return await end(ctx, how)

@action(public=True)
async def act(ctx: ActionContext, how: str) -> str:
    return await end(ctx, how)

@query(public=True)
async def count(ctx: QueryContext) -> int:
    return await ctx.db.query(Thing).count()

@query(public=True)
async def who(ctx: QueryContext) -> str | None:
    async with asyncio.TaskGroup() as group:
        found = group.create_task(name_of(ctx))
    return found.result()

async def name_of(ctx: QueryContext) -> str | None:
    return None if ctx.identity is None else ctx.identity.email
"""
ODD = (
    "cancelled",
    "exits",
    "generator exit",
    "task that raises it",
    "tasks that raise it",
    "shielded task that raises it",
    "interrupt",
    "no exception",
)
ROUTE = """
from starlette.requests import Request
from starlette.responses import Response
from synovia import http

@http.route("/odd", methods=["POST"], public=True)
async def odd(ctx: ActionContext, request: Request) -> Response:
    return Response(await end(ctx, (await request.body()).decode()))
"""
KINDS = {"query": "read", "mutation": "write", "action": "act"}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return write_application(tmp_path, "from typing import Any\n" + SOURCE)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("how", "code", "text"),
    [
        ("cancelled", "server_error", "nobody cancels the function"),
        ("waits for what is cancelled", "server_error", "nobody cancels the function"),
        ("exits", "server_error", r"called sys.exit\(3\)"),
        ("generator exit", "server_error", "raised GeneratorExit, which is no error"),
        ("task that raises it", "server_error", "raised GeneratorExit, which is no error"),
        ("tasks that raise it", "server_error", "raised GeneratorExit, which is no error"),
        ("shielded task that raises it", "server_error", "raised GeneratorExit, which is no error"),
        ("task that halts", "server_error", "raised Halt, which is no error"),
        ("interrupt", "server_error", "raised KeyboardInterrupt, which is no error"),
        ("no exception", "server_error", "raised Halt, which is no error"),
        ("group of no exceptions", "server_error", "raised Halt, which is no error"),
        ("surrogate", "odd?", r"half \?"),
        ("no text", "odd", "5"),
        ("group", "not_found", "it is gone"),
        ("group of groups", "not_found", "it is gone"),
        ("group of a mistake", "server_error", "a mistake"),
    ],
)
async def test_every_ending_is_answered(path: Path, kind: str, how: str, code: str, text: str) -> None:
    async with TestApp(path) as app:
        caller = app.caller()
        with pytest.raises(FunctionError, match=text) as told:
            await getattr(caller, kind)(f"{path.stem}:{KINDS[kind]}", {"how": how})
        assert told.value.code == code
        assert await caller.query(f"{path.stem}:count") == 0


async def test_data_that_cannot_be_told_is_not_and_the_log_says_so(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with TestApp(path) as app:
        for how, why in (("no text", ".a: set is not a wire value"), ("surrogate", ".text: a text holds half")):
            caplog.clear()
            with caplog.at_level(logging.WARNING, "synovia"), pytest.raises(FunctionError) as told:
                await app.caller().query(f"{path.stem}:read", {"how": how})
            assert told.value.data is None
            assert "cannot be told to anybody" in caplog.text
            assert why in caplog.text


async def test_a_shared_query_that_looks_at_the_caller_in_a_group_is_run_for_each(path: Path) -> None:
    async with TestApp(path) as app:
        seen = [await app.caller(each).query(f"{path.stem}:who") for each in ("ada@example.org", "ben@example.org")]
        assert seen == ["ada@example.org", "ben@example.org"]
        assert await app.caller().query(f"{path.stem}:who") is None


async def test_over_a_socket_the_connection_and_the_hub_go_on(path: Path) -> None:
    async with (
        serving(path) as served,
        Client(f"ws://127.0.0.1:{served.port}") as client,
        client.subscribe(f"{path.stem}:count") as counted,
    ):
        for how in (*ODD, "surrogate", "no text", "group"):
            for kind, name in KINDS.items():
                calling: Any = getattr(client, kind)
                with pytest.raises(ToldError):
                    await calling(f"{path.stem}:{name}", {"how": how})
        assert await client.mutation(f"{path.stem}:write", {"how": "well"}) == "well"
        async with asyncio.timeout(PATIENCE):
            async for each in counted:
                if each == 1:
                    break


@pytest.mark.parametrize("how", ODD)
async def test_over_http_there_is_the_body_of_any_other_error(tmp_path: Path, how: str) -> None:
    path = write_application(tmp_path, "from typing import Any\n" + SOURCE + ROUTE)
    async with serving(path) as served:
        for kind, name in KINDS.items():
            answer = await served.post(f"/api/{kind}", {"path": f"{path.stem}:{name}", "args": {"how": how}})
            assert (answer.status, answer.code) == (500, "server_error")
        answer = await served.ask("POST", "/odd", how.encode())
        assert (answer.status, answer.code) == (500, "server_error")
        assert (await served.ask("POST", "/odd", b"well")).body == b"well"


@pytest.mark.parametrize("how", [*ODD, "group of a mistake"])
async def test_so_there_is_if_the_roles_of_who_begins_an_upload_cannot_be_found(tmp_path: Path, how: str) -> None:
    taking = f"""
@roles({{"editor": ["files.add"]}})
async def roles_of(ctx: QueryContext) -> list[str]:
    return [await end(ctx, {how!r})]

@mutation(capability="files.add")
async def take(ctx: MutationContext, file: Upload) -> None: ...
"""
    path = write_application(tmp_path, "from typing import Any\nfrom synovia import Upload, roles\n" + SOURCE + taking)
    async with serving(path) as served:
        wanted = {"path": f"{path.stem}:take", "name": "a", "type": "text/plain", "size": 3}
        answer = await served.post("/api/uploads", wanted, token="dev:ada@example.org")
        assert (answer.status, answer.code) == (500, "server_error")


async def test_who_ends_a_function_from_outside_is_not_held_up(path: Path) -> None:
    async with TestApp(path) as app:
        waiting = asyncio.ensure_future(app.caller().action(f"{path.stem}:act", {"how": "waits"}))
        await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting


async def test_a_run_that_python_drops_ends_quietly_and_leaves_the_one_alone_amid_which_that_happens() -> None:
    async def run() -> None:
        with RunCalls(object()):
            await asyncio.Event().wait()

    dropped = run()
    copy_context().run(dropped.send, None)
    with RunCalls(object()) as other:
        dropped.close()
        assert _current.get() is other
