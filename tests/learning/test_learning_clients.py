"""What learning's clients and operators get: who may do what, and typed clients."""

from __future__ import annotations

from pathlib import Path

import pytest

from helpers.generated_clients import checked_python, checked_typescript
from helpers.written_access import check_written_access

LEARNING = Path(__file__).resolve().parents[2] / "apps" / "learning"
CALLERS = {
    "nobody": None,
    "stranger": "eve@north.example?tenantId=north",
    "member": "member0@north.example?tenantId=north",
    "teacher": "theo@north.example?tenantId=north",
    "supporter": "sofia@north.example?tenantId=north",
    "admin": "ada@north.example?tenantId=north",
    "another's admin": "ada@south.example?tenantId=south",
}
PYTHON = """
from learning_api import Count, courses, reports
from synovia_client import Client

async def learn(client: Client) -> list[Count]:
    for course in await client.query(courses.list()):
        await client.mutation(courses.enrol(course_id=course["_id"], place=1))  # wrong: call-arg
    return await client.query(reports.enrolments())
"""
TYPESCRIPT = """
import type { SynoviaClient } from "synovia-client";
import { api, type Count } from "./api.js";

export async function learn(client: SynoviaClient): Promise<Count[]> {
  const [course] = await client.query(api.courses.list);
  await client.mutation(api.courses.enrol, { courseId: course!._id });
  await client.query(api.courses.enrolments, { sort: "name" }); // wrong: TS2322
  return client.query(api.reports.enrolments);
}
"""


async def test_the_matrix_of_access_is_that_of_today() -> None:
    await check_written_access(LEARNING, CALLERS)


@pytest.mark.slow
def test_clients_are_typed(tmp_path: Path) -> None:
    checked_python(LEARNING, PYTHON, tmp_path)
    checked_typescript(LEARNING, TYPESCRIPT, tmp_path)
