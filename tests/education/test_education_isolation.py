"""Over sockets: who may not see a student gets nothing, whatever functions forget; no date of birth lies in the clear."""

from __future__ import annotations

import asyncio
import gzip
import logging
import tarfile
from contextlib import AsyncExitStack
from importlib import import_module
from pathlib import Path
from typing import Any

import httpx2
import pytest

import synovia
from apps import forgetful
from helpers.running_hub import RunningHub, running_hub
from helpers.tenant_isolation import Intruder
from synovia import load_application
from synovia.export.writing import export_store
from synovia.functions.registry import collect
from synovia.sealing.keyring import new_entry
from synovia.seeding import run_seeds
from synovia.store import open_store
from synovia.testing import TestApp
from synovia_client import Client, FunctionError

EDUCATION = Path(__file__).resolve().parents[2] / "apps" / "education"
MODULES = ("schema", "access", "seeds", "organizations", "students", "ieps", "goals", "documents", "records")
REGISTRY = collect("education", [*(import_module(f"education.{name}") for name in MODULES), forgetful])
CLASSES = ("User", "Student", "Iep", "Goal", "ProgressData", "Document", "DocumentVersion", "Access")
ABOUT_STUDENTS = CLASSES[2:]
BIRTH, OTHER, WRONG = "2014-03-19", "2011-06-30", "the 1st of May 1999"


async def asked(client: Client, path: str, **args: Any) -> str:
    with pytest.raises(FunctionError) as refused:
        await client.mutation(path, args)
    return f"{refused.value.code}: {refused.value.message}"


async def a_document_of_noa(hub: RunningHub, theo: Client, priya: Client, folder: Path) -> tuple[str, str]:
    """Have a confidential document with a second version, which has been opened; give its student and its id."""
    [noa] = await priya.query("students:list")
    scan = folder / "talk.txt"
    scan.write_text("what was said in confidence", encoding="utf-8")
    upload = await theo.upload_file("documents:add", scan, type="text/plain")
    data = {"documentType": "communication", "title": "Talk", "isConfidential": True}
    paper = await theo.mutation("documents:add", {"studentId": noa["_id"], "data": data, "file": upload})
    newer = await theo.upload_file("documents:edit", scan, type="text/plain")
    await theo.mutation("documents:edit", {"documentId": paper, "file": newer})
    return noa["_id"], paper


async def test_who_may_not_see_a_student_gets_nothing(
    any_address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SYNOVIA_ENCRYPTION_KEYS", new_entry("test"))
    async with running_hub(any_address, REGISTRY) as hub, AsyncExitStack() as people, httpx2.AsyncClient() as http:
        await run_seeds(hub.app.engine, REGISTRY)

        async def connect(token: str | None) -> Client:
            return await people.enter_async_context(Client(f"ws://127.0.0.1:{hub.port}", token=token))

        theo, priya, ruth = [await connect(f"dev:{name}@alder.example") for name in ("theo", "priya", "ruth")]
        harbor = await connect("dev:ada@harbor.example")
        tenant = (await harbor.query("organizations:me"))["organization"]["_id"]
        alder = (await theo.query("organizations:me"))["organization"]["_id"]
        noa, paper = await a_document_of_noa(hub, theo, priya, tmp_path)
        address = await theo.mutation("documents:open", {"documentId": paper})
        for client, own in (
            (harbor, tenant),
            (await connect("dev:eve@alder.example"), None),
            (await connect(None), None),
        ):
            for name in CLASSES:
                await Intruder(hub, client, own, alder).tries(f"education.schema:{name}", "organization_id")
            assert (
                await client.query("forgetful:addresses", {"table": "education.schema:Document", "field": "file"}) == []
            )

        for client, students in ((ruth, 2), (priya, 1)):
            seen = {each["_id"] for each in await client.query("students:list")}
            assert len(seen) == students
            for name in ABOUT_STUDENTS:
                ask = {"table": f"education.schema:{name}", "field": "student_id", "of": noa}
                rows = (await client.query("forgetful:everything", ask))["rows"]
                assert {row["student_id"] for row in rows} <= seen, name
                assert paper not in {row["id"] for row in rows}
        for client in (ruth, priya, harbor):
            for path, more in (("documents:open", {}), ("documents:open", {"version": 1}), ("documents:remove", {})):
                nothing = await asked(client, path, documentId="f" * 24, **more)
                assert await asked(client, path, documentId=paper, **more) == nothing
            assert await client.query("documents:versions", {"documentId": paper}) == []
        assert await asked(ruth, "students:open", studentId=noa) == await asked(
            ruth, "students:open", studentId="f" * 24
        )
        mine = await theo.upload_file("documents:add", tmp_path / "talk.txt", type="text/plain")
        [own, *_] = await ruth.query("students:list")
        stolen = {"studentId": own["_id"], "data": {"documentType": "other", "title": "Mine"}, "file": mine}
        assert (await asked(ruth, "documents:add", **stolen)).startswith("upload_not_found")
        url = theo.file_url(address)
        assert (await http.get(url)).text == "what was said in confidence"
        for other in (url[:-12] + "x" + url[-12:], url.replace("talk.txt", "other.txt"), url.rpartition("/")[0]):
            if other != url:
                answer = await http.get(other)
                assert answer.status_code == 404 or answer.text == "what was said in confidence", other


async def test_a_date_of_birth_lies_nowhere_in_the_clear(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    child = {
        "firstName": "Zoe",
        "lastName": "Nobody",
        "studentNumber": "1",
        "gradeLevel": "4",
        "primaryDisability": "x",
    }
    async with TestApp(load_application(EDUCATION), open_store(f"sqlite:///{tmp_path / 'data.db'}")) as app:
        await run_seeds(app.engine, app.registry)
        theo = app.caller("theo@alder.example")
        student = {"student": {**child, "dateOfBirth": OTHER}}
        told = []
        for key in ("a" * 16, "a" * 16, "b" * 16):  # a retry gets the record of the first; the third has its number
            answer = await theo.http.post(
                "/api/mutation", json={"path": "students:enrol", "args": student}, headers={"Idempotency-Key": key}
            )
            told.append(answer.text)
        wrong = {"student": {**child, "dateOfBirth": WRONG}}
        with pytest.raises(synovia.FunctionError) as refused:
            await theo.mutation("students:enrol", wrong)
        told.append(f"{refused.value} {refused.value.data}")
        [noa] = [each for each in await theo.query("students:list") if each["firstName"] == "Noa"]
        assert noa["dateOfBirth"] == BIRTH
        record = await theo.action("records:export", {"studentId": noa["_id"]})
        assert record["student"]["dateOfBirth"] == BIRTH
        with (tmp_path / "backup.synovia").open("wb") as file:
            await export_store(app.store, file, kind="backup")
        files = [tmp_path / "data.db", tmp_path / "data.db-wal", tmp_path / "backup.synovia"]
        held = b"".join([await asyncio.to_thread(path.read_bytes) for path in files if path.exists()])
    with tarfile.open(tmp_path / "backup.synovia") as archive:
        for member in archive.getmembers():
            part = archive.extractfile(member)
            data = b"" if part is None else part.read()
            held += gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data
    out, err = capfd.readouterr()
    told += [out, err, caplog.text, *(str(each.__dict__) for each in caplog.records)]
    assert b"Nobody" in held, "the search has looked where the student is"
    for secret in (BIRTH, OTHER, WRONG):
        assert secret.encode() not in held
        assert not any(secret in text for text in told), secret
