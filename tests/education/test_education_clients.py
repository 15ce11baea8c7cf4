"""What education's clients and operators get: who may do what, and typed clients."""

from __future__ import annotations

from pathlib import Path

import pytest

from helpers.generated_clients import checked_python, checked_typescript
from helpers.written_access import check_written_access

EDUCATION = Path(__file__).resolve().parents[2] / "apps" / "education"
CALLERS = {
    "nobody": None,
    "stranger": "eve@alder.example",
    "student": "noa@alder.example",
    "parent": "priya@alder.example",
    "specialist": "sofia@alder.example",
    "teacher": "theo@alder.example",
    "admin": "ada@alder.example",
    "another's admin": "ada@harbor.example",
}
PYTHON = """
from education_api import IepView, ieps, students
from synovia_client import Client

async def look(client: Client) -> IepView | None:
    [student, *_] = await client.query(students.list())
    await client.mutation(students.open(student_id=student["_id"], why=1))  # wrong: call-arg
    [newest, *_] = await client.query(ieps.history(student_id=student["_id"]))
    return await client.query(ieps.get(iep_id=newest["_id"]))
"""
TYPESCRIPT = """
import type { SynoviaClient } from "synovia-client";
import { api, type Id, type Progress } from "./api.js";

export async function look(client: SynoviaClient, goalId: Id<"goals">): Promise<Progress | null> {
  const [student] = await client.query(api.students.list);
  await client.mutation(api.students.open, { studentId: student!._id });
  await client.query(api.goals.progress, { goalId: 5 }); // wrong: TS2322
  return client.query(api.goals.progress, { goalId });
}
"""


async def test_the_matrix_of_access_is_that_of_today() -> None:
    await check_written_access(EDUCATION, CALLERS)


@pytest.mark.slow
def test_clients_are_typed(tmp_path: Path) -> None:
    checked_python(EDUCATION, PYTHON, tmp_path)
    checked_typescript(EDUCATION, TYPESCRIPT, tmp_path)
