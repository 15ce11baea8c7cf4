"""What planner's clients and operators get: who may do what, typed clients, and a sign-in by an issuer's tokens."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from helpers.generated_clients import checked_python, checked_typescript
from helpers.key_server import KeyServer
from helpers.token_issuing import RsaSigner
from helpers.written_access import check_written_access
from synovia.auth.issuers import Issuer
from synovia.auth.settings import AuthSettings
from synovia.identity import InvalidToken
from synovia.testing import TestApp
from synovia.testing.app import settings_for_tests

PLANNER = Path(__file__).resolve().parents[2] / "apps" / "planner"
CALLERS = {
    "nobody": None,
    "stranger": "eve@north.example?organizationId=org_north",
    "viewer": "cleo@north.example?organizationId=org_north",
    "member": "ben@north.example?organizationId=org_north",
    "admin": "ada@north.example?organizationId=org_north",
    "another's admin": "sue@south.example?organizationId=org_south",
}
PYTHON = """
from planner_api.mutations import schedules as changing
from planner_api.queries import schedules
from planner_api import OrganizationId, Schedule
from synovia_client import Client

async def plan(client: Client, organization: OrganizationId) -> list[Schedule]:
    made = await client.mutation(changing.create(plans=[{"title": "x", "startDate": 1, "endDate": 2}]))
    await client.mutation(changing.update(schedule_id=made[0]["_id"], status="lost"))  # wrong: arg-type
    return await client.query(schedules.active(organization_id=organization))
"""
TYPESCRIPT = """
import type { SynoviaClient } from "synovia-client";
import { api, type Id, type Schedule } from "./api.js";

export async function plan(client: SynoviaClient, organizationId: Id<"organizations">): Promise<Schedule[]> {
  const plans = [{ title: "x", startDate: 1, endDate: 2 }];
  const [made] = await client.mutation(api.mutations.schedules.create, { plans });
  await client.mutation(api.mutations.schedules.update, { scheduleId: made!._id, status: "lost" }); // wrong: TS2322
  return client.query(api.queries.schedules.active, { organizationId });
}
"""


async def test_the_matrix_of_access_is_that_of_today() -> None:
    await check_written_access(PLANNER, CALLERS)


@pytest.mark.slow
def test_clients_are_typed(tmp_path: Path) -> None:
    checked_python(PLANNER, PYTHON, tmp_path)
    checked_typescript(PLANNER, TYPESCRIPT, tmp_path)


async def test_an_issuers_token_says_which_organization() -> None:
    keys, signer = KeyServer(), RsaSigner("key-1")
    await keys.start()
    keys.documents["/jwks"] = {"keys": [signer.jwk]}
    issuer = Issuer(
        issuer=keys.url, audience=["planner"], jwks_uri=f"{keys.url}/jwks", claims={"organizationId": "org_id"}
    )
    settings = settings_for_tests().model_copy(update={"auth": AuthSettings(issuers=[issuer])})

    def token(**more: Any) -> str:
        now = int(time.time())
        claims = {"iss": keys.url, "aud": "planner", "sub": "7", "email": "ada@example.org", "email_verified": True}
        return signer.sign({**claims, "iat": now, "exp": now + 600, "org_id": "org_north", **more})

    try:
        async with TestApp(PLANNER, settings=settings) as app:
            ada = await app.bearer(token())
            made = await ada.mutation("mutations/organizations:create", {"name": "North", "slug": "north"})
            assert made["_id"] == "org_north"
            assert (await ada.query("queries/organizations:me"))["authId"] == f"{keys.url}|7"
            other = await app.bearer(token(org_id="org_south"))
            assert await other.query("queries/organizations:me") is None
            unverified = await app.bearer(token(email_verified=False))
            assert await unverified.query("queries/organizations:me") is None
            with pytest.raises(InvalidToken):
                await app.bearer(token(aud="another"))
    finally:
        await keys.stop()
