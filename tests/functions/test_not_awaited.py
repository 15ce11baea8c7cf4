"""A function that does not await what it begins fails, and is told where; whatever is awaited in some way is fine."""

from __future__ import annotations

import asyncio
import logging
import sys
from pathlib import Path
from typing import Any

import pytest

from helpers.http_server import serving
from helpers.written_applications import HEAD, write_application
from synovia import FunctionError
from synovia.engine.engine import Engine
from synovia.functions.registry import load_application
from synovia.store import open_store
from synovia.testing import TestApp

COMMON = """
import asyncio, contextlib
from datetime import timedelta
import numpy as np

class Thing(Table, name="things", indexes=[Index("by_name", "name", unique=True)]):
    name: str

class Kept(Table):
    samples: Float64Array

kept = []
after = asyncio.Event()

@roles({"admin": {"all"}})
async def roles_of(ctx: QueryContext) -> str | None:
    return None

@query(public=True)
async def names(ctx: QueryContext) -> list[str]:
    return [thing.name for thing in await ctx.db.query(Thing).collect()]

@mutation(public=True)
async def add(ctx: MutationContext, name: str) -> None:
    await ctx.db.insert(Thing(name=name))

@action(public=True)
async def wait(ctx: ActionContext) -> None:
    await after.wait()

"""
CONTEXTS = {"query": "QueryContext", "mutation": "MutationContext", "action": "ActionContext"}


def source_of(kind: str, body: str) -> str:
    lines = "".join(f"    {line}\n" for line in body.split("\n"))
    return f"{COMMON}@{kind}(public=True)\nasync def f(ctx: {CONTEXTS[kind]}) -> object:\n{lines}"


def application(folder: Path, kind: str, body: str) -> Path:
    return write_application(folder, source_of(kind, body))


async def call(app: TestApp, kind: str) -> Any:
    module = app.registry.name
    return await getattr(app.caller("ada@example.org"), kind)(f"{module}:f")


async def fault_of(folder: Path, kind: str, body: str) -> str:
    """Call the function; give the text of its failure without what comes before the exception, and that of nothing else."""
    async with TestApp(application(folder, kind, body)) as app:
        await app.caller().mutation(f"{app.registry.name}:add", {"name": "first"})
        with pytest.raises(FunctionError) as caught:
            await call(app, kind)
        assert await app.caller().query(f"{app.registry.name}:names") == ["first"]
    assert caught.value.code == "server_error"
    return caught.value.message.partition(":f: ")[2]


THING = "thing = await ctx.db.query(Thing).first()\n"
REF = "ref = await ctx.arrays.write(np.zeros(3))\n"


@pytest.mark.parametrize(
    ("kind", "before", "line", "name"),
    [
        ("mutation", "", "ctx.db.insert(Thing(name='lost'))", "ctx.db.insert"),
        ("mutation", THING, "ctx.db.patch(thing, name='lost')", "ctx.db.patch"),
        ("mutation", THING, "ctx.db.replace(thing)", "ctx.db.replace"),
        ("mutation", THING, "ctx.db.delete(thing)", "ctx.db.delete"),
        ("mutation", "", "ctx.audit('a')", "ctx.audit"),
        ("mutation", "", "ctx.impersonate(ctx.identity, reason='x')", "ctx.impersonate"),
        ("mutation", "", "ctx.scheduler.run_after(timedelta(), 'x:f')", "ctx.scheduler.run_after"),
        ("mutation", "", "ctx.scheduler.run_at(5, 'x:f')", "ctx.scheduler.run_at"),
        ("mutation", "", "ctx.scheduler.cancel('x')", "ctx.scheduler.cancel"),
        ("mutation", "", "ctx.arrays.write(np.zeros(3))", "ctx.arrays.write"),
        ("mutation", REF, "ctx.arrays.read(ref)", "ctx.arrays.read"),
        ("mutation", "", "ctx.db.get(Thing, Id('x'))", "ctx.db.get"),
        ("query", "", "ctx.db.get(Thing, Id('x'))", "ctx.db.get"),
        ("query", "", "ctx.db.query(Thing).take(3)", "ctx.db.query(...).take"),
        ("query", "", "ctx.db.query(Thing).collect()", "ctx.db.query(...).collect"),
        ("query", "", "ctx.db.query(Thing).first()", "ctx.db.query(...).first"),
        ("query", "", "ctx.db.query(Thing).unique()", "ctx.db.query(...).unique"),
        ("query", "", "ctx.db.query(Thing).count()", "ctx.db.query(...).count"),
        ("query", "", "ctx.db.query(Thing).paginate(None, 3)", "ctx.db.query(...).paginate"),
        ("query", "", "require_role(ctx, 'admin')", "require_role"),
        ("query", "", "require_capability(ctx, 'all')", "require_capability"),
        ("query", "", "ctx.roles()", "ctx.roles"),
        ("query", "", "ctx.capabilities()", "ctx.capabilities"),
        ("action", "", "ctx.run_query('x:names')", "ctx.run_query"),
        ("action", "", "ctx.run_mutation('x:add', {'name': 'lost'})", "ctx.run_mutation"),
        ("action", "", "ctx.scheduler.run_after(timedelta(), 'x:f')", "ctx.scheduler.run_after"),
        ("action", "", "ctx.mail.send('ada@example.org', 's', 't')", "ctx.mail.send"),
        ("action", "", "ctx.arrays.write(np.zeros(3))", "ctx.arrays.write"),
        ("action", "", "require_role(ctx, 'admin')", "require_role"),
    ],
)
async def test_what_is_not_awaited_fails_the_call_and_is_told_with_its_place(
    tmp_path: Path, kind: str, before: str, line: str, name: str
) -> None:
    body = before + line
    text = await fault_of(tmp_path, kind, body)
    number = HEAD.count("\n") + source_of(kind, body)[: source_of(kind, body).rindex(line)].count("\n") + 1
    assert text.startswith(f"NotAwaited: not awaited: {name} at ")
    assert text.endswith(f".py:{number}")


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("mutation", "thing = ctx.db.insert(Thing(name='lost'))\nreturn None"),
        ("mutation", "return ctx.db.insert(Thing(name='lost'))"),
        ("mutation", "kept.append(ctx.db.insert(Thing(name='lost')))"),
        ("mutation", "asyncio.create_task(ctx.db.insert(Thing(name='lost')))"),
        ("mutation", "asyncio.gather(ctx.db.insert(Thing(name='lost')))"),
        ("mutation", "[ctx.db.insert(Thing(name=name)) for name in 'abc']"),
        ("mutation", "await asyncio.sleep(0)\nasync def save():\n    ctx.db.insert(Thing(name='lost'))\nawait save()"),
        ("mutation", "with contextlib.suppress(Exception):\n    ctx.db.insert(Thing(name='lost'))"),
        ("query", "return ctx.db.query(Thing).first()"),
        ("action", "return ctx.run_query('x:names')"),
    ],
)
async def test_ways_not_to_await(tmp_path: Path, kind: str, body: str) -> None:
    assert (await fault_of(tmp_path, kind, body)).startswith("NotAwaited: not awaited: ctx.")


HELPER = "async def helper(ctx, *rest):\n    await require_role(ctx, 'admin')\n"


@pytest.mark.parametrize(
    ("kind", "call"),
    [
        ("mutation", "helper(ctx)"),
        ("query", "helper(ctx)"),
        ("action", "helper(ctx)"),
        ("mutation", "unused = helper(ctx, 5)"),
        ("mutation", "helper(ctx.db)"),
        ("mutation", "[helper(ctx), helper(ctx)]"),
        ("mutation", "await asyncio.sleep(0)\nhelper(ctx)\nawait ctx.db.insert(Thing(name='second'))"),
        ("query", "try:\n    helper(ctx)\nfinally:\n    await asyncio.sleep(0)"),
    ],
)
async def test_a_helper_that_is_handed_ctx_is_awaited_too(tmp_path: Path, kind: str, call: str) -> None:
    body = HELPER + call
    text = await fault_of(tmp_path, kind, body)
    number = HEAD.count("\n") + source_of(kind, body).split("async def helper")[0].count("\n") + 1
    assert text.startswith("NotAwaited: not awaited: helper, which is at ")
    assert text.endswith(f".py:{number}")


async def test_of_other_coroutines_python_tells(tmp_path: Path) -> None:
    async with TestApp(application(tmp_path, "query", HELPER + "helper(5)\nreturn 1")) as app:
        with pytest.warns(RuntimeWarning, match=r"helper' was never awaited"):
            assert await call(app, "query") == 1


async def test_a_run_is_not_to_blame_for_what_another_one_has_dropped(tmp_path: Path) -> None:
    drop = "if kept:\n    kept.clear()\n    return 'dropped'\n"
    async with TestApp(
        application(tmp_path, "query", HELPER + drop + "kept.append(helper(ctx))\nreturn 'kept'")
    ) as app:
        assert await call(app, "query") == "kept"
        with pytest.warns(RuntimeWarning, match=r"helper' was never awaited"):
            assert await call(app, "query") == "dropped"


async def test_an_error_says_which_helper_was_not_awaited_before_it(tmp_path: Path) -> None:
    async with TestApp(application(tmp_path, "query", HELPER + "helper(ctx)\nreturn [][0]")) as app:
        with pytest.raises(FunctionError, match=r"out of range; not awaited: helper, which is at "):
            await call(app, "query")


async def test_all_of_them_are_told(tmp_path: Path) -> None:
    text = await fault_of(tmp_path, "mutation", "ctx.db.insert(Thing(name='a'))\nctx.audit('b')")
    assert "ctx.db.insert at " in text
    assert ", ctx.audit at " in text


SAVE = "async def save(name):\n    return await ctx.db.insert(Thing(name=name))\n"


@pytest.mark.parametrize(
    ("kind", "body", "left"),
    [
        ("mutation", "await asyncio.gather(*[ctx.db.insert(Thing(name=n)) for n in 'abc'])", "abc"),
        ("mutation", "await asyncio.create_task(ctx.db.insert(Thing(name='a')))", "a"),
        ("mutation", "task = asyncio.ensure_future(ctx.db.insert(Thing(name='a')))\nawait task", "a"),
        ("mutation", "async with asyncio.TaskGroup() as g:\n    g.create_task(ctx.db.insert(Thing(name='a')))", "a"),
        ("mutation", "async with asyncio.timeout(5):\n    await ctx.db.insert(Thing(name='a'))", "a"),
        ("mutation", "await asyncio.wait_for(ctx.db.insert(Thing(name='a')), 5)", "a"),
        ("mutation", "await asyncio.shield(ctx.db.insert(Thing(name='a')))", "a"),
        ("mutation", "for done in asyncio.as_completed([ctx.db.insert(Thing(name='a'))]):\n    await done", "a"),
        ("mutation", "calls = [ctx.db.insert(Thing(name=n)) for n in 'ab']\nfor each in calls:\n    await each", "ab"),
        ("mutation", SAVE + "await asyncio.gather(save('a'), save('b'))", "ab"),
        ("mutation", "ctx.db.insert(Thing(name='a')).close()", ""),
        ("mutation", "lost = asyncio.create_task(ctx.db.insert(Thing(name='a')))\nlost.cancel()\n"
         "with contextlib.suppress(asyncio.CancelledError):\n    await lost", ""),
        ("query", "every = ctx.db.query(Thing)\nnext_ = every.order('desc')\nreturn await next_.count()", ""),
        ("query", "await asyncio.gather(*[ctx.db.get(Thing, Id('x')) for _ in range(1_000)])", ""),
        ("action", "await asyncio.gather(*[ctx.run_mutation(__name__ + ':add', {'name': n}) for n in 'ab'])", "ab"),
    ],
)  # fmt: skip
async def test_whatever_is_awaited_in_some_way_is_fine(tmp_path: Path, kind: str, body: str, left: str) -> None:
    async with TestApp(application(tmp_path, kind, body)) as app:
        await call(app, kind)
        assert "".join(await app.caller().query(f"{app.registry.name}:names")) == left


async def test_an_action_may_leave_a_task_behind(tmp_path: Path) -> None:
    body = (
        "kept.append(asyncio.create_task(ctx.run_mutation(__name__ + ':add', {'name': 'later'})))\n"
        "kept.append(asyncio.create_task(asyncio.wait_for(ctx.mail.send('ada@example.org', 's', 't'), 5)))"
    )
    async with TestApp(application(tmp_path, "action", body)) as app:
        await call(app, "action")
        await asyncio.gather(*module_of(app).kept)
        assert await app.caller().query(f"{app.registry.name}:names") == ["later"]
        assert [mail["To"] for mail in app.mails] == ["ada@example.org"]


async def test_what_a_task_writes_after_its_mutation_has_ended_is_refused_there(tmp_path: Path) -> None:
    body = (
        "async def late():\n    await after.wait()\n    await ctx.db.insert(Thing(name='lost'))\n"
        "kept.append(asyncio.create_task(late()))"
    )
    async with TestApp(application(tmp_path, "mutation", body)) as app:
        await call(app, "mutation")
        module_of(app).after.set()
        (failed,) = await asyncio.gather(*module_of(app).kept, return_exceptions=True)
        assert "ctx.db.insert at " in str(failed)
        assert "comes after its mutation has ended" in str(failed)


async def test_an_error_says_what_was_not_awaited_before_it(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    body = "thing = ctx.db.query(Thing).first()\ntry:\n    return thing.name\nfinally:\n    kept.append(thing)"
    path = application(tmp_path, "query", body)
    async with TestApp(path) as app:
        with pytest.raises(
            FunctionError, match=r"no attribute 'name'; not awaited: ctx\.db\.query\(\.\.\.\)\.first at"
        ):
            await call(app, "query")
        module_of(app).kept[0].close()
    assert "not awaited: ctx.db.query(...).first at" in caplog.text


async def test_a_client_in_production_is_not_told_where(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = application(tmp_path, "mutation", "ctx.db.insert(Thing(name='lost'))")
    async with serving(path, debug=False) as served:
        with caplog.at_level(logging.ERROR, "synovia"):
            answer = await served.call("mutation", f"{path.stem}:f")
        assert (answer.status, answer.code) == (500, "server_error")
        assert "insert" not in answer.json["error"]["message"]
        assert "not awaited: ctx.db.insert at " in caplog.text
        assert (await served.call("query", f"{path.stem}:names")).json == {"result": []}


async def test_a_run_keeps_no_note_of_what_is_over(tmp_path: Path) -> None:
    body = (
        "from synovia.functions import awaiting\nmost = 0\nfor n in range(1_000):\n    await ctx.db.get(Thing, Id('x'))\n"
        "    most = max(most, len(awaiting._current.get()._notes))\nreturn most"
    )
    async with TestApp(application(tmp_path, "query", body)) as app:
        assert await call(app, "query") <= 65


async def test_functions_called_by_others_are_judged_by_themselves(tmp_path: Path) -> None:
    bad = "\n@mutation(public=True)\nasync def bad(ctx: MutationContext) -> None:\n    ctx.db.insert(Thing(name='x'))\n"
    body = "try:\n    await ctx.run_mutation(__name__ + ':bad')\nexcept FunctionError as error:\n    return error.code"
    store = open_store("sqlite://:memory:")
    registry = load_application(write_application(tmp_path, source_of("action", body) + bad))
    await store.open(list(registry.tables))
    engine = Engine(store, registry)
    await engine.start()
    try:
        outcome = await engine.run_action(f"{registry.name}:f", {}, None)
        assert outcome.value() == "server_error"
    finally:
        await engine.stop()
        await store.close()


def module_of(app: TestApp) -> Any:
    return sys.modules[app.registry.name]
