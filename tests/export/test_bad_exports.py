"""Files that are no export, or not a whole one: told with their place, and nothing is written."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from helpers.exported_store import TABLES, fill
from synovia import Table
from synovia.export.archive import Archive
from synovia.export.checking import check
from synovia.export.errors import ExportError
from synovia.export.writing import export_store
from synovia.store import open_store

NOTES = "documents/notes/000001.jsonl.gz"
Files = dict[str, bytes]


@pytest.fixture
async def export(tmp_path: Path) -> Path:
    store = open_store("sqlite://:memory:")
    await store.open(TABLES)
    await fill(store)
    with (tmp_path / "good.synovia").open("wb") as file:
        await export_store(store, file)
    await store.close()
    return tmp_path / "good.synovia"


def files_of(path: Path) -> Files:
    """Unpack it as others would."""
    with tarfile.open(path) as tar:
        return {member.name: tar.extractfile(member).read() for member in tar.getmembers()}  # type: ignore[union-attr]


def packed(path: Path, files: Mapping[str, bytes]) -> Path:
    """Pack it again as others would."""
    with tarfile.open(path, "w", format=tarfile.USTAR_FORMAT) as tar:
        for name, data in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    return path


def fault_of(path: Path, **options: Any) -> str:
    with pytest.raises(ExportError) as caught, Archive(path) as archive:
        check(archive, **options)
    return str(caught.value)


def test_it_is_a_tar_that_others_read_and_pack_again(export: Path, tmp_path: Path) -> None:
    files = files_of(export)
    manifest = json.loads(files["manifest.json"])
    text = gzip.decompress(files[NOTES])
    assert hashlib.sha256(text).hexdigest() == manifest["tables"]["notes"]["sha256"]
    assert text.count(b"\n") == manifest["tables"]["notes"]["documents"]
    with Archive(packed(tmp_path / "again.tar", {"./" + name: data for name, data in files.items()})) as archive:
        check(archive)


def _with(name: str, change: Callable[[bytes], bytes]) -> Callable[[Files], Files]:
    return lambda files: {each: change(data) if each == name else data for each, data in files.items()}


def _lines(change: Callable[[list[bytes]], list[bytes]]) -> Callable[[Files], Files]:
    def changed(data: bytes) -> bytes:
        return gzip.compress(b"\n".join(change(gzip.decompress(data).split(b"\n"))))

    return _with(NOTES, changed)


def _manifest(**changes: Any) -> Callable[[Files], Files]:
    return _with("manifest.json", lambda data: json.dumps({**json.loads(data), **changes}).encode())


def _array(change: Callable[[bytes], bytes]) -> Callable[[Files], Files]:
    def changed(files: Files) -> Files:
        name = max((each for each in files if each.startswith("arrays/")), key=lambda each: len(files[each]))
        return _with(name, change)(files)

    return changed


def _without(start: str) -> Callable[[Files], Files]:
    return lambda files: {name: data for name, data in files.items() if not name.startswith(start)}


def _also(name: str, data: bytes = b"") -> Callable[[Files], Files]:
    return lambda files: {**files, name: data}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("change", "said"),
    [
        (_without("manifest"), "there is no manifest.json in it"),
        (_without(NOTES), "notes: manifest.json tells of 1 parts; 0 are there"),
        (_without("arrays/"), "is not in the export"),
        (_also("../etc/passwd"), "leads out of the archive"),
        (_also("/etc/passwd"), "leads out of the archive"),
        (_also("arrays/../../x"), "leads out of the archive"),
        (_also("documents/notes/x.jsonl.gz"), "is nothing that an export holds"),
        (_also("documents/other/000001.jsonl.gz"), "says nothing of the table other"),
        (_also("arrays/" + "0" * 64 + ".float64", b"1234567"), "is nothing that an export holds"),
        (_also("arrays/" + "0" * 64 + ".float64", bytes(8)), "its bytes are not those of this digest"),
        (_manifest(version=2), "this is version 2 of the format"),
        (_manifest(format="other"), "manifest.json: format"),
        (_manifest(tables={"a/b": {}}), "manifest.json: tables"),
        (_manifest(tables={"system.users": {}}), "'system.users' cannot be the name of a table"),
        (_also("documents/~" + "0" * 32 + "/000001.jsonl.gz"), "says nothing of the table ~000"),
        (_with("manifest.json", lambda data: b"{"), "manifest.json: it is no JSON"),
        (_with("manifest.json", lambda data: data + b"{}"), "manifest.json: it is no JSON: Extra data at line "),
        (_with("manifest.json", lambda data: data.replace(b'"ts":', b'"at":')), "one key twice: 'at'"),
        (_with(NOTES, lambda data: data[:-9]), "it was cut, or something follows"),
        (_with(NOTES, lambda data: data + data), "it was cut, or something follows"),
        (_with(NOTES, lambda data: b"no gzip"), "cannot be read as gzip"),
        (_with(NOTES, lambda data: gzip.compress(bytes(200_000_000))), "bytes in"),
        (_lines(lambda lines: lines[1:]), "notes: its 17 documents are not the 18"),
        (_lines(lambda lines: [lines[1], lines[0], *lines[2:]]), f"{NOTES}:2: n00 is there twice, or not in the order"),
        (_lines(lambda lines: [lines[0], *lines]), f"{NOTES}:2: n00 is there twice"),
        (_lines(lambda lines: [b"{", *lines[1:]]), f"{NOTES}:1: it is no JSON"),
        (_lines(lambda lines: [lines[0], lines[1] + b" {}", *lines[2:]]), f"{NOTES}:2: it is no JSON: Extra data"),
        (_lines(lambda lines: [lines[0].replace(b'"value":5', b'"value":6'), *lines[1:]]), "are not the 18"),
        (_lines(lambda lines: lines[:-1]), "its last line has no end"),
        (_array(lambda data: b"\1" + data[1:]), "its bytes are not those of this digest"),
    ],
)
def test_it_is_told(export: Path, tmp_path: Path, change: Callable[[Files], Files], said: str) -> None:
    assert said in fault_of(packed(tmp_path / "bad.synovia", change(files_of(export))))


@pytest.mark.parametrize("kept", [0, 10, 511, 512, 1500, 0.5, 0.9, -1024, -1100])
def test_one_that_was_cut(export: Path, tmp_path: Path, kept: float) -> None:
    data = export.read_bytes()
    cut = tmp_path / "cut.synovia"
    cut.write_bytes(data[: int(kept * len(data)) if isinstance(kept, float) else kept])
    assert "cut" in fault_of(cut) or "no export" in fault_of(cut)


def test_other_files(tmp_path: Path) -> None:
    assert "No such file" in fault_of(tmp_path / "none")
    other = tmp_path / "other"
    other.write_bytes(b"x" * 5000)
    assert "there is no header of a tar at byte 0" in fault_of(other)
    with tarfile.open(other, "w") as tar:
        member = tarfile.TarInfo("link")
        member.type, member.linkname = tarfile.SYMTYPE, "/etc/passwd"
        tar.addfile(member)
    assert "'link' is no plain file" in fault_of(other)


class Note(Table, name="notes"):
    name: str


def test_documents_that_do_not_fit_their_tables(export: Path) -> None:
    fault = fault_of(export, models={"notes": Note})
    assert f"{NOTES}:1: n00 does not fit the table: name: " in fault
    assert "recordings: the application declares no such table (leave it out with --skip recordings)" in fault
    assert "recordings" not in fault_of(export, models={"notes": Note}, skip=["recordings"])


@pytest.mark.parametrize("table", ["_serviceKeys", "_sessions", "_scheduled", "_env"])
def test_an_export_of_somebody_else_brings_no_keys_and_no_calls(export: Path, tmp_path: Path, table: str) -> None:
    """Whoever imports the data of others is handed nothing that would make these others operators."""
    planted = packed(tmp_path / "planted.synovia", _with_table(table, files_of(export)))
    assert f"{table}: no export has this table of Synovia's own" in fault_of(planted)
    with Archive(planted) as archive:
        check(archive, skip=[table])
    backup = packed(tmp_path / "backup.synovia", _manifest(kind="backup")(_with_table(table, files_of(export))))
    with Archive(backup) as archive:
        check(archive)


@pytest.mark.parametrize("table", ["_imports", "_fileKeys"])
def test_what_no_file_has_is_taken_from_none(export: Path, tmp_path: Path, table: str) -> None:
    changed = _manifest(kind="backup")(_with_table(table, files_of(export)))
    assert f"{table}: no backup has this table" in fault_of(packed(tmp_path / "x.synovia", changed))


def _with_table(table: str, files: Files) -> Files:
    text = b'{"_id":"planted"}\n'
    contents = {"documents": 1, "sha256": hashlib.sha256(text).hexdigest(), "parts": 1}
    tables = {**json.loads(files["manifest.json"])["tables"], table: contents}
    return _manifest(tables=tables)({**files, f"documents/{table}/000001.jsonl.gz": gzip.compress(text)})


def test_a_manifest_that_is_there_twice_says_nothing(export: Path, tmp_path: Path) -> None:
    files, path = files_of(export), tmp_path / "two.synovia"
    packed(path, files)
    with tarfile.open(path, "a", format=tarfile.USTAR_FORMAT) as tar:
        member = tarfile.TarInfo("manifest.json")
        member.size = len(files["manifest.json"])
        tar.addfile(member, io.BytesIO(files["manifest.json"]))
    assert "manifest.json is there twice" in fault_of(path)


def test_a_line_that_would_fill_the_memory_is_not_read(
    export: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A hundred kilobytes of gzip become gigabytes of lists."""
    monkeypatch.setattr("synovia.export.checking.document_of", lambda _: pytest.fail("it is read"))
    line = b'{"_id":"n00","value":[' + b"[]," * 9_000_000 + b"0]}"
    fault = fault_of(
        packed(tmp_path / "x.synovia", _lines(lambda _: [line, b""])(files_of(export))),
        skip=["recordings", "_migrations"],
    )
    assert "it has more than the 16,777,216 bytes that a document may have" in fault
