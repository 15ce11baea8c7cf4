"""Every function that clients may call, tried by every kind of caller: apps/events/ACCESS.md says what comes of it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from helpers.events_scene import APPLICATION, SECRET, SOON, concert, payment, signed
from synovia import FunctionError, Id, Identity
from synovia.functions.registry import Registry
from synovia.testing import TestApp
from synovia.testing.caller import Caller

PEOPLE = ("nobody", "guest", "stranger", "door", "finance", "organizer", "owner", "support", "admin")
ADDRESSES = {"nobody": None, "guest": "bob@guests.example", "owner": "ada@events.example"}
ALONE = {"EVENTS_SERVICE_URL": "http://127.0.0.1:1", "EVENTS_PAYMENT_SECRET": SECRET}
HIDDEN = ("Secret Night", "bob@guests.example")
GIVEN: dict[str, dict[str, Any]] = {
    "users:may": {"capability": "events.manage", "workspaceId": "$workspace"},
    "users:work_in": {"workspaceId": "$workspace"},
    "users:appoint": {"authId": "dev|new@events.example", "role": "support"},
    "users:read": {"notificationId": "$notification"},
    "workspaces:found": {"organization": "Own", "slug": "own", "workspace": "Own"},
    "workspaces:members": {"workspaceId": "$workspace"},
    "workspaces:set_role": {"workspaceId": "$workspace", "authId": "dev|new@events.example", "role": "door"},
    "workspaces:set_team": {
        "workspaceId": "$workspace",
        "team": "A",
        "authId": "dev|new@events.example",
        "role": "door",
    },
    "gatherings:plan": {"workspaceId": "$workspace", "title": "More", "venue": "Pier", "startsAt": SOON},
    "gatherings:publish": {"eventId": "$draft", "published": False},
    "gatherings:add_tier": {"eventId": "$draft", "name": "T", "price": 1, "stock": 1},
    "gatherings:add_session": {"eventId": "$draft", "title": "S", "startsAt": SOON},
    "gatherings:of_workspace": {"workspaceId": "$workspace"},
    "gatherings:get": {"eventId": "$draft"},
    "gatherings:tiers": {"eventId": "$draft"},
    "gatherings:sessions": {"eventId": "$draft"},
    "orders:reserve": {"tierId": "$hidden_tier"},
    "orders:get": {"orderId": "$order"},
    "orders:checkout": {"orderId": "$open_order"},
    "orders:refund": {"orderId": "$order"},
    "orders:sales": {"eventId": "$event"},
    "passes:check_in": {
        "eventId": "$event",
        "scanner": "d",
        "scans": [{"scanId": "1", "code": "$code", "scannedAt": 1}],
    },
    "passes:door": {"eventId": "$event"},
    "passes:find": {"eventId": "$event", "text": "bob"},
    "passes:paper": {"code": "$code"},
    "pictures:design": {"eventId": "$event", "headline": "H"},
    "pictures:start": {"templateId": "$template"},
    "pictures:cancel": {"batchId": "$batch"},
    "pictures:batches": {"eventId": "$event"},
    "pictures:progress": {"batchId": "$batch"},
    "pictures:of_batch": {"batchId": "$batch"},
    "campaigns:send": {"batchId": "$batch", "subject": "S", "text": "T"},
    "campaigns:of_batch": {"batchId": "$batch"},
}


async def scene(app: TestApp) -> dict[str, str]:
    """Build a workspace with everything in it, and give the ids."""
    ada, bob = app.caller("ada@events.example"), app.caller("bob@guests.example")
    night = await concert(ada)
    for role in ("door", "finance", "organizer"):
        member = {"workspaceId": night.workspace, "authId": f"dev|{role}@events.example", "role": role}
        await ada.mutation("workspaces:set_role", member)
    for role in ("support", "admin"):
        await app.trusted.mutation("users:appoint", {"authId": f"dev|{role}@events.example", "role": role})
    order = await bob.mutation("orders:reserve", {"tierId": night.tier})
    body = payment(order, 2, "succeeded")
    await app.caller().http.post("/webhooks/payments", content=body, headers=signed("m", body))
    another = await bob.mutation("orders:reserve", {"tierId": night.tier})
    plan = {"workspaceId": night.workspace, "title": "Secret Night", "venue": "Pier", "startsAt": SOON}
    draft = await ada.mutation("gatherings:plan", plan)
    hidden = await ada.mutation("gatherings:add_tier", {"eventId": draft, "name": "T", "price": 1, "stock": 9})
    await ada.mutation("gatherings:add_session", {"eventId": draft, "title": "Secret Night", "startsAt": SOON})
    template = await ada.mutation("pictures:design", {"eventId": night.event, "headline": "H"})
    batch = await ada.mutation("pictures:start", {"templateId": template})
    [ticket], [told] = await bob.query("passes:mine"), await bob.query("users:notifications")
    return {
        "workspace": night.workspace, "event": night.event, "draft": draft, "hidden_tier": hidden, "order": order,
        "open_order": another,
        "code": ticket["code"], "template": template, "batch": batch, "notification": told["_id"],
    }  # fmt: skip


async def tried(caller: Caller, kind: str, path: str, ids: dict[str, str]) -> tuple[str, Any]:
    """Call a function, and tell what comes of it in a word."""
    text = json.dumps(GIVEN.get(path, {}))
    for name, value in ids.items():
        text = text.replace(f'"${name}"', json.dumps(value))
    try:
        answer = await getattr(caller, kind)(path, json.loads(text))
    except FunctionError as error:
        return {"service_unavailable": "yes", "not_done": "yes"}.get(error.code, error.code), None
    rows = answer["items"] if isinstance(answer, dict) and "items" in answer else answer
    return "nothing" if kind == "query" and not rows else "yes", answer


@pytest.mark.slow
async def test_who_may_what_is_as_the_table_says(registry: Registry) -> None:
    functions = {
        path: each for path, each in sorted(registry.functions.items()) if not each.access.internal and ":" in path
    }
    functions = {path: each for path, each in functions.items() if not path.startswith(("_", "/"))}
    columns = dict[str, dict[str, str]]()
    for person in PEOPLE:
        async with TestApp(registry, variables=ALONE) as app:
            ids = await scene(app)
            if person == "stranger":
                await concert(app.caller("stranger@events.example"), slug="elsewhere")
            address = ADDRESSES.get(person, f"{person}@events.example")
            columns[person] = {}
            for path, function in functions.items():
                word, answer = await tried(app.caller(address), function.kind.value, path, ids)
                columns[person][path] = word
                shown = [text for text in HIDDEN if text in repr(answer)]
                assert not shown or person not in ("nobody", "stranger"), f"{person} is shown {shown} by {path}"
    lines = ["| function | " + " | ".join(PEOPLE) + " |", "|---" * (len(PEOPLE) + 1) + "|"]
    lines += [f"| `{path}` | " + " | ".join(columns[person][path] for person in PEOPLE) + " |" for path in functions]
    written = (APPLICATION / "ACCESS.md").read_text()
    assert "\n".join(lines) in written, "\n".join(lines)


async def test_the_service_reads_papers_and_nothing_else(registry: Registry) -> None:
    async with TestApp(registry, variables=ALONE) as app:
        ids, service = await scene(app), app.caller(Identity("service", "papers", roles=("papers",)))
        assert (await service.query("passes:paper", {"code": ids["code"]}))["title"] == "Harbour Nights"
        with pytest.raises(FunctionError, match="needs"):
            await service.query("orders:sales", {"eventId": ids["event"]})
        assert await service.query("orders:get", {"orderId": Id(ids["order"])}) is None
