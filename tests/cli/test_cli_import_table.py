"""``synovia import --table``: CSV and JSON lines into a declared table; bad rows are named by line, nothing is written."""

from __future__ import annotations

import asyncio
import csv
import json
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from helpers.exported_store import bodies
from helpers.written_applications import write_application
from synovia import Synovia
from synovia.cli.commands import app as commands
from synovia.cli.operations import answering, ask_hub
from synovia.config import Settings
from synovia.export.writing import Progress
from synovia.schema.specs import TableSpec
from synovia.store import open_store

APPLICATION = """
from datetime import datetime
from typing import Any, Literal

class Place(Model):
    city: str
    seen_at: datetime | None = None

class Note(Table):
    text: str
    number: int = 0
    share: float | None = None
    done: bool = False
    at: datetime | None = None
    data: bytes | None = None
    tags: list[str] = []
    place: Place | None = None
    places: list[Place] = []
    by_name: dict[str, datetime] = {}
    kind: Literal["a", "b"] = "a"
    owner: Id[Note] | None = None
    anything: Any = None
    samples: Float64Array | None = None

class Letter(Table, Timestamps):
    text: str

@mutation(public=True)
async def fill(ctx: MutationContext) -> None:
    from datetime import UTC
    at = datetime(2026, 11, 28, 1, 2, 3, 4000, tzinfo=UTC)
    first = await ctx.db.insert(Note(
        text="é, \\"quoted\\"\\nline", number=-5, share=0.1, done=True, at=at, data=b"\\0\\xff", tags=["x"],
        place=Place(city="Graz", seen_at=at), places=[Place(city="Linz")], by_name={"k": at}, kind="b",
        anything=[1, 2.5, {"a": None}],
    ))
    second = Note(id=Id[Note]("own"), text="", owner=first, share=float("inf"), anything="five")
    await ctx.db.insert(second, creation_time=1.5)
"""


def synovia(*arguments: object, **options: Any) -> Result:
    return CliRunner().invoke(commands, [*map(str, arguments)], env={"SYNOVIA_STORE": None}, **options)


@pytest.fixture
def application(tmp_path: Path) -> Path:
    return write_application(tmp_path, APPLICATION)


async def contents(store: str) -> dict[str, list[bytes]]:
    opened = open_store(store)
    await opened.open([TableSpec("notes")])
    try:
        return await bodies(opened, ["notes"])
    finally:
        await opened.close()


@pytest.mark.parametrize("ending", ["csv", "jsonl"])
async def test_what_was_exported_comes_back_as_it_was(ending: str, application: Path, tmp_path: Path) -> None:
    source, target = f"sqlite:///{tmp_path / 'a.db'}", f"sqlite:///{tmp_path / 'b.db'}"
    file = tmp_path / f"notes.{ending}"
    given = ("import", file, application, "--table", "notes", "--store", target)

    def work() -> None:
        assert synovia("run", application, f"{application.stem}:fill", "--store", source).exit_code == 0
        assert synovia("export", file, "--table", "notes", "--store", source).exit_code == 0
        dry = synovia(*given, "--dry-run")
        assert (dry.exit_code, dry.output) == (0, "notes: 2 can be imported\n")
        assert not (tmp_path / "b.db").exists()
        done = synovia(*given)
        assert (done.exit_code, done.output) == (0, "notes: 2 imported\n")
        again = json.loads(synovia(*given, "--json").output)
        assert (again["imported"], again["there"], again["changed"]) == (0, 2, 0), "twice is once"

    await asyncio.to_thread(work)
    assert await contents(target) == await contents(source)


def test_rows_of_other_programs_get_ids_and_defaults(application: Path, tmp_path: Path) -> None:
    file, store = tmp_path / "sheet", f"sqlite:///{tmp_path / 'a.db'}"
    file.write_text("\ufefftext,number,by_name\r\nhello,7,\r\n\r\nbye,,{}\r\n", encoding="utf-8")
    done = synovia("import", file, application, "--table", "notes", "--format", "csv", "--store", store)
    assert (done.exit_code, done.output) == (0, "notes: 2 imported\n"), done.output
    out = tmp_path / "out.jsonl"
    synovia("export", out, "--table", "notes", "--store", store)
    rows = [json.loads(line) for line in out.read_text().splitlines()]
    assert [(row["text"], row["number"]) for row in rows] == [("hello", 7), ("bye", 0)]
    assert all(len(row["_id"]) == 24 for row in rows)


def test_times_of_the_file_are_kept_and_missing_ones_set(application: Path, tmp_path: Path) -> None:
    file, store, out = tmp_path / "letters.csv", f"sqlite:///{tmp_path / 'a.db'}", tmp_path / "out.jsonl"
    began = int(time.time() * 1000)
    file.write_text("_id,text,createdAt,updatedAt,_creationTime\na,a,5,7,\nb,b,5,,\nc,c,,,9\nd,d,,,\n,e,,,\n")
    done = synovia("import", file, application, "--table", "letters", "--store", store)
    assert (done.exit_code, done.output) == (0, "letters: 5 imported\n"), done.output
    synovia("export", out, "--table", "letters", "--store", store)
    rows = [json.loads(line) for line in out.read_text().splitlines()]
    times = {row["text"]: (row["createdAt"], row["updatedAt"]) for row in rows}
    assert [times[text] for text in "abc"] == [(5, 7), (5, 5), (9, 9)]
    assert all(began <= made == changed <= time.time() * 1000 for made, changed in (times["d"], times["e"]))


BAD_CSV = {
    'x,"7"': "number: 'x' is no integer",
    "7.5,": "number: '7.5' is no integer",
    "99999999999999999999,": "number: ",
    ",maybe": "done: 'maybe' is neither true nor false",
    ",": "",
    "1": "it has 2 cells; 3 columns are named",
    "1,true,2": "it has 4 cells; 3 columns are named",
}


def test_bad_rows_of_csv_are_named_by_line(application: Path, tmp_path: Path) -> None:
    file, store = tmp_path / "notes.csv", tmp_path / "a.db"
    file.write_text("\n".join(["text,number,done", *(f'"a\nb",{row}' for row in BAD_CSV)]))
    done = synovia("import", file, application, "--table", "notes", "--store", f"sqlite:///{store}")
    assert (done.exit_code, store.exists()) == (1, True)
    told = done.output.removeprefix("error: ").splitlines()
    wrong = [(2 + 2 * place, said) for place, said in enumerate(BAD_CSV.values()) if said]
    for line, (number, said) in zip(told, wrong, strict=True):
        assert line.startswith(f"notes.csv:{number}: {said}"), done.output
    assert synovia("export", tmp_path / "x.csv", "--table", "notes", "--store", f"sqlite:///{store}").exit_code == 0
    assert len((tmp_path / "x.csv").read_text().splitlines()) == 1, "nothing is written"


BAD_JSON = {
    "{": "it is no JSON",
    "[]": "it is no map",
    '{"text": 5}': "text: ",
    '{"text": "a", "text": "b"}': "a map has one key twice: 'text'",
    '{"text": "a", "nothing": 1}': "nothing: the table declares no such field",
    '{"text": "a", "byName": {}, "by_name": {}}': "by_name: it is there under both of its names",
    '{"text": "a", "at": "yesterday"}': "at: 'yesterday' is no time as ISO 8601 has it",
    '{"text": "a", "at": "2026-11-28T12:00:00"}': "at: '2026-11-28T12:00:00' says no time zone",
    '{"text": "a", "data": "?"}': "data: '?' is no base64",
    '{"text": "a", "place": {"city": "x", "seenAt": "x"}}': "place.seenAt: 'x' is no time",
    '{"text": "a", "byName": {"k": "x"}}': "byName.k: 'x' is no time",
    '{"text": "a", "kind": "c"}': "kind: ",
    '{"text": "a", "owner": "no id"}': "owner: this text is no id",
    '{"text": "a", "samples": {"digest": "AAAA"}}': "samples: arrays do not travel in tables",
    '{"number": 1}': "text: ",
    '{"text": "a", "_id": "same"}': "",
    '{"text": "b", "_id": "same"}': "same is in line 16 too",
    '{"text": "a", "_creationTime": "now"}': "_creationTime: it is no time",
}


def test_bad_rows_of_json_lines_are_named_by_line(application: Path, tmp_path: Path) -> None:
    file = tmp_path / "notes.jsonl"
    file.write_text("\n".join(BAD_JSON))
    done = synovia("import", file, application, "--table", "notes", "--dry-run")
    assert done.exit_code == 1
    told = done.output.removeprefix("error: ").splitlines()
    wrong = [(number, said) for number, said in enumerate(BAD_JSON.values(), 1) if said]
    for line, (number, said) in zip(told, wrong, strict=True):
        assert line.startswith(f"notes.jsonl:{number}: {said}"), done.output


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "the first line names the columns"),
        ("a,a\n", "two columns are named 'a'"),
        ('text\n"a" b\n', "it is no CSV"),
        (b"text\n\xff\n", "it is not UTF-8"),
    ],
)
def test_what_is_no_csv(text: str | bytes, said: str, application: Path, tmp_path: Path) -> None:
    file = tmp_path / "notes.csv"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    done = synovia("import", file, application, "--table", "notes", "--dry-run")
    assert (done.exit_code, said in done.output) == (1, True), done.output


def test_wrong_usage(application: Path, tmp_path: Path) -> None:
    file = tmp_path / "notes.csv"
    file.write_text("text\na\n")
    for arguments, code, said in [
        ((file, "--table", "notes", "--dry-run"), 2, "say PATH"),
        ((file, application, "--table", "others", "--dry-run"), 1, "declares no table 'others'; it has letters, notes"),
        ((file, application, "--table", "notes", "--format", "xml", "--dry-run"), 2, "--format is one of"),
        ((file, application, "--format", "csv", "--dry-run"), 2, "say --table, too"),
        ((tmp_path / "none.csv", application, "--table", "notes", "--dry-run"), 1, "No such file"),
    ]:
        done = synovia("import", *arguments)
        assert (done.exit_code, said in done.output) == (code, True), done.output


@pytest.fixture
async def hub(application: Path, tmp_path: Path) -> AsyncIterator[Synovia]:
    """Give a hub that has a file, and does what commands ask."""
    store = f"sqlite:///{tmp_path / 'hub.db'}"
    app = Synovia(application, settings=Settings(store=store))
    async with app.lifespan(), answering(app, store):
        yield app


@pytest.mark.slow
async def test_beside_a_hub_that_has_the_file_and_says_how_far_it_is(
    hub: Synovia, application: Path, tmp_path: Path
) -> None:
    file, store = tmp_path / "many.csv", hub.settings.store or ""
    with file.open("w", newline="") as text:
        csv.writer(text).writerows([["text", "number"], *([f"note {number}", number] for number in range(5000))])
    done = await asyncio.to_thread(synovia, "import", file, application, "--table", "notes", "--store", store)
    assert (done.exit_code, done.output) == (0, "notes: 5,000 imported\n")
    seen: list[Progress] = []
    out = {"file": str(tmp_path / "all.synovia"), "kind": "export", "force": False}
    answered, manifest = await ask_hub(store, "export", out, seen.append)
    assert (answered, manifest["tables"]["notes"]["documents"]) == (True, 5000)
    assert seen
    assert all(0 < each.documents <= 5000 for each in seen)
    file.write_text("text,number\na,x\n")
    wrong = await asyncio.to_thread(synovia, "import", file, application, "--table", "notes", "--store", store)
    assert (wrong.exit_code, wrong.output) == (1, "error: many.csv:2: number: 'x' is no integer\n")
