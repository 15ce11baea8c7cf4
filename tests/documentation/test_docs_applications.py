"""The applications and tests on the pages run, and do what the pages say."""

from __future__ import annotations

import importlib
import re
from pathlib import Path

from pydantic.alias_generators import to_camel

from helpers.documentation_pages import page
from helpers.documentation_programs import program_of, source, write_chat, write_program
from helpers.motion_people import motion
from helpers.running_hub import running_hub
from motion.schema import Recording
from synovia import Identity, MutationContext, http
from synovia.functions.function import Kind
from synovia.keys import BY_ID, prefix
from synovia.testing import TestApp


def source_of(name: str) -> str:
    return page(name).path.read_text(encoding="utf-8")


async def test_readme(folder: Path) -> None:
    readme = page("README.md")
    server, client = program_of(readme)
    application = folder / "chat.py"
    application.write_text(server.code, encoding="utf-8")
    async with running_hub("sqlite://:memory:", application) as clinic:
        shown: list[object] = []
        code = source(readme, [client]).replace("ws://127.0.0.1:8000", f"ws://127.0.0.1:{clinic.port}")
        code = code.replace("asyncio.run(main())", "").replace("print(", "return shown.append(")
        namespace: dict[str, object] = {"shown": shown}
        exec(compile(code, readme.name, "exec"), namespace)
        await namespace["main"]()  # type: ignore[operator]
        assert shown == [["hello"]]


async def test_functions(folder: Path) -> None:
    application = write_program(page("docs/functions.md"), folder / "recordings.py")
    async with TestApp(application, variables={"SHOP_TITLE": "Tea", "SHOP_PAYMENT_KEY": "sk-1"}) as app:
        alice = app.caller("alice@example.org")
        assert await alice.query("recordings:since", {"ownerId": "6b01620980d56889fbde213a", "start": 0}) == []
        assert await alice.query("recordings:active") == []
        assert app.registry.functions["recordings:rename"].kind is Kind.MUTATION
        assert await app.server.action("recordings:key_for_payments", trusted=True) == "sk-1"
        assert [each.path for each in app.registry.seeds] == ["recordings:rooms"]
    write_chat(folder)
    await importlib.import_module("recordings").test_what_is_sent_is_listed()


async def test_aggregates(folder: Path) -> None:
    async with TestApp(write_program(page("docs/aggregates.md"), folder / "games.py")) as app:
        games = importlib.import_module("games")

        async def fill(ctx: MutationContext) -> None:
            for week in range(3):
                await ctx.db.insert(games.Point(goal="read", at=week * 7 * 86_400_000, value=10.0 + 2 * week))
                await ctx.db.insert(games.Result(game="chess", player="ann", points=week))

        await app.engine.transact(fill)
        anybody = app.caller(None)
        found = await anybody.query("games:progress", {"goal": "read"})
        assert (found["mean"], round(found["slope per week"], 9)) == (12, 2)
        assert await anybody.query("games:by_level") == {"emerging": 3}
        assert await anybody.query("games:place_of", {"game": "chess", "points": 1}) == {"place": 2, "median": 1}


def test_what_qt_programs_of_the_guide_ask_for_is_in_the_motion_application() -> None:
    text = source_of("docs/qt.md")
    named = set(re.findall(r'"([a-z_]+:[a-z_]+)"', text))
    assert named >= {"recordings:list_mine", "recordings:update"}
    shared = {f"plans:{name}" for name in re.findall(r"async def (\w+)", source_of("docs/shared-docs.md"))}
    assert named <= motion().functions.keys() | shared
    fields = {to_camel(name) for name in Recording.model_fields}
    assert set(re.findall(r'Column\("(\w+)"', text)) <= fields


async def test_rules(folder: Path) -> None:
    guide = page("docs/rules.md")
    program = [block for block in program_of(guide) if "RoleIn" not in block.code]
    (folder / "tasks.py").write_text(source(guide, program), encoding="utf-8")
    async with TestApp(folder / "tasks.py") as app:
        tasks = importlib.import_module("tasks")
        alice, bob = app.caller("alice@example.org"), app.caller("bob@example.org")
        await alice.mutation("tasks:found", {"name": "north"})
        south = await bob.mutation("tasks:found", {"name": "south"})

        async def fill(ctx: MutationContext) -> None:
            for each in (alice, bob):
                assert each.identity is not None
                await ctx.db.insert(tasks.Note(owner=each.identity.key, text=each.identity.subject))
            await ctx.db.insert(tasks.Task(organization_id=south, slug="tea"))

        await app.engine.transact(fill)
        assert [each["text"] for each in await alice.query("tasks:notes")] == ["alice@example.org"]
        task = str((await app.store.snapshot((await app.store.newest())[0]).scan("tasks", BY_ID, prefix(())))[0]["_id"])
        assert [each["action"] for each in await bob.query("tasks:history", {"taskId": task})] == ["tasks.insert"]
        assert await alice.query("tasks:history", {"taskId": task}) == []
        assert await app.trusted.mutation("tasks:purge") is None


async def test_roles_in_one_tenant_alone(folder: Path) -> None:
    guide = page("docs/rules.md")
    text, count = re.subn(
        r"@roles\(\{\"viewer\".*?\n\n", "", source(guide, program_of(guide)), count=1, flags=re.DOTALL
    )
    assert count == 1, "the page has one table of roles after the other"
    text = text.replace('capability="manage", ', "") + (
        "from synovia import query\n"
        "@query(public=True)\nasync def seen(ctx: QueryContext) -> list[str]:\n"
        "    return [str(each.organization_id) for each in await ctx.db.query(Course).collect()]\n"
    )
    (folder / "courses.py").write_text(text, encoding="utf-8")
    async with TestApp(folder / "courses.py") as app:
        courses = importlib.import_module("courses")
        people = alice, sam, ben = [app.caller(f"{name}@example.org") for name in ("alice", "sam", "ben")]

        async def fill(ctx: MutationContext) -> list[str]:
            keys = [each.identity.key for each in people if each.identity is not None]
            north, south = [await ctx.db.insert(courses.Organization(name=name)) for name in ("north", "south")]
            await ctx.db.insert(courses.Member(auth_id=keys[0], organization_id=north, role="organizer"))
            await ctx.db.insert(courses.Staff(auth_id=keys[1], role="support"))
            for each in (north, south):
                await ctx.db.insert(courses.Course(organization_id=each))
            return [str(north), str(south)]

        north, south = (await app.engine.transact(fill)).value()
        assert await alice.query("courses:seen") == [north]
        assert await sam.query("courses:seen") == [north, south]
        assert await ben.query("courses:seen") == []


async def test_scheduling(folder: Path) -> None:
    guide = page("docs/scheduling.md")
    async with TestApp(write_program(guide, folder / "whole.py")) as app:
        assert await app.caller("alice@example.org").query("whole:failed_calls") == []
        assert {path for path, each in app.registry.functions.items() if each.cron} == {
            "whole:purge", "whole:tidy", "whole:remind",
        }  # fmt: skip
    invites, *_, test = program_of(guide)  # without the crons, which would run 2,000 times in the test's seven days
    (folder / "invites.py").write_text(source(guide, [invites, test]), encoding="utf-8")
    await importlib.import_module("invites").test_an_invite_is_mailed_and_expires()


async def test_http(folder: Path) -> None:
    file = write_program(page("docs/http.md"), folder / "recordings.py")
    async with TestApp(file, variables={"BANK_SECRET": "secret"}) as app:
        patterns = [route.pattern for route in app.registry.routes]
        assert patterns == ["/export/{recording_id}", "/tickets", "/tickets", "/webhooks/bank"]
        asked = app.caller("alice@example.org").http
        assert (await asked.post("/tickets", json={"title": "knee"})).status_code == 201
        assert (await asked.post("/tickets", json={"title": 5})).status_code == 400
        assert (await asked.get("/tickets?pageSize=5&tags=a&tags=b")).json() == ["knee"]
        assert (await asked.get("/tickets?pageSize=many")).status_code == 400


async def test_a_webhook_where_tables_have_rules(folder: Path) -> None:
    file = write_program(page("docs/http.md"), folder / "ruled.py")
    with file.open("a") as appended:
        appended.write(
            "from synovia import QueryContext, RuleContext, may_read, query\n"
            "@may_read(*(each for each in Table.__subclasses__() if each.__module__ == __name__))\n"
            "async def nobody(ctx: RuleContext) -> bool:\n    return False\n"
            "@query(internal=True)\nasync def receipts(ctx: QueryContext) -> list[str]:\n"
            "    return [each.invoice for each in await ctx.db.query(Receipt).collect()]\n"
        )
    body = b'{"invoice": "A-1", "cents": 500}'
    async with TestApp(file, variables={"BANK_SECRET": "secret"}) as app:
        for _ in range(2):
            headers = http.signed_headers("secret", "message-1", body)
            answer = await app.caller().http.post("/webhooks/bank", content=body, headers=headers)
            assert answer.status_code == 204, answer.text
        assert await app.trusted.query("ruled:receipts") == ["A-1"]


async def test_security(folder: Path) -> None:
    guide = page("docs/security.md")
    file = write_program(guide, folder / "people.py")
    with file.open("a") as appended:
        appended.write(
            "from synovia import MutationContext, mutation, query\n"
            "@query(public=True)\nasync def me(ctx: QueryContext) -> User | None:\n    return await current_user(ctx)\n"
            "@mutation(public=True)\nasync def add(ctx: MutationContext, auth_id: str, email: str) -> None:\n"
            "    await ctx.db.insert(User(auth_id=auth_id, email=email))\n"
        )
    async with TestApp(file) as app:
        nobody, alice = app.caller(), app.caller("alice@example.org")
        assert isinstance(alice.identity, Identity)
        await nobody.mutation("people:add", {"authId": "elsewhere|1", "email": "alice@example.org"})
        assert (await nobody.query("people:me"), (await alice.query("people:me"))["authId"]) == (None, "elsewhere|1")
        await nobody.mutation("people:add", {"authId": alice.identity.key, "email": "new@example.org"})
        assert (await alice.query("people:me"))["email"] == "new@example.org"
