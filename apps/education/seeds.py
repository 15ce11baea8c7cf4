"""A district to look at, with invented people, and an agency beside it whose people learn of none of its students."""

from math import sin
from typing import Any

from pycrdt import Array, Doc, Text

from education import schema as its
from synovia import Id, MutationContext, seed

DAY = 86_400_000
STAFF: tuple[tuple[str, str, its.Role], ...] = (
    ("Ada", "Okafor", "admin"), ("Theo", "Lindqvist", "teacher"), ("Sofia", "Marin", "specialist"),
    ("Ruth", "Adler", "teacher"), ("Jonas", "Petersen", "specialist"),
    ("Priya", "Castellan", "parent"), ("Noa", "Castellan", "student"),
)  # fmt: skip
STUDENTS = (
    ("Noa", "Castellan", "2014-03-19", "5", "Specific learning disability", "Theo"),
    ("Milo", "Brandvold", "2013-11-02", "6", "Speech or language impairment", "Theo"),
    ("Imani", "Whitlock", "2015-07-28", "4", "Autism", "Theo"),
    ("Tomas", "Varga", "2012-01-14", "7", "Other health impairment", "Ruth"),
    ("Leila", "Haddad", "2014-09-09", "5", "Hearing impairment", "Ruth"),
)
GOALS: tuple[tuple[its.Domain, str, str, float, float, float], ...] = (
    ("academic", "Reads a passage of the grade aloud at 110 words a minute with few errors", "words a minute", 62, 110, 1.9),
    ("communication", "Asks for help in a full sentence before a task is given up", "% of occasions", 20, 80, 2.6),
    ("social", "Joins a group of classmates and stays with it for a whole activity", "% of occasions", 35, 75, 1.1),
)  # fmt: skip


def _settings(today: int) -> its.OrganizationSettings:
    year = its.AcademicYear(start=today - 90 * DAY, end=today + 200 * DAY)
    grades, periods = [str(each) for each in range(1, 13)], ["Autumn", "Winter", "Spring"]
    return its.OrganizationSettings(
        timezone="America/Denver", academic_year=year, grade_system=grades, reporting_periods=periods
    )


async def _organization(ctx: MutationContext, name: str, type_: str, domain: str) -> Id[its.Organization]:
    address = {"street": "400 Juniper Street", "city": "Alder Falls", "state": "CO", "zip_code": "80000"}
    return await ctx.db.insert(its.Organization.model_validate({
        "name": name, "type": type_, "address": {**address, "country": "US"}, "max_users": 200,
        "contact_info": {"phone": "555-0100", "email": f"office@{domain}"}, "max_students": 2_000,
        "settings": _settings(ctx.now - ctx.now % DAY), "subscription_tier": "professional",
    }))  # fmt: skip


@seed
async def a_district(ctx: MutationContext) -> None:
    """Write what there is to look at."""
    agency = await _organization(ctx, "Harbor Therapy Agency", "agency", "harbor.example")
    await ctx.db.insert(
        its.User(email="ada@harbor.example", first_name="Ada", last_name="Quill", role="admin", organization_id=agency)
    )
    district = await _organization(ctx, "Alder Falls School District", "district", "alder.example")
    people: dict[str, Id[its.User]] = {}
    for first, last, role in STAFF:
        user = its.User(
            email=f"{first.lower()}@alder.example", first_name=first, last_name=last, role=role,
            organization_id=district,
        )  # fmt: skip
        people[first] = await ctx.db.insert(user)
    for number, (first, last, born, grade, disability, manager) in enumerate(STUDENTS):
        contact = its.EmergencyContact(
            name=f"{'Priya' if number == 0 else 'Alex'} {last}", relationship="parent", phone=f"555-01{number}7"
        )
        student = await ctx.db.insert(its.Student(
            organization_id=district, first_name=first, last_name=last, date_of_birth=born,
            student_number=f"AF-{2041 + 13 * number}", grade_level=grade, primary_disability=disability,
            case_manager_id=people[manager], iep_status="active", emergency_contacts=[contact],
        ))  # fmt: skip
        await _program(ctx, district, student, people, manager, number)


async def _program(
    ctx: MutationContext, district: Id[its.Organization], student: Id[its.Student], people: dict[str, Id[its.User]],
    manager: str, number: int,
) -> None:  # fmt: skip
    today = ctx.now - ctx.now % DAY
    of: dict[str, Any] = {"organization_id": district, "student_id": student}
    specialist = "Sofia" if manager == "Theo" else "Jonas"
    extra = its.Accommodation(
        category="Timing", description="Half as much time again for written tests", setting="All classes"
    )
    quiet = its.Accommodation(category="Setting", description="A seat away from the door", setting="Tests")
    iep = await ctx.db.insert(its.Iep(
        effective_date=today - 70 * DAY, expiration_date=today + 295 * DAY, meeting_date=today - 77 * DAY,
        next_review_date=today + 280 * DAY, placement="General education with a resource room", status="active",
        service_hours=its.ServiceHours(special_education=5, speech_therapy=1.5, counseling=0.5),
        accommodations=[extra, quiet], modifications=MODIFIED[:number % 2], version=1,
        transition_plan=its.TransitionPlan(**AFTER_SCHOOL) if number in (1, 3) else None, created_by=people[manager],
        team_members=[people[manager], people[specialist]], **of,
    ))  # fmt: skip
    await ctx.shared.append(its.Iep.text, iep, _text(STUDENTS[number][0]))
    await _documents(ctx, iep, of, people[manager], [] if number else [people["Priya"], people["Noa"]])
    for place, (domain, text, unit, base, target, week) in enumerate(GOALS):
        goal = await ctx.db.insert(its.Goal(
            goal_number=place + 1, domain=domain, description=text, iep_id=iep, frequency="twice a week",
            baseline_data=its.Baseline(measurement=unit, date=today - 70 * DAY, value=base),
            target_criteria=its.Target(measurement=unit, target=target, timeframe="36 weeks"),
            evaluation_method="Curriculum-based measurement", responsible_provider=people[specialist], **of,
        ))  # fmt: skip
        points = [_point(today, each, base, week, unit, 7 * number + 3 * place) for each in range(20)]
        await ctx.db.insert_many([
            its.ProgressData(goal_id=goal, iep_id=iep, recorded_by=people[specialist], **of, **dict(point))
            for point in points
        ])  # fmt: skip


MODIFIED = [
    its.Modification(
        subject="Written work", description="Half of the pages, in points instead of full sentences",
        criteria="What is handed in shows that the text was understood",
    ),
]  # fmt: skip
AFTER_SCHOOL: dict[str, list[str]] = {
    "post_secondary_goals": ["A training in which much is built by hand", "Goes to work by bus alone"],
    "transition_services": ["Two weeks in a workshop every spring"],
    "agency_involvement": ["Vocational rehabilitation of the state"],
}
PAPERS: tuple[tuple[its.DocumentType, str, str, bool, bool], ...] = (
    ("iep", "Program, as it was handed out", "The program of this year, as talked about at the meeting.", False, True),
    ("assessment", "Reading assessment, autumn", "Fluency 62 words a minute; comprehension at grade level.", False, True),
    ("medical", "Letter of the audiologist", "Hearing within normal limits on both sides.", True, False),
)  # fmt: skip
"""Of what type, its title and text, whether it is confidential, whether the family is shown it."""


async def _documents(
    ctx: MutationContext, iep: Id[its.Iep], keys: dict[str, Any], by: Id[its.User], family: list[Id[its.User]]
) -> None:
    given = [its.AccessPermission(user_id=each, permission="download") for each in family]
    for kind, title, text, confidential, shown in PAPERS:
        await ctx.db.insert(its.Document(
            document_type=kind, title=title, is_confidential=confidential, uploaded_by=by,
            keep_until=ctx.now + 7 * 365 * DAY, access_permissions=given if shown else [],
            related_iep_id=iep if kind == "iep" else None, **keys,
            file=await ctx.files.write(text.encode(), name=f"{title}.txt", type="text/plain"),
        ))  # fmt: skip


def _text(name: str) -> bytes:
    """Write what a team has written of a student so far, as its editors would."""
    doc = Doc[Any]()
    for root, words in TEXT.items():
        doc.get(root, type=Text).insert(0, words.format(name=name))
    doc.get("agreements", type=Array).extend([Text(each.format(name=name)) for each in AGREEMENTS])
    return bytes(doc.get_update())


TEXT = {
    "present": "{name} reads short passages of the grade and understands what has been read aloud. Longer texts tire {name} "
    "out after about ten minutes; with a marker under the line it goes noticeably better.\n\n"
    "In the small group {name} takes part without being asked.",
    "strengths": "Curious, patient with younger children, and very good at building things from a plan.",
    "concerns": "The family would like homework that can be done in half an hour, and to hear weekly how reading goes.",
}
AGREEMENTS = (
    "A short note to the family every Friday",
    "Reading partner twice a week",
    "{name} chooses the first text",
)


def _point(today: int, number: int, base: float, week: float, unit: str, noise: int) -> its.Observation:
    value = round(base + week * number / 2 + 4 * sin(1.7 * number + noise), 1)
    levels: tuple[its.MasteryLevel, ...] = ("emerging", "developing", "proficient", "mastered")
    helped: tuple[its.Independence, ...] = ("full_support", "partial_support", "independent")
    return its.Observation(
        recorded_date=today - (68 - 3 * number) * DAY + 36_000_000, measurement_value=value, measurement_unit=unit,
        mastery_level=levels[min(2, number // 7)], setting_type="Resource room" if number % 3 else "Classroom",
        independence_level=helped[min(2, number // 8)], session_duration=20 + 5 * (number % 4),
    )  # fmt: skip
