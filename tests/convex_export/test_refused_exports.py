"""What cannot be imported is told by file and line, and nothing of it is written."""

from __future__ import annotations

import json
import struct
import zipfile
from pathlib import Path

import pytest

from apps import moved_chat
from helpers.convex_exports import USERS, add_files, chat, convex_id, lines, write_export
from synovia.convex_export import Archive, Checked, ExportError, check
from synovia.convex_export import archive as archives
from synovia.convex_export.archive import Files
from synovia.functions.registry import collect

MODELS = collect("moved_chat", [moved_chat]).models


def checked(path: Path, *skip: str) -> Checked:
    with Archive(path) as archive:
        return check(archive, MODELS, skip)


def refusal(path: Path) -> str:
    with pytest.raises(ExportError) as caught:
        checked(path)
    return str(caught.value)


def rewritten(path: Path, name: str, data: bytes) -> Path:
    add_files(path, {name: data})
    return path


@pytest.fixture
def export(tmp_path: Path) -> Path:
    return write_export(tmp_path / "export.zip", chat())


def test_what_there_is_is_counted(export: Path) -> None:
    add_files(
        export,
        {
            "_storage/documents.jsonl": lines([{"_id": "kg2", "_creationTime": 1.0, "size": 4}]).encode(),
            "_storage/kg2.png": b"1234",
            "_scheduled_jobs/documents.jsonl": b"{}\n{}\n",
            "_components/mail/_tables/documents.jsonl": b"{}\n",
            "_components/mail/sent/documents.jsonl": b"{}\n",
            "audit/documents.jsonl": lines([{"_id": "a", "_creationTime": 1.0}]).encode(),
        },
    )
    assert checked(export) == Checked(
        tables={"users": 2, "messages": 5},
        undeclared={"audit": 1},
        system={"_scheduled_jobs": 2, "_components/mail/sent": 1},
        files=Files(1, 4),
        unordered=["users"],
    )
    assert checked(export, "audit", "messages").skipped == {"audit": 1, "messages": 5}


def test_everything_may_lie_in_one_folder(tmp_path: Path) -> None:
    assert checked(write_export(tmp_path / "export.zip", chat(), prefix="snapshot_1/")).tables["users"] == 2


def test_fields_that_a_table_does_not_declare_are_named(tmp_path: Path) -> None:
    rows = [{**row, "created_by": "x", "nick": None} for row in chat()["users"]]
    assert checked(write_export(tmp_path / "export.zip", {"users": rows})).unseen == {"users": ["created_by", "nick"]}


GOOD = chat()["users"][0]


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ('{"_id": "a", ', "it is no JSON"),
        ('{"_id": "a"} {}', "it is no JSON: Extra data at character 14"),
        ("[1]", "it is no map"),
        ('{"_creationTime": 1.0}', "it has no _id"),
        (json.dumps({**GOOD, "_id": 5}), "5 can be no _id"),
        (json.dumps({**GOOD, "_id": "not an id"}), "can be no _id"),
        (json.dumps({**GOOD, "_id": "x" * 257}), "can be no _id"),
        (json.dumps({"_id": "a"}), "a has no _creationTime"),
        (json.dumps({**GOOD, "_creationTime": "now"}), "has no _creationTime that is a time"),
        (json.dumps({**GOOD, "_creationTime": -1.0}), "has no _creationTime that is a time"),
        (json.dumps({**GOOD, "name": 5.0}), "does not fit the table: name"),
        (json.dumps({**GOOD, "name": None}), "does not fit the table: name"),
        ('{"_id": "a", "_creationTime": 1.0, "x": NaN}', "it is no JSON: NaN"),
        ('{"_id": "a", "_creationTime": 1.0, "x": 1e999}', "beyond a 64-bit float"),
        ('{"_id": "a", "_creationTime": 1.0, "x": 9223372036854775808}', "beyond 64 bits"),
        ('{"_id": "a", "_creationTime": 1.0, "x": 1, "x": 2}', "one key twice"),
        ('{"_id": "a", "_creationTime": 1.0, "x": {"$set": []}}', "'$set' is no value"),
        ('{"_id": "a", "_creationTime": 1.0, "x": {"$bytes": "?"}}', "is not what '$bytes' stands for"),
        ('{"_id": "a", "_creationTime": 1.0, "x": {"$integer": "AAAA"}}', "is not what '$integer' stands for"),
        ('{"_id": "a", "_creationTime": 1.0, "x\\u0000y": 1}', "cannot be the name of a field"),
        ('{"_id": "a", "_creationTime": 1.0, "x": "\\ud800"}', "a cannot be stored"),
        ('{"x": ' + "[" * 100_000, "nest more than 200 deep"),
        ('{"x": ' + "[" * 200 + "]" * 200 + "}", "nest more than 200 deep"),
        ("\ufeff" + json.dumps(GOOD), "byte order mark"),
    ],
)
def test_a_bad_line_is_told_with_its_number(line: str, why: str, tmp_path: Path) -> None:
    text = lines([GOOD]) + "\n" + line + "\n"
    told = refusal(write_export(tmp_path / "export.zip", {"users": text}))
    assert told.startswith("users/documents.jsonl:3: ")
    assert why in told


def test_bytes_that_are_no_text(tmp_path: Path) -> None:
    path = write_export(tmp_path / "export.zip", {"messages": []})
    assert "users/documents.jsonl:1: it is not UTF-8" in refusal(
        rewritten(path, "users/documents.jsonl", b'{"a": "\xff"}\n')
    )


def test_all_bad_lines_are_told_at_once_up_to_a_number(tmp_path: Path) -> None:
    told = refusal(write_export(tmp_path / "export.zip", {"users": "{\n" * 50})).splitlines()
    assert len(told) == 21
    assert told[-1] == "and 30 more"


def test_a_line_without_an_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "LONGEST_LINE", 1 << 20)
    told = refusal(write_export(tmp_path / "export.zip", {"users": lines([GOOD]) + "x" * (3 << 20)}))
    assert told == "users/documents.jsonl:2: a line of more than 1,048,576 bytes"


def test_a_bomb_is_refused_before_it_is_opened(tmp_path: Path) -> None:
    path = write_export(tmp_path / "export.zip", {})
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive, archive.open("users/documents.jsonl", "w") as out:
        for _ in range(65):
            out.write(b" " * (1 << 20))
    assert "which is how an attack looks" in refusal(path)


@pytest.mark.parametrize(
    "name", ["../users/documents.jsonl", "/etc/documents.jsonl", "a/../../b", "a\\..\\b", "C:/x", "a//b"]
)
def test_names_that_lead_out_of_the_archive(name: str, export: Path) -> None:
    assert "leads out of the archive" in refusal(rewritten(export, name, b"{}"))


def test_two_files_of_one_name(export: Path) -> None:
    with pytest.warns(UserWarning, match="Duplicate name"):
        add_files(export, {"users/documents.jsonl": b""})
    assert "two files in it have one name" in refusal(export)


def test_a_name_that_no_table_has(export: Path) -> None:
    assert "'a b' cannot be the name of a table" in refusal(rewritten(export, "a b/documents.jsonl", b""))


def test_what_is_no_export(tmp_path: Path) -> None:
    path = tmp_path / "x.zip"
    assert "there is no such file" in refusal(path)
    path.write_bytes(b"no zip file")
    assert "it cannot be read as a zip file" in refusal(path)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("hello.txt", "hello")
    assert "is it what `npx convex export` wrote?" in refusal(path)
    assert "Is a directory" in refusal(tmp_path)


def test_a_broken_zip_file(export: Path, tmp_path: Path) -> None:
    data = export.read_bytes()
    cut = tmp_path / "cut.zip"
    cut.write_bytes(data[: len(data) // 2])
    assert "it cannot be read as a zip file" in refusal(cut)
    with zipfile.ZipFile(export) as archive:
        place = archive.getinfo("messages/documents.jsonl").header_offset + 60
    cut.write_bytes(data[:place] + bytes([data[place] ^ 255]) + data[place + 1 :])
    assert refusal(cut).startswith("messages/documents.jsonl: it cannot be read as a zip file")


def test_an_encrypted_one(export: Path) -> None:
    data = bytearray(export.read_bytes())
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        place = -1
        while (place := data.find(signature, place + 1)) >= 0:
            (flags,) = struct.unpack_from("<H", data, place + offset)
            struct.pack_into("<H", data, place + offset, flags | 1)
    export.write_bytes(data)
    assert "it is encrypted" in refusal(export)


@pytest.mark.parametrize(
    ("shape", "good"), [('"{\\"likes\\": normalfloat64}"', True), ('"{\\"likes\\": int64}"', False)]
)
def test_exports_of_older_times_say_what_documents_look_like(shape: str, good: bool, tmp_path: Path) -> None:
    path = tmp_path / "export.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("users/documents.jsonl", lines([{**GOOD, "_id": convex_id(1, 1), "ref": USERS[0]}]))
        archive.writestr("users/generated_schema.jsonl", shape + "\n")
    if good:
        assert checked(path).tables == {"users": 1}
    else:
        assert "users/generated_schema.jsonl: this export is of a form" in refusal(path)
