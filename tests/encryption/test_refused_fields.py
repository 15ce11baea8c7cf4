"""Encrypted fields that cannot work are refused when the application is loaded, and bad keys when a hub starts."""

from __future__ import annotations

import base64
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr, ValidationError

from helpers.http_server import APPS
from helpers.school_scene import with_keys
from synovia import SchemaError, Synovia, load_application
from synovia.schema.encrypted import sealed_fields
from synovia.sealing.keyring import BadKeys, Keyring, Unopened, new_entry, read_keys
from synovia.sealing.settings import EncryptionSettings

KEY = base64.b64encode(bytes(range(32))).decode()
DECLARED = {
    "a: Encrypted[Float64Array]": "an array lies beside",
    "a: Encrypted[list[File]]": "a file lies beside",
    "a: Encrypted[Id[Table]]": "an id is compared",
    "a: list[Encrypted[str]]": "only a whole field",
    "a: Inner": "only a whole field",
    "a: EncryptedSearchable[str] = 'x'": "no default but None",
}


@pytest.fixture
def written(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Path]:
    """Give a file for an application."""
    yield tmp_path / f"wrong_{abs(hash(request.node.name))}.py"
    for name in [each for each in sys.modules if each.startswith("wrong_")]:
        del sys.modules[name]


def application(field: str, indexes: str = "", base: str = "Table") -> str:
    return (
        "from synovia import *\n\nclass Inner(Model):\n    x: Encrypted[str]\n\n"
        f"class Wrong({base}, name='wrong'{indexes}):\n    name: str\n    {field}\n"
    )


@pytest.mark.parametrize("field", DECLARED)
def test_fields_that_cannot_be_encrypted_are_told_with_their_line(written: Path, field: str) -> None:
    written.write_text(application(field))
    with pytest.raises(SchemaError, match=DECLARED[field]) as refused:
        load_application(written)
    assert f"{written.name}:8: Wrong.a" in str(refused.value)


@pytest.mark.parametrize("field", ["a: Encrypted[Later]", "a: EncryptedSearchable[Later] | None = None"])
def test_a_field_that_is_known_to_be_encrypted_too_late_is_refused(written: Path, field: str) -> None:
    written.write_text(f"from __future__ import annotations\n{application(field)}\n\nLater = str\n")
    with pytest.raises(SchemaError, match="names what is declared further down: declare that above") as refused:
        load_application(written)
    assert f"{written.name}:9: Wrong.a is encrypted" in str(refused.value)


@pytest.mark.parametrize(
    "named",
    ["'Later'", pytest.param("Later", marks=pytest.mark.skipif(sys.version_info < (3, 14), reason="new there"))],
)
def test_what_is_encrypted_may_be_declared_further_down(written: Path, named: str) -> None:
    declared = application(
        f"a: Encrypted[{named}]\n    b: EncryptedSearchable[{named}]", ", indexes=[Index('by_b', 'b')]"
    )
    written.write_text(f"{declared}\nLater = str\n".replace("class Inner(Model):\n    x: Encrypted[str]\n", ""))
    table = load_application(written).models["wrong"]
    assert (set(sealed_fields(table)), table.spec.indexes[0].fields) == ({"a", "b"}, ("b.token",))
    assert repr(table(name="Ann", a="x", b="y")) == "Wrong(id='', name='Ann')"


@pytest.mark.parametrize(
    ("indexes", "told"),
    [
        (", indexes=[Index('by_a', 'a')]", "so the index 'by_a' cannot be over it"),
        (", indexes=[SearchIndex('by_text', 'a')]", "its words are not to be stored"),
        (", audit_scope='a'", "the scope of audit entries"),
    ],
)
def test_indexes_over_what_is_sealed_are_refused(written: Path, indexes: str, told: str) -> None:
    written.write_text(application("a: Encrypted[str]", indexes, "Table, Audited" if "audit" in indexes else "Table"))
    with pytest.raises(SchemaError, match=told) as refused:
        load_application(written)
    assert f"{written.name}:" in str(refused.value)


ASKED = {
    "ctx.db.query(Wrong).min('a')": "students.a is encrypted: min over it cannot be told",
    "ctx.db.query(Wrong).order('desc').group_by('name', 'a').count()": "students.a is encrypted: group_by over it",
    "ctx.db.query(Wrong).using('by_a', a=ge('2012')).collect()": "students.a is encrypted: a range over it",
    "ctx.db.query(Wrong).where((field('name') == 'x') & (field('a') < '2012')).count()": "students.a is encrypted: an order",
    "ctx.db.query(Wrong).where(field('a') == '2012').count()": "",
    "ctx.db.query(Wrong).where(field('name') < '2012').min('name')": "",
}


@pytest.mark.parametrize("asked", ASKED)
def test_what_cannot_be_asked_is_told_with_its_line_when_the_application_is_loaded(written: Path, asked: str) -> None:
    declared = application("a: EncryptedSearchable[str]", ", indexes=[Index('by_a', 'a')]").replace(
        "'wrong'", "'students'"
    )
    written.write_text(
        f"{declared}\n@query(public=True)\nasync def asks(ctx: QueryContext) -> Any:\n    return await {asked}\n".replace(
            "from synovia import *", "from synovia import *; from typing import Any"
        )
    )
    if not ASKED[asked]:
        load_application(written)
        return
    with pytest.raises(SchemaError, match=ASKED[asked]) as refused:
        load_application(written)
    assert f"{written.name}:12: " in str(refused.value)


@pytest.mark.parametrize(
    ("keys", "told"),
    [
        ("", "no key to seal with"),
        ("# nothing", "no key to seal with"),
        (KEY, "entry 1 is no key"),
        (f"a:{KEY} :{KEY}", "entry 2 is no key"),
        (f"a:{KEY[:-4]}", "has 32 bytes"),
        (f"a:{KEY}!", "base64"),
        (f"a:{KEY},a:{KEY}", "another key has the same id"),
        (f"a:{KEY}\nb:{KEY}", "under two ids"),
        (f"search:{KEY}", "no key to seal with"),
        (f"{'x' * 65}:{KEY}", "entry 1 is no key"),
        (f"{KEY}:a", "entry 1 is no key"),
    ],
)
def test_keys_that_cannot_be_used_are_refused_and_not_quoted(keys: str, told: str) -> None:
    with pytest.raises(BadKeys, match=told) as refused:
        read_keys(keys)
    assert KEY[:8] not in str(refused.value)


def test_keys_come_from_a_variable_a_file_or_a_command(tmp_path: Path) -> None:
    file = tmp_path / "keys"
    file.write_text(f"# of 2026\nnew:{KEY}\n{new_entry('old')}\n")
    command = f"{sys.executable} -c \"print(open('{file}').read())\""
    found = [
        EncryptionSettings(keys=SecretStr(f"new:{KEY} {new_entry('old')}")).keyring(),
        EncryptionSettings(keys_file=file).keyring(),
        EncryptionSettings(keys_command=command).keyring(),
    ]
    assert [each.ids for each in found if each] == [["new", "old"]] * 3
    assert EncryptionSettings().keyring() is None
    sealed = [each.seal(b"x", b"place") for each in found if each]
    assert {each.open(one, b"place") for each in found if each for one in sealed} == {b"x"}
    with pytest.raises(ValidationError, match="in one place"):
        EncryptionSettings(keys=SecretStr(f"new:{KEY}"), keys_file=file)
    for settings, told in (
        (EncryptionSettings(keys_file=tmp_path / "none"), "No such file"),
        (EncryptionSettings(keys_command="false"), "ended with 1"),
        (EncryptionSettings(keys_command="/no/such/program"), "No such file"),
        (EncryptionSettings(keys_command="'"), "KEYS_COMMAND"),
        (EncryptionSettings(keys_command="true"), "no key to seal with"),
    ):
        with pytest.raises(BadKeys, match=told):
            settings.keyring()


def test_an_application_with_encrypted_fields_needs_keys_and_one_for_searching() -> None:
    school = load_application(APPS / "school.py")
    with pytest.raises(ValueError, match=r"students\.date_of_birth is encrypted, and there are no keys"):
        Synovia(school)
    with pytest.raises(ValueError, match="is searchable, and there is no key 'search'"):
        Synovia(school, settings=with_keys(new_entry("key")))


def test_whatever_is_no_sealed_value_does_not_open() -> None:
    keyring = Keyring({"a": bytes(32)})
    sealed = keyring.seal(b"value", b"here")
    for wrong in (b"", b"\x01", sealed[:-1], sealed + b"\0", b"\x02" + sealed[1:], sealed[:1] + b"\xff" + sealed[2:]):
        with pytest.raises(Unopened):
            keyring.open(wrong, b"here")
    with pytest.raises(Unopened):
        keyring.open(sealed, b"there")
    assert keyring.open(sealed, b"here") == b"value"
    assert keyring.seal(b"value", b"here") != sealed
