"""Over sockets: who may not see a student gets nothing, whatever functions forget; no date of birth lies in the clear."""

from __future__ import annotations

import asyncio
import gzip
import logging
import re
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
CHILD = {"firstName": "Zoe", "lastName": "Nobody", "studentNumber": "1", "gradeLevel": "4", "primaryDisability": "x"}
DATES = {"effectiveDate": 2, "expirationDate": 3, "meetingDate": 1, "nextReviewDate": 3}
CONTENT = {"placement": "x", "serviceHours": {"specialEducation": 1.0}}
SEEN = {
    "recordedDate": 1, "measurementValue": 1.0, "measurementUnit": "x", "masteryLevel": "emerging",
    "settingType": "x", "independenceLevel": "independent",
}  # fmt: skip


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


async def everything_of_milo(theo: Client) -> dict[str, str]:
    """Give the ids of what belongs to a student whom neither the other team nor another's parent may see."""
    [milo] = [each for each in await theo.query("students:list") if each["firstName"] == "Milo"]
    [iep] = await theo.query("ieps:history", {"studentId": milo["_id"]})
    goal = (await theo.query("ieps:get", {"iepId": iep["_id"]}))["goals"][0]
    papers = await theo.query("documents:list", {"studentId": milo["_id"]})
    return {"student": milo["_id"], "iep": iep["_id"], "goal": goal["_id"], "paper": papers[0]["document"]["_id"]}


async def a_document_shows_no_program_of_somebody_else(admin: Client, iep: str, folder: Path) -> None:
    """Whoever may write documents cannot tie one to a program that they do not see, and show that to a parent."""
    student = await admin.mutation("students:enrol", {"student": {**CHILD, "dateOfBirth": OTHER}})
    scan = folder / "scan.txt"
    scan.write_text("x", encoding="utf-8")
    told = []
    for related in ({"relatedIepId": iep}, {"relatedIepId": NOTHING}, {"relatedGoalId": NOTHING}):
        file = await admin.upload_file("documents:add", scan, type="text/plain")
        data = {"documentType": "other", "title": "x"}
        told.append(await asked(admin, "documents:add", studentId=student, data=data, file=file, **related))
    assert set(told) == {"not_found: there is no such program or goal of this student"}


HIDDEN: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("query", "students:get", {"studentId": "student"}),
    ("query", "ieps:history", {"studentId": "student"}),
    ("query", "ieps:get", {"iepId": "iep"}),
    ("query", "ieps:text", {"iepId": "iep"}),
    ("query", "ieps:compare", {"beforeId": "iep", "afterId": "iep"}),
    ("query", "goals:progress", {"goalId": "goal"}),
    ("query", "goals:points", {"goalId": "goal"}),
    ("query", "documents:list", {"studentId": "student"}),
    ("query", "documents:versions", {"documentId": "paper"}),
    ("query", "documents:readers", {"documentId": "paper"}),
    ("query", "records:accessLog", {"studentId": "student"}),
    ("action", "records:export", {"studentId": "student"}),
    ("mutation", "records:erase", {"studentId": "student", "reason": "x"}),
    ("mutation", "students:open", {"studentId": "student"}),
    ("mutation", "students:update", {"studentId": "student", "student": {**CHILD, "dateOfBirth": OTHER}}),
    ("mutation", "students:setEnrollment", {"studentId": "student", "status": "inactive"}),
    ("mutation", "students:removeMember", {"studentId": "student", "userId": "me"}),
    ("mutation", "ieps:create", {"studentId": "student", "dates": DATES, "content": CONTENT, "teamMembers": []}),
    ("mutation", "ieps:update", {"iepId": "iep", "content": CONTENT}),
    ("mutation", "ieps:addMember", {"iepId": "iep", "userId": "me"}),
    ("mutation", "ieps:approve", {"iepId": "iep", "signature": "x"}),
    ("mutation", "ieps:writeText", {"iepId": "iep", "update": b"\0\0"}),
    ("mutation", "goals:setMastered", {"goalId": "goal", "mastered": True}),
    ("mutation", "goals:record", {"goalId": "goal", "observation": SEEN}),
    ("mutation", "documents:open", {"documentId": "paper"}),
    ("mutation", "documents:open", {"documentId": "paper", "version": 1, "download": True}),
    ("mutation", "documents:share", {"documentId": "paper", "email": "x@y.example", "permission": "edit"}),
    ("mutation", "documents:remove", {"documentId": "paper"}),
)
"""Every function that is told whose record it is about, and what it is told."""
NOTHING = "f" * 24


async def outcome(client: Client, kind: str, path: str, args: dict[str, Any]) -> object:
    try:
        return await getattr(client, kind)(path, args)
    except FunctionError as error:
        return error.code, error.message, error.data


async def over_http(http: httpx2.AsyncClient, kind: str, path: str, args: dict[str, Any]) -> tuple[int, str]:
    answer = await http.post(f"/api/{kind}", json={"path": path, "args": args})
    return answer.status_code, re.sub(r'"requestId":"[^"]*"', "", answer.text)


async def room(client: Client, iep: str) -> tuple[str, str] | None:
    async with client.presence("ieps:room", {"iepId": iep}) as presence:
        return None if presence.error is None else (presence.error.code, presence.error.message)


def filled(args: dict[str, Any], ids: dict[str, str]) -> dict[str, Any]:
    return {name: ids.get(value, value) if isinstance(value, str) else value for name, value in args.items()}


async def finds_nothing(client: Client, http: httpx2.AsyncClient, ids: dict[str, str]) -> None:
    """Expect of what is hidden the same answers as of what is not there."""
    absent = dict.fromkeys(ids, NOTHING) | {"me": ids["me"]}
    for kind, path, args in HIDDEN:
        told = set[str]()
        for found in (filled(args, ids), filled(args, absent)):
            answers = [await outcome(client, kind, path, found)]
            if "update" not in args:  # bytes
                answers.append(await over_http(http, kind, path, found))
            told.add(re.sub(r"[0-9a-f]{24}", "an id", str(answers)))
        assert len(told) == 1, (path, told)
    assert await room(client, ids["iep"]) == await room(client, NOTHING) == ("not_found", "there is no such program")


@pytest.mark.slow
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
        milo = await everything_of_milo(theo)
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
        async with httpx2.AsyncClient(base_url=f"http://127.0.0.1:{hub.port}") as calls:
            for name, client in (("ruth@alder", ruth), ("priya@alder", priya), ("ada@harbor", harbor)):
                calls.headers["Authorization"] = f"Bearer dev:{name}.example"
                me = (await client.query("organizations:me"))["user"]["_id"]
                await finds_nothing(client, calls, milo | {"me": me})
        await a_document_shows_no_program_of_somebody_else(harbor, milo["iep"], tmp_path)
        mine = await theo.upload_file("documents:add", tmp_path / "talk.txt", type="text/plain")
        [own, *_] = await ruth.query("students:list")
        stolen = {"studentId": own["_id"], "data": {"documentType": "other", "title": "Mine"}, "file": mine}
        assert (await asked(ruth, "documents:add", **stolen)).startswith("upload_not_found")
        url = theo.file_url(address)
        assert (await http.get(url)).text == "what was said in confidence"
        part = await http.get(url, headers={"Range": "bytes=0-3"})
        assert (part.status_code, part.text) == (206, "what")
        token = url.rpartition("/")[0].rpartition("/")[2]
        for at in (0, len(token) // 2, len(token) - 2):
            forged = url.replace(token, token[:at] + ("A" if token[at] != "A" else "B") + token[at + 1 :])
            for method in ("GET", "HEAD"):
                answer = await http.request(method, forged, headers={"Range": "bytes=0-3"})
                assert (answer.status_code, "etag" in answer.headers) == (404, False), (method, forged)
        ticket = f"http://127.0.0.1:{hub.port}/api/uploads/{mine}"
        piece = {"content-type": "application/octet-stream", "upload-offset": "0"}
        for method in ("HEAD", "PATCH", "DELETE"):
            headers = {"authorization": "Bearer dev:ruth@alder.example", **piece}
            answer = await http.request(method, ticket, headers=headers, content=b"x" if method == "PATCH" else None)
            assert answer.status_code == 404, (method, answer.text)


async def test_a_date_of_birth_lies_nowhere_in_the_clear(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    async with TestApp(load_application(EDUCATION), open_store(f"sqlite:///{tmp_path / 'data.db'}")) as app:
        await run_seeds(app.engine, app.registry)
        theo, ada = app.caller("theo@alder.example"), app.caller("ada@alder.example")
        student = {"student": {**CHILD, "dateOfBirth": OTHER}}
        told = []
        for key in ("a" * 16, "a" * 16, "b" * 16):  # a retry gets the record of the first; the third has its number
            answer = await ada.http.post(
                "/api/mutation", json={"path": "students:enrol", "args": student}, headers={"Idempotency-Key": key}
            )
            told.append(answer.text)
        wrong = {"student": {**CHILD, "dateOfBirth": WRONG}}
        with pytest.raises(synovia.FunctionError) as refused:
            await ada.mutation("students:enrol", wrong)
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
