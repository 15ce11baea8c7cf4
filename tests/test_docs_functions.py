"""The applications in docs/functions.md, scheduling.md and http.md start and do what the pages say."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

from synovia.functions.function import Kind
from synovia.testing import TestApp

DOCS = Path(__file__).resolve().parents[1] / "docs"

BEFORE = {
    "functions": """
from synovia import MutationContext, NotFound, gt, mutation

class Editor(Table, indexes=[Index("by_seen", "seen_at")]):
    seen_at: int
""",
    "scheduling": """
from synovia import QueryContext, Table, query, roles

class Invite(Table):
    email: str

@query(internal=True)
async def get(ctx: QueryContext, invite_id: Id[Invite]) -> Invite | None:
    return await ctx.db.get(Invite, invite_id)

@mutation(internal=True)
async def expire(ctx: MutationContext, invite_id: Id[Invite]) -> None:
    invite = await ctx.db.get(Invite, invite_id)
    assert invite is not None
    await ctx.db.delete(invite)

@roles({"admin": set()})
async def roles_of(ctx: QueryContext) -> str | None:
    return "admin"
""",
}


def blocks(page: str) -> list[str]:
    return re.findall(r"```python\n(.*?)```", (DOCS / f"{page}.md").read_text(encoding="utf-8"), re.DOTALL)


def application(folder: Path, page: str, module: str) -> TestApp:
    """Make an application of the blocks of a page but the last one, which is a test."""
    first, *others = blocks(page)[:-1]
    imports, declared = re.findall(r"(?s)((?:from .*?\n)+)(.*)", first)[0]
    (folder / f"{module}.py").write_text("\n".join([imports, BEFORE[page], declared, *others]), encoding="utf-8")
    return TestApp(folder)


async def test_the_functions_of_the_guide(tmp_path: Path) -> None:
    async with application(tmp_path, "functions", "recordings") as app:
        alice = app.caller("alice@example.org")
        assert await alice.query("recordings:since", {"ownerId": "6b01620980d56889fbde213a", "start": 0}) == []
        assert await alice.query("recordings:active") == []
        assert app.registry.functions["recordings:rename"].kind is Kind.MUTATION


async def test_an_invite_is_mailed_and_expires(tmp_path: Path) -> None:
    async with application(tmp_path, "scheduling", "invites") as app:
        alice = app.caller("alice@example.org")
        await alice.mutation("invites:invite", {"email": "anna@example.org"})
        await app.advance()
        assert app.mails[0]["To"] == "anna@example.org"
        app.clock.advance(timedelta(days=7, hours=-1).total_seconds())  # without a hub: a cron runs every five minutes
        await app.advance(timedelta(hours=1))
        assert await alice.query("invites:failed_calls") == []
        assert {path for path, each in app.registry.functions.items() if each.cron} == {
            "invites:purge", "invites:tidy", "invites:remind",
        }  # fmt: skip


def test_the_tests_of_the_guides_compile() -> None:
    for page in ("functions", "scheduling", "http"):
        compile(blocks(page)[-1], f"{page}.md", "exec")
