"""``synovia encryption``: keys are made, counted and rotated; ``doctor`` names what does not open."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from helpers.http_server import APPS
from helpers.school_scene import enrolled, with_keys
from synovia.cli.commands import app as commands
from synovia.sealing.keyring import new_entry
from synovia.testing import TestApp

SCHOOL = str(APPS / "school.py")
OLD, NEW, SEARCH = new_entry("old"), new_entry("new"), new_entry("search")


def synovia(*arguments: str, keys: str | None = None) -> Result:
    return CliRunner().invoke(
        commands, arguments, env={"SYNOVIA_STORE": None, "COLUMNS": "300", "SYNOVIA_ENCRYPTION_KEYS": keys}
    )


def test_a_new_key_is_printed_as_the_setting_has_it() -> None:
    made = [synovia("encryption", "new", id_).stdout.strip() for id_ in ("2027", "search")]
    assert [each.partition(":")[0] for each in made] == ["2027", "search"]
    assert len({each.partition(":")[2] for each in made}) == 2
    refused = synovia("encryption", "new", "a b")
    assert refused.exit_code == 2
    assert "is no key" in refused.output


def test_the_store_of_development_has_keys_of_its_own(tmp_path: Path) -> None:
    school = tmp_path / "own_school.py"  # another module of this process has the name of the first
    school.write_text((APPS / "school.py").read_text(encoding="utf-8"), encoding="utf-8")
    given = json.dumps({"name": "Ann", "dateOfBirth": "2011-04-05", "number": 1})
    for path, args in (("own_school:enrol", given), ("own_school:born_on", json.dumps({"dateOfBirth": "2011-04-05"}))):
        assert "Ann" in synovia("run", str(school), path, args).output
    keys = tmp_path / ".synovia" / "dev.keys"
    assert keys.stat().st_mode & 0o077 == 0
    assert b"2011-04-05" not in (tmp_path / ".synovia" / "dev.db").read_bytes()
    elsewhere = synovia("run", str(school), "own_school:students", "--store", f"sqlite:///{tmp_path / 'other.db'}")
    assert "there are no keys" in elsewhere.output


async def filled(store: str) -> str:
    async with TestApp(SCHOOL, store, settings=with_keys(OLD, SEARCH)) as app:
        return await enrolled(app.caller())


@pytest.mark.slow
def test_keys_are_counted_and_rotated_and_a_lost_one_is_named(tmp_path: Path) -> None:
    store = f"sqlite:///{tmp_path / 'school.db'}"
    lost = asyncio.run(filled(store))
    where = (SCHOOL, "--store", store)
    missing = synovia("encryption", "keys", *where)
    assert missing.exit_code == 2
    assert "there are no keys" in missing.output
    before = json.loads(synovia("encryption", "keys", *where, "--json", keys=f"{NEW} {OLD} {SEARCH}").stdout)
    assert before["keys"] == ["new", "old"]
    assert {each["field"]: each["keys"] for each in before["fields"] if each["table"] == "students"} == {
        "date_of_birth": {"old": 1}, "number": {"old": 1}, "nickname": {}, "notes": {"old": 1},
    }  # fmt: skip
    doctor = synovia("doctor", *where, keys=f"{NEW} {OLD} {SEARCH}")
    assert "students.date_of_birth: 1 value sealed by older keys than new" in doctor.stdout
    doctor = synovia("doctor", *where, keys=f"{NEW} {SEARCH}")
    assert f"students.notes: sealed by keys that are not there: old; as in {lost}" in doctor.stdout
    assert doctor.exit_code == 1
    listed = synovia("encryption", "keys", *where, keys=f"{NEW} {SEARCH}")
    assert listed.exit_code == 1
    assert "students.notes: 1 value by old, which is not among the keys" in listed.output
    rotated = synovia("encryption", "rotate", *where, keys=f"{NEW} {OLD} {SEARCH}")
    assert rotated.exit_code == 0, rotated.output
    assert "students.date_of_birth: 1 value by new" in rotated.output
    assert synovia("encryption", "keys", *where, keys=f"{NEW} {SEARCH}").exit_code == 0
    assert "encryption: students.name" not in synovia("doctor", SCHOOL, "--store", store).output
    assert "there are no keys" in synovia("doctor", *where).output
