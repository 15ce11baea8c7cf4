"""Education as its users write tests: who learns of a student, versions and signatures, goals, documents, records."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from pycrdt import Doc, Text

from synovia import FunctionError
from synovia.seeding import run_seeds
from synovia.store.base import Store
from synovia.testing import Caller, TestApp

pytestmark = pytest.mark.same_tables

EDUCATION = Path(__file__).resolve().parents[2] / "apps" / "education"
DAY = 86_400_000
GOAL = {
    "domain": "academic",
    "description": "Writes a paragraph",
    "evaluationMethod": "Rubric",
    "frequency": "weekly",
    "baselineData": {"measurement": "points", "date": 0, "value": 10.0},
    "targetCriteria": {"measurement": "points", "target": 50.0, "timeframe": "a year"},
}
CONTENT = {"placement": "Resource room", "serviceHours": {"specialEducation": 6.0}}


@pytest.fixture
async def app(any_store: Store) -> AsyncIterator[TestApp]:
    async with TestApp(EDUCATION, any_store) as app:
        await run_seeds(app.engine, app.registry)
        yield app


def person(app: TestApp, name: str, of: str = "alder") -> Caller:
    return app.caller(f"{name}@{of}.example")


async def code_of(call: Any) -> str:
    with pytest.raises(FunctionError) as refused:
        await call
    return refused.value.code


async def noa(app: TestApp) -> tuple[str, str]:
    """Give the ids of Noa and of her program."""
    [student] = [each for each in await person(app, "ada").query("students:list") if each["firstName"] == "Noa"]
    [iep] = await person(app, "ada").query("ieps:history", {"studentId": student["_id"]})
    return student["_id"], iep["_id"]


async def id_of(app: TestApp, name: str) -> str:
    return str((await person(app, name).query("organizations:me"))["user"]["_id"])


def text_of(changes: dict[str, Any]) -> str:
    """Read the whole of a shared text, whether its updates lie in a state already or not."""
    doc = Doc[Text]()
    for update in (*changes["states"], *changes["updates"].values()):
        doc.apply_update(update)
    return str(doc.get("present", type=Text))


async def much_later(app: TestApp, after: timedelta, cron: str) -> None:
    """Run a cron at a later time, without each of its days before."""
    app.clock.now += after.total_seconds()
    await app.trusted.mutation(cron)


def observed(value: float, at: int, **more: Any) -> dict[str, Any]:
    return {
        "recordedDate": at,
        "measurementValue": value,
        "measurementUnit": "points",
        "masteryLevel": "developing",
        "settingType": "Classroom",
        "independenceLevel": "independent",
        **more,
    }


def dates(start: int, length: int = 365 * DAY, meeting: int = -DAY) -> dict[str, int]:
    return {
        "effectiveDate": start,
        "expirationDate": start + length,
        "meetingDate": start + meeting,
        "nextReviewDate": start + length - 30 * DAY,
    }


async def test_a_member_who_leaves_loses_the_student_at_once(app: TestApp) -> None:
    student, iep = await noa(app)
    theo, sofia = person(app, "theo"), person(app, "sofia")
    async with (
        sofia.subscribe("students:list") as listed,
        sofia.subscribe("ieps:get", {"iepId": iep}) as program,
        sofia.subscribe("documents:list", {"studentId": student}) as papers,
    ):
        assert student in [each["_id"] for each in listed.value]
        assert (len(program.value["goals"]), len(papers.value)) == (3, 2)
        await theo.mutation("students:removeMember", {"studentId": student, "userId": await id_of(app, "sofia")})
        assert student not in [each["_id"] for each in listed.value]
        assert (program.value, papers.value) == (None, [])
    assert await code_of(sofia.mutation("students:open", {"studentId": student})) == "not_found"
    await theo.mutation("ieps:addMember", {"iepId": iep, "userId": await id_of(app, "jonas")})
    jonas = person(app, "jonas")
    assert student in [each["_id"] for each in await jonas.query("students:list")]
    taking = {"studentId": student, "userId": await id_of(app, "theo")}
    assert await code_of(jonas.mutation("students:removeMember", taking)) == "forbidden"


async def test_families_see_what_documents_show(app: TestApp) -> None:
    student, iep = await noa(app)
    theo, priya = person(app, "theo"), person(app, "priya")
    async with (
        priya.subscribe("documents:list", {"studentId": student}) as papers,
        priya.subscribe("ieps:get", {"iepId": iep}) as program,
    ):
        assert [each["document"]["title"] for each in papers.value] == [
            "Reading assessment, autumn", "Program, as it was handed out",
        ]  # fmt: skip
        assert (len(program.value["goals"]), program.value["mayWrite"]) == (3, False)
        [shown] = [each for each in papers.value if each["document"]["documentType"] == "iep"]
        unshare = {"documentId": shown["document"]["_id"], "email": "priya@alder.example", "permission": None}
        await theo.mutation("documents:share", unshare)
        assert (program.value, len(papers.value)) == (None, 1)
        assert [each["_id"] for each in await priya.query("students:list")] == [student]
        await theo.mutation("documents:share", unshare | {"documentId": papers.value[0]["document"]["_id"]})
        assert (papers.value, await priya.query("students:list")) == ([], [])
    assert await code_of(priya.mutation("goals:record", {"goalId": iep, "observation": observed(1, 1)})) == "forbidden"


async def test_a_version_follows_another_and_is_frozen_by_a_signature(app: TestApp) -> None:
    student, first = await noa(app)
    theo, priya = person(app, "theo"), person(app, "priya")
    team = [await id_of(app, "theo"), await id_of(app, "sofia")]
    now = int(app.clock.now * 1000)
    given = {"studentId": student, "dates": dates(now), "content": CONTENT, "teamMembers": team}
    for wrong in (dates(now, length=-1), dates(now, meeting=DAY)):
        assert await code_of(theo.mutation("ieps:create", {**given, "dates": wrong})) == "invalid_arguments"
    second = await theo.mutation("ieps:create", given)
    history = await theo.query("ieps:history", {"studentId": student})
    assert [(each["version"], each["status"]) for each in history] == [(2, "active"), (1, "superseded")]
    both = {"beforeId": first, "afterId": second}
    changed = {each["field"] for each in await theo.query("ieps:compare", both)}
    assert {"placement", "service_hours", "accommodations", "effective_date"} <= changed
    assert not any(each.startswith("goal") for each in changed), "goals that are not reached go on"
    assert await code_of(theo.mutation("ieps:update", {"iepId": first, "content": CONTENT})) == "iep_frozen"
    scan = await theo.upload("documents:add", b"%PDF", name="p.pdf", type="application/pdf")
    data = {"documentType": "iep", "title": "Program 2"}
    added = {"studentId": student, "data": data, "file": scan, "relatedIepId": second}
    paper = await theo.mutation("documents:add", added)
    share = {"documentId": paper, "email": "priya@alder.example", "permission": "view"}
    await theo.mutation("documents:share", share)
    for who, signature in ((theo, "T. Lindqvist"), (person(app, "ada"), "A. Okafor"), (priya, "P. Castellan")):
        assert not (await theo.query("ieps:get", {"iepId": second}))["isApproved"]
        await who.mutation("ieps:approve", {"iepId": second, "signature": signature})
        assert await code_of(theo.mutation("ieps:update", {"iepId": second, "content": CONTENT})) == "iep_frozen"
    assert (await priya.query("ieps:get", {"iepId": second}))["isApproved"]
    assert await code_of(priya.mutation("ieps:approve", {"iepId": second, "signature": "again"})) == "already_signed"
    goal = {**GOAL, "responsibleProvider": team[0]}
    assert await code_of(theo.mutation("goals:create", {"iepId": second, "goal": goal})) == "iep_frozen"
    await much_later(app, timedelta(days=366), "ieps:expire")
    assert (await theo.query("ieps:history", {"studentId": student}))[0]["status"] == "expired"


async def test_progress_moves_while_a_colleague_enters_data(app: TestApp) -> None:
    _, iep = await noa(app)
    theo, sofia, now = person(app, "theo"), person(app, "sofia"), int(app.clock.now * 1000)
    provider = {"responsibleProvider": await id_of(app, "sofia")}
    goal = await theo.mutation("goals:create", {"iepId": iep, "goal": GOAL | provider})
    async with theo.subscribe("goals:progress", {"goalId": goal}) as progress:
        assert progress.value == {"points": 0}
        for week in range(3):
            entry = observed(20.0 + 5 * week, now - (21 - 7 * week) * DAY)
            await sofia.mutation("goals:record", {"goalId": goal, "observation": entry})
        found = progress.value
        assert (found["points"], found["latest"], found["mean"]) == (3, 30, 25)
        assert (round(found["trend"], 9), found["percent"]) == (5, 50)
        assert found["projected"] == pytest.approx(now + 21 * DAY, abs=1)
        assert (await theo.query("goals:progress", {"goalId": goal, "start": now - 15 * DAY}))["points"] == 2
        await sofia.mutation("goals:record", {"goalId": goal, "observation": observed(0.0, now)})
        assert (progress.value["percent"], "projected" in progress.value) == (0, False)
    late = {"goalId": goal, "observation": observed(1.0, now + DAY)}
    assert await code_of(sofia.mutation("goals:record", late)) == "not_yet"
    infinite = {"goalId": goal, "observation": observed(float("inf"), now)}
    assert await code_of(sofia.mutation("goals:record", infinite)) == "invalid_arguments"


async def test_the_report_of_a_district_is_its_own_and_moves(app: TestApp) -> None:
    _, iep = await noa(app)
    goal = (await person(app, "ada").query("ieps:get", {"iepId": iep}))["goals"][0]["_id"]
    async with person(app, "ada").subscribe("reports:district") as report:
        assert (report.value["points"], report.value["minutes"]) == (300, 27.5)
        entry = observed(1.0, int(app.clock.now * 1000), masteryLevel="mastered", sessionDuration=600)
        await person(app, "sofia").mutation("goals:record", {"goalId": goal, "observation": entry})
        assert (report.value["points"], report.value["mastery"][-2]) == (301, {"of": ["mastered"], "count": 1})
        assert report.value["minutes"] == (300 * 27.5 + 600) / 301
    assert (await person(app, "ada", "harbor").query("reports:district"))["points"] == 0
    assert await code_of(person(app, "theo").query("reports:district")) == "forbidden"


async def test_documents_by_permission_with_versions_and_a_log(app: TestApp) -> None:
    student, _ = await noa(app)
    theo, sofia, priya = person(app, "theo"), person(app, "sofia"), person(app, "priya")
    data = {"documentType": "communication", "title": "Talk with the family", "isConfidential": True}
    scan = await theo.upload("documents:add", b"0123456789", name="talk.txt", type="text/plain")
    paper = await theo.mutation("documents:add", {"studentId": student, "data": data, "file": scan})
    opened = {"documentId": paper}
    for who in (sofia, priya):
        assert await code_of(who.mutation("documents:open", opened)) == "not_found"
    await theo.mutation("documents:share", {**opened, "email": "priya@alder.example", "permission": "view"})
    address = await priya.mutation("documents:open", opened)
    part = await priya.http.get(address, headers={"Range": "bytes=2-4"})
    assert (part.status_code, part.content) == (206, b"234")
    assert await code_of(priya.mutation("documents:open", {**opened, "download": True})) == "forbidden"
    assert await code_of(priya.upload("documents:add", b"x")) == "forbidden"
    await theo.mutation("documents:share", {**opened, "email": "sofia@alder.example", "permission": "edit"})
    own = await sofia.upload("documents:edit", b"hers", name="talk.txt", type="text/plain")
    await sofia.mutation("documents:edit", {**opened, "file": own})
    await theo.mutation("documents:share", {**opened, "email": "sofia@alder.example", "permission": None})
    assert await code_of(sofia.mutation("documents:open", opened)) == "not_found", "who has edited it keeps nothing"
    newer = await theo.upload("documents:edit", b"newer", name="talk.txt", type="text/plain")
    assert (await theo.mutation("documents:edit", {**opened, "file": newer}))["version"] == 3
    for version, content in ((1, b"0123456789"), (2, b"hers"), (3, b"newer")):
        address = await theo.mutation("documents:open", {**opened, "version": version})
        assert (await theo.http.get(address)).content == content
    log = (await theo.query("records:accessLog", {"studentId": student}))["items"]
    assert [(each["name"], each["entry"]["action"], each["entry"]["isConfidential"]) for each in log] == [
        *[("Theo Lindqvist", "document.viewed", True)] * 3, *[("Theo Lindqvist", "document.shared", True)] * 2,
        ("Priya Castellan", "document.viewed", True), ("Theo Lindqvist", "document.shared", True),
    ]  # fmt: skip
    assert (await sofia.query("records:accessLog", {"studentId": student}))["items"] == []
    assert await code_of(priya.query("records:accessLog", {"studentId": student})) == "forbidden"
    [shown] = [each["document"]["_id"] for each in await theo.query("documents:list", {"studentId": student})
               if each["document"]["documentType"] == "assessment"]  # fmt: skip
    await theo.mutation("documents:share", {"documentId": shown, "email": "ruth@alder.example", "permission": "view"})
    outside = person(app, "ruth").mutation("documents:open", {"documentId": shown})
    assert await code_of(outside) == "not_found", "colleagues see what is shared with them of their own students"
    await much_later(app, timedelta(days=3 * 365 + 1), "documents:retention")
    titles = [each["document"]["title"] for each in await theo.query("documents:list", {"studentId": student})]
    assert "Talk with the family" not in titles
    assert "Letter of the audiologist" in titles


async def test_everything_about_one_student_is_given_and_erased_by_rule(app: TestApp) -> None:
    student, _ = await noa(app)
    ada, theo = person(app, "ada"), person(app, "theo")
    record = await theo.action("records:export", {"studentId": student})
    assert [len(record[each]) for each in ("ieps", "goals", "documents", "progress", "accesses")] == [1, 3, 3, 60, 1]
    assert record["student"]["dateOfBirth"] == "2014-03-19"
    assert (await theo.http.get(record["documents"][0]["address"])).status_code == 200
    assert await code_of(person(app, "sofia").action("records:export", {"studentId": student})) == "forbidden"
    erasing = {"studentId": student, "reason": "the family asks"}
    assert await code_of(theo.mutation("records:erase", erasing)) == "forbidden"
    assert await code_of(ada.mutation("records:erase", erasing)) == "must_be_kept"
    await ada.mutation("students:setEnrollment", {"studentId": student, "status": "transferred"})
    assert await code_of(ada.mutation("records:erase", erasing)) == "must_be_kept"
    await much_later(app, timedelta(days=5 * 365 + 2), "records:eraseDue")
    assert await ada.query("students:get", {"studentId": student}) is None
    assert (await ada.query("reports:district"))["points"] == 240


@pytest.mark.alike
async def test_an_organization_has_as_many_as_it_may(app: TestApp) -> None:
    ada = person(app, "ada", "harbor")
    child = {
        "firstName": "Kim", "lastName": "Lund", "dateOfBirth": "2014-01-01", "studentNumber": "1",
        "gradeLevel": "4", "primaryDisability": "Autism",
    }  # fmt: skip
    await ada.mutation("students:enrol", {"student": child})
    twice = ada.mutation("students:enrol", {"student": child})
    assert await code_of(twice) == "unique_violation"
    manager = {"student": {**child, "studentNumber": "2"}, "caseManagerId": await id_of(app, "theo")}
    assert await code_of(ada.mutation("students:enrol", manager)) == "not_found"
    [kim] = await ada.query("students:list")
    changed = {**child, "studentNumber": "7", "transportationNeeds": "A seat at the front"}
    await ada.mutation("students:update", {"studentId": kim["_id"], "student": changed})
    [kim] = await ada.query("students:list")
    assert (kim["studentNumber"], kim["transportationNeeds"]) == ("7", "A seat at the front")
    guest = {"email": "new@harbor.example", "firstName": "New", "lastName": "One", "role": "teacher"}
    new = await ada.mutation("organizations:invite", guest)
    assert await person(app, "new", "harbor").query("students:list") == []
    await ada.mutation("organizations:setActive", {"userId": new, "active": False})
    assert await person(app, "new", "harbor").query("organizations:me") is None
    assert [each["isActive"] for each in await ada.query("organizations:members")] == [False, True]
    own = {"userId": (await ada.query("organizations:me"))["user"]["_id"], "active": False}
    assert await code_of(ada.mutation("organizations:setActive", own)) == "not_yourself"
    theo = person(app, "theo")
    [noa_, *_] = [each for each in await theo.query("students:list") if each["firstName"] == "Noa"]
    numbered = {"studentId": noa_["_id"], "student": child}
    assert await code_of(theo.mutation("students:update", numbered)) == "forbidden", "numbers tell of other students"


async def test_a_text_is_written_until_it_is_signed(app: TestApp) -> None:
    student, first = await noa(app)
    theo, priya = person(app, "theo"), person(app, "priya")
    doc = Doc[Text]()
    doc.get("present", type=Text).insert(0, "Noa. ")
    typed = {"iepId": first, "update": doc.get_update()}
    async with priya.subscribe("ieps:text", {"iepId": first}) as read:
        assert "Noa. " not in text_of(read.value)
        await theo.mutation("ieps:writeText", typed)
        assert "Noa. " in text_of(read.value)
    assert await code_of(priya.mutation("ieps:writeText", typed)) == "forbidden"
    assert await code_of(person(app, "ruth").mutation("ieps:writeText", typed)) == "not_found"
    assert await code_of(person(app, "ruth").query("ieps:text", {"iepId": first})) == "not_found"
    given = {"studentId": student, "dates": dates(int(app.clock.now * 1000)), "content": CONTENT, "teamMembers": []}
    second = await theo.mutation("ieps:create", given)
    assert await code_of(theo.mutation("ieps:writeText", typed)) == "iep_frozen"
    doc.get("present", type=Text).insert(0, "Again: ")
    await theo.mutation("ieps:writeText", {"iepId": second, "update": doc.get_update()})
    changes = await theo.query("ieps:compare", {"beforeId": first, "afterId": second})
    [text] = [each for each in changes if each["field"] == "present"]
    assert ("Again: " in text["before"], "Again: " in text["after"]) == (False, True)
    await theo.mutation("ieps:approve", {"iepId": second, "signature": "T. Lindqvist"})
    assert await code_of(theo.mutation("ieps:writeText", {**typed, "iepId": second})) == "iep_frozen"


def test_nothing_grows_without_a_bound() -> None:
    assert list(TestApp(EDUCATION).registry.concerns()) == []
