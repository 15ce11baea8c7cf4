"""The service beside events, reached through a gateway under a path: a ticket is bought, mailed, printed and paid back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import httpx2
import pytest
from pydantic import SecretStr
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from events.service.main import ServiceSettings, create
from events.service.provider import Provider
from helpers.events_scene import SECRET, Concert, concert
from helpers.mongod import free_port
from helpers.serving import serving
from synovia.functions.registry import Registry
from synovia.testing import TestApp

OURS = {"Authorization": f"Bearer {SECRET}"}


def gateway(behind: int) -> Starlette:
    """Make a gateway that serves what is behind it under ``/tickets``."""

    async def forward(request: Request) -> Response:
        address = f"http://127.0.0.1:{behind}{request.url.path.removeprefix('/tickets')}"
        async with httpx2.AsyncClient(trust_env=False) as client:
            answer = await client.request(
                request.method, address, content=await request.body(), headers=request.headers.raw
            )
        return Response(answer.content, answer.status_code, media_type=answer.headers.get("content-type"))

    return Starlette(routes=[Route("/tickets/{path:path}", forward, methods=["GET", "POST"])])


@dataclass(frozen=True)
class Town:
    """The application, its service, and the gateway before that."""

    app: TestApp
    night: Concert
    provider: Provider
    tickets: httpx2.AsyncClient


@pytest.fixture
async def town(registry: Registry) -> AsyncIterator[Town]:
    """Run all three; mail and the schedule go when the test says so."""
    port = free_port()
    variables = {
        "EVENTS_SERVICE_URL": f"http://127.0.0.1:{port}",
        "EVENTS_SERVICE_SECRET": SECRET,
        "EVENTS_PAYMENT_SECRET": SECRET,
    }
    async with (
        asyncio.timeout(60),
        TestApp(registry, variables=variables) as app,
        serving(app.server, lifespan="off") as hub,
    ):
        key = await app.server.service_keys.create("papers", ["papers"])
        setup = ServiceSettings(
            backend_url=f"http://127.0.0.1:{hub}", backend_key=SecretStr(key.token),
            service_secret=SecretStr(SECRET), payment_secret=SecretStr(SECRET),
        )  # fmt: skip
        service = create(setup)
        async with (
            serving(service, port=port, root_path="/tickets"),
            serving(gateway(port)) as gate,
            httpx2.AsyncClient(base_url=f"http://127.0.0.1:{gate}/tickets", trust_env=False) as tickets,
        ):
            yield Town(app, await concert(app.caller("ada@events.example")), service.state.provider, tickets)


async def bought(town: Town) -> tuple[Any, dict[str, Any]]:
    """Buy a ticket as somebody would; give them and their pass."""
    bob = town.app.caller("bob@guests.example")
    order = await bob.mutation("orders:reserve", {"tierId": town.night.tier})
    await bob.action("orders:checkout", {"orderId": order})
    [payment] = town.provider.payments
    assert (await town.tickets.post(f"/payments/{payment}/pay")).status_code == 202
    await town.provider.settled()
    await town.app.advance()
    [ticket] = await bob.query("passes:mine")
    return bob, ticket


async def test_a_ticket_is_bought_mailed_and_paid_back(town: Town) -> None:
    bob, ticket = await bought(town)
    [mail] = town.app.mails
    [paper] = mail.iter_attachments()
    assert (mail["To"], paper.get_content_type(), paper.get_content()[:5]) == (
        "bob@guests.example",
        "application/pdf",
        b"%PDF-",
    )
    [order] = await bob.query("orders:mine")
    await town.app.caller("ada@events.example").mutation("orders:refund", {"orderId": order["_id"]})
    await town.app.advance()
    await town.provider.settled()
    assert ((await bob.query("orders:mine"))[0]["status"], await town.night.left()) == ("refunded", 50)
    assert (await bob.query("passes:mine"))[0]["cancelled"]
    assert ticket["holder"]


async def test_papers_are_had_under_the_path_of_the_gateway_by_the_backend_alone(town: Town) -> None:
    _, ticket = await bought(town)
    links = (await town.tickets.get(f"/passes/{ticket['code']}", headers=OURS)).json()
    pdf, png = (b"%PDF-", "application/pdf"), (b"\x89PNG", "image/png")
    kinds = {"wallet": pdf, "badge": pdf, "badge_image": png}
    for kind, (start, media_type) in kinds.items():
        assert "/tickets/passes/" in links[kind]
        answer = await town.tickets.get(links[kind], headers=OURS)
        assert answer.content.startswith(start), answer.text[:200]
        assert answer.headers["content-type"] == media_type
    assert (await town.tickets.get(links["badge"])).status_code == 401
    for code in ("0" * 20, "..%2F..%2Fauth", "x" * 500):
        assert (await town.tickets.get(f"/passes/{code}/badge.png", headers=OURS)).status_code == 404
    assert (await town.tickets.get(f"/passes/{ticket['code']}/badge.exe", headers=OURS)).status_code == 422
    assert (await town.tickets.post("/payments/none/pay")).status_code == 404
