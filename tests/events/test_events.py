"""Tickets, payments and the door of events, on both stores."""

from __future__ import annotations

import asyncio
import io
import itertools
import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from PIL import Image

from helpers.events_scene import Concert, concert, payment, signed
from synovia import FunctionError, Identity
from synovia.testing import TestApp

pytestmark = pytest.mark.same_tables

HOOK = "/webhooks/payments"


async def said(app: TestApp, order: str, sequence: int, status: str, id: str | None = None) -> bool:
    body = payment(order, sequence, status, f"p-{order}")
    answer = await app.caller().http.post(HOOK, content=body, headers=signed(id or f"m{sequence}", body))
    assert answer.status_code == 200, answer.text
    return bool(answer.json()["new"])


async def reserved(app: TestApp, night: Concert, who: str = "bob", quantity: int = 1) -> str:
    buyer = app.caller(f"{who}@guests.example")
    order: str = await buyer.mutation("orders:reserve", {"tierId": night.tier, "quantity": quantity})
    return order


async def order_of(app: TestApp, who: str = "bob") -> dict[str, Any]:
    orders: list[dict[str, Any]] = await app.caller(f"{who}@guests.example").query("orders:mine")
    return orders[0]


async def passes_of(app: TestApp, night: Concert, people: int = 1) -> list[dict[str, Any]]:
    """Sell a ticket to each, and give their passes."""
    found = []
    for number in range(people):
        order = await reserved(app, night, f"guest{number}")
        body = payment(order, 2, "succeeded", f"p-{order}")
        await app.caller().http.post(HOOK, content=body, headers=signed(f"g{number}", body))
        found += await app.caller(f"guest{number}@guests.example").query("passes:mine")
    return found


async def refused(call: Any) -> str:
    with pytest.raises(FunctionError) as error:
        await call
    return error.value.code


# --- tickets


async def test_never_more_is_sold_than_there_is(app: TestApp) -> None:
    night = await concert(app.caller("ada@events.example"), stock=5)

    found = await asyncio.gather(*(reserved(app, night, f"g{n}") for n in range(12)), return_exceptions=True)
    assert sum(isinstance(each, str) for each in found) == 5
    assert {each.code for each in found if isinstance(each, FunctionError)} == {"sold_out"}
    assert await night.left() == 0


async def test_what_is_not_paid_is_given_back(app: TestApp, night: Concert) -> None:
    await reserved(app, night, quantity=4)
    async with app.caller().subscribe("gatherings:tiers", {"eventId": night.event}) as tiers:
        assert tiers.value[0]["left"] == 46
        await app.advance(timedelta(minutes=16))
        assert tiers.value[0]["left"] == 50
    assert (await order_of(app))["status"] == "expired"


@pytest.mark.parametrize("end", ["paid", "refunded"])
async def test_the_provider_may_say_it_twice_and_in_any_order(app: TestApp, night: Concert, end: str) -> None:
    words = [(1, "created"), (2, "succeeded"), (3, "refunded")][: 3 if end == "refunded" else 2]
    for number, order_of_words in enumerate(itertools.permutations(words)):
        who = f"buyer{number}"
        order = await reserved(app, night, who)
        for sequence, status in order_of_words * 2:
            body = payment(order, sequence, status, f"p{number}")
            await app.caller().http.post(HOOK, content=body, headers=signed(f"{number}-{sequence}", body))
        assert (await order_of(app, who))["status"] == end
        valid = [
            each for each in await app.caller(f"{who}@guests.example").query("passes:mine") if not each["cancelled"]
        ]
        assert len(valid) == (1 if end == "paid" else 0)
    assert await night.left() == (50 if end == "refunded" else 48)


@pytest.mark.alike
async def test_only_signed_words_of_the_provider_count(app: TestApp, night: Concert) -> None:
    order = await reserved(app, night)
    body, http = payment(order, 2, "succeeded"), app.caller().http
    for headers in (
        {},
        signed("m", body, "another"),
        signed("m", b"{}"),
        {**signed("m", body), "webhook-timestamp": "1"},
    ):
        answer = await http.post(HOOK, content=body, headers=headers)
        assert (answer.status_code, answer.json()["error"]["code"]) == (401, "unauthenticated")
    answer = await http.post(HOOK, content=b"{}", headers=signed("m", b"{}"))
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "invalid_arguments")
    assert (await order_of(app))["status"] == "reserved"
    assert [await said(app, order, 2, "succeeded") for _ in range(2)] == [True, False]


async def test_what_is_paid_too_late_gets_what_is_left(app: TestApp, night: Concert) -> None:
    order = await reserved(app, night)
    await app.advance(timedelta(minutes=16))
    await said(app, order, 2, "succeeded")
    assert ((await order_of(app))["status"], await night.left()) == ("paid", 49)


@pytest.mark.alike
async def test_sales_are_told_by_the_hour_as_they_happen(app: TestApp, night: Concert) -> None:
    async with app.caller("ada@events.example").subscribe("orders:sales", {"eventId": night.event}) as sales:
        assert sales.value == []
        await said(app, await reserved(app, night, quantity=2), 2, "succeeded")
        assert [(each["tickets"], each["amount"]) for each in sales.value] == [(2, 7_000)]
    assert await app.caller("bob@guests.example").query("users:notifications")


# --- the door


async def test_a_pass_is_admitted_once_of_twenty_scans(app: TestApp, night: Concert) -> None:
    [ticket] = await passes_of(app, night)
    owner = app.caller("ada@events.example")

    def scan(number: int) -> Any:
        one = {"scanId": f"s{number}", "code": ticket["code"], "scannedAt": number}
        return owner.mutation("passes:check_in", {"eventId": night.event, "scanner": f"d{number}", "scans": [one]})

    async with owner.subscribe("passes:door", {"eventId": night.event}) as door:
        found = [verdict["outcome"] for [verdict] in await asyncio.gather(*map(scan, range(20)))]
        assert sorted(found) == ["admitted"] + ["already"] * 19
        assert (door.value["admitted"], door.value["passes"], len(door.value["last"])) == (1, 1, 1)


@pytest.mark.alike
async def test_a_scanner_that_was_offline_says_what_it_has_seen(app: TestApp, night: Concert) -> None:
    codes = [each["code"] for each in await passes_of(app, night, 3)]
    owner = app.caller("ada@events.example")

    async def come_back(scanner: str, *seen: str) -> list[str]:
        scans = [{"scanId": f"{scanner}{code}", "code": code, "scannedAt": n} for n, code in enumerate(seen)]
        args = {"eventId": night.event, "scanner": scanner, "scans": scans}
        return [each["outcome"] for each in await owner.mutation("passes:check_in", args)]

    assert await come_back("a", codes[0].upper(), codes[1]) == ["admitted", "admitted"]
    assert await come_back("a", codes[0].upper(), codes[1]) == ["admitted", "admitted"]  # the answer was lost
    assert await come_back("b", codes[1], codes[2], "0" * 20, codes[2] + " ") == [
        "already",
        "admitted",
        "unknown",
        "already",
    ]
    order = (await order_of(app, "guest2"))["_id"]
    await said(app, order, 9, "refunded", "r")
    assert await come_back("c", codes[2]) == ["cancelled"]


async def test_a_time_that_no_page_can_show_is_refused(app: TestApp, night: Concert) -> None:
    mallory = app.caller("mallory@elsewhere.example")
    workspace = await mallory.mutation(
        "workspaces:found", {"organization": "Elsewhere", "slug": "elsewhere", "workspace": "Elsewhere"}
    )
    for at in (2**62, 253_402_300_800_000, -1):
        plan = {"workspaceId": workspace, "title": "Never", "venue": "Nowhere", "startsAt": at}
        assert await refused(mallory.mutation("gatherings:plan", plan)) == "invalid_arguments"


async def test_who_is_taken_into_many_workspaces_of_somebody_keeps_their_own(app: TestApp) -> None:
    mallory, ada = app.caller("mallory@elsewhere.example"), app.caller("ada@events.example")
    elsewhere = {"organization": "Elsewhere", "slug": "elsewhere", "workspace": "Elsewhere"}
    workspace = await mallory.mutation("workspaces:found", elsewhere)
    for number in range(101):
        team = {"workspaceId": workspace, "team": f"team {number}", "authId": "dev|ada@events.example", "role": "door"}
        await mallory.mutation("workspaces:set_team", team)
    night = await concert(ada)
    team = {"workspaceId": night.workspace, "team": "doors", "authId": "dev|ada@events.example", "role": "organizer"}
    await ada.mutation("workspaces:set_team", team)
    member = {"workspaceId": night.workspace, "authId": "dev|ada@events.example", "role": None}
    await ada.mutation("workspaces:set_role", member)
    assert await ada.query("users:may", {"workspaceId": night.workspace, "capability": "events.manage"})


# --- pictures


@pytest.mark.slow
@pytest.mark.alike
async def test_pictures_are_made_refused_watched_and_mailed(app: TestApp, night: Concert) -> None:
    await passes_of(app, night, 3)
    spam = app.caller(Identity("dev", "spam", email="spam@guests.example", name="www.casino.example"))
    order = await spam.mutation("orders:reserve", {"tierId": night.tier})
    await said(app, order, 2, "succeeded", "spam")
    owner = app.caller("ada@events.example")
    template = await owner.mutation("pictures:design", {"eventId": night.event, "headline": "I am there"})
    batch = {"batchId": await owner.mutation("pictures:start", {"templateId": template})}
    seen = list[Any]()
    stranger = app.caller("stranger@events.example")
    await concert(stranger, slug="elsewhere")
    async with (
        owner.subscribe("pictures:progress", batch) as progress,
        stranger.subscribe("pictures:progress", batch) as hidden,
    ):
        seen.append(progress.value)
        await app.advance(raise_failures=False)
        seen.append(progress.value)
        assert hidden.value is None
    assert [(each["status"], each["waiting"], each["done"], each["refused"]) for each in seen] == [
        ("running", 0, 0, 0),
        ("done", 0, 3, 1),
    ]
    assert seen[1]["summary"] == "4 pictures: 3 done, 1 refused"
    shown = await owner.query("pictures:of_batch", batch)
    address = shown["items"][0]["url"]
    png = Image.open(io.BytesIO((await owner.http.get(address)).content))
    assert (png.format, png.size) == ("PNG", (480, 480))
    token = address.split("/")[-2]
    guess = address.replace(token, ("B" if token[0] == "A" else "A") + token[1:])
    assert (await owner.http.get(guess)).status_code == 404, "an address is told to those who may see the file"
    app.mails.clear()
    await owner.mutation("campaigns:send", {**batch, "subject": "You are coming", "text": "Show it around."})
    await app.advance(raise_failures=False)
    assert sorted(mail["To"] for mail in app.mails) == [f"guest{n}@guests.example" for n in range(3)]
    [attached] = app.mails[0].iter_attachments()
    assert attached.get_content()[:4] == b"\x89PNG"
    assert (await owner.query("campaigns:of_batch", batch))[0]["status"] == "done"


@pytest.mark.alike
async def test_nothing_is_kept_of_a_batch_that_is_cancelled(app: TestApp, night: Concert) -> None:
    await passes_of(app, night, 2)
    owner = app.caller("ada@events.example")
    template = await owner.mutation("pictures:design", {"eventId": night.event, "headline": "I am there"})
    batch = {"batchId": await owner.mutation("pictures:start", {"templateId": template})}
    assert await owner.mutation("pictures:cancel", batch) is True
    assert await owner.mutation("pictures:cancel", batch) is False
    await app.advance(raise_failures=False)
    found = await owner.query("pictures:progress", batch)
    assert (found["status"], found["done"]) == ("cancelled", 0)
    assert await refused(owner.mutation("campaigns:send", {**batch, "subject": "No", "text": ""})) == "not_done"


# --- who may what


@pytest.mark.alike
async def test_capabilities_come_from_membership_teams_and_the_platform(app: TestApp, night: Concert) -> None:
    dan, ada = app.caller("dan@events.example"), app.caller("ada@events.example")
    key = "dev|dan@events.example"
    door = {"eventId": night.event, "scanner": "d", "scans": []}
    assert await refused(dan.mutation("passes:check_in", door)) == "forbidden"
    team = {"workspaceId": night.workspace, "team": "Friday", "authId": key}
    await ada.mutation("workspaces:set_team", {**team, "role": "door"})
    assert await dan.mutation("passes:check_in", door) == []
    assert await refused(dan.query("orders:sales", {"eventId": night.event})) == "forbidden"
    await ada.mutation("workspaces:set_team", {**team, "role": None})
    assert await refused(dan.mutation("passes:check_in", door)) == "forbidden"
    member = {"workspaceId": night.workspace, "authId": key}
    async with dan.subscribe("workspaces:mine") as mine:
        assert mine.value == []
        await ada.mutation("workspaces:set_role", {**member, "role": "finance"})
        assert len(mine.value) == 1
        assert await dan.query("orders:sales", {"eventId": night.event}) == []
        await ada.mutation("workspaces:set_role", {**member, "role": None})
        assert mine.value == []
    assert await refused(ada.mutation("users:appoint", {"authId": key, "role": "support"})) == "forbidden"
    await app.trusted.mutation("users:appoint", {"authId": key, "role": "support"})
    assert await dan.query("orders:sales", {"eventId": night.event}) == []


# --- programs


@pytest.mark.alike
async def test_a_deployment_is_noted_once(app: TestApp) -> None:
    said = {"commit": "c0ffee", "environment": "production", "status": "ok"}
    times = {"started_at": "2026-11-29T03:00:00Z", "finished_at": "2026-11-29T03:01:30Z"}
    body, http = json.dumps(said | times).encode(), app.caller().http
    answers = [await http.post("/webhooks/deployments", content=body, headers=signed("d1", body)) for _ in range(2)]
    assert [(each.status_code, each.json()["new"]) for each in answers] == [(202, True), (202, False)]
    assert (await http.get("/status")).json() == {"status": "ok", "release": "c0ffee"}
    await app.trusted.mutation("users:appoint", {"authId": "dev|sue@events.example", "role": "support"})
    [release] = await app.caller("sue@events.example").query("operations:releases")
    assert (release["seconds"], release["environment"]) == (90.0, "production")


@pytest.mark.alike
async def test_a_scheduler_elsewhere_has_a_key(app: TestApp) -> None:
    assert (await app.caller("ada@events.example").http.post("/jobs/reminders")).status_code == 403
    scheduler = app.caller(Identity("service", "cron", roles=("scheduler",)))
    night = await concert(app.caller("ada@events.example"), slug="soon")
    await passes_of(app, night, 2)
    await app.trusted.mutation("gatherings:publish", {"eventId": night.event})
    assert (await scheduler.http.post("/jobs/reminders")).json() == {"events": 0}


@pytest.mark.alike
async def test_who_holds_a_pass_is_reminded_once(app: TestApp, night: Concert) -> None:
    soon = {"title": "Tonight", "venue": "Pier", "startsAt": int(app.clock.now * 1000) + 10**7}
    event = await night.owner.mutation("gatherings:plan", {"workspaceId": night.workspace, **soon})
    await night.owner.mutation("gatherings:publish", {"eventId": event})
    tier = {"eventId": event, "name": "Standing", "price": 1, "stock": 2}
    await passes_of(app, replace(night, tier=await night.owner.mutation("gatherings:add_tier", tier)), 2)
    scheduler = app.caller(Identity("service", "cron", roles=("scheduler",)))
    for begun in (1, 0):
        assert (await scheduler.http.post("/jobs/reminders")).json() == {"events": begun}
        await app.advance(raise_failures=False)
        told = await app.caller("guest1@guests.example").query("users:notifications")
        assert [each["text"] for each in told] == ["Tonight begins soon.", "1 tickets are yours."]
