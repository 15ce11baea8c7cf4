"""The service beside events, reached through a gateway under a path: a ticket is bought, mailed, printed and paid back."""

from __future__ import annotations

import asyncio
import hashlib
import io
import json
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import httpx2
import pytest
from cryptography.x509.oid import NameOID
from pydantic import SecretStr
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from events.service.main import ServiceSettings, create
from events.service.provider import Provider
from helpers.events_scene import SECRET, Concert, concert
from helpers.mongod import free_port
from helpers.patience import PATIENCE
from helpers.serving import serving
from helpers.wallet_certificates import PASS_TYPE, TEAM, write_wallet_certificates
from synovia import FunctionError
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
    async with running_town(registry) as town:
        yield town


@asynccontextmanager
async def running_town(registry: Registry, **more: Any) -> AsyncIterator[Town]:
    """Run all three.

    Args:
        more: What the service's settings say beside what they have to.
    """
    port = free_port()
    variables = {
        "EVENTS_SERVICE_URL": f"http://127.0.0.1:{port}",
        "EVENTS_SERVICE_SECRET": SECRET,
        "EVENTS_PAYMENT_SECRET": SECRET,
    }
    async with (
        asyncio.timeout(PATIENCE),
        TestApp(registry, variables=variables) as app,
        serving(app.server, lifespan="off") as hub,
    ):
        key = await app.server.service_keys.create("papers", ["papers"])
        setup = ServiceSettings(
            backend_url=f"http://127.0.0.1:{hub}", backend_key=SecretStr(key.token),
            service_secret=SecretStr(SECRET), payment_secret=SecretStr(SECRET), **more,
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


async def test_who_pays_twice_has_paid_once(town: Town) -> None:
    bob = town.app.caller("bob@guests.example")
    order = await bob.mutation("orders:reserve", {"tierId": town.night.tier})
    for _ in range(2):
        await bob.action("orders:checkout", {"orderId": order})
    for payment in list(town.provider.payments):
        assert (await town.tickets.post(f"/payments/{payment}/pay")).status_code == 202
    await town.provider.settled()
    await town.app.advance()
    await town.provider.settled()
    assert [each.paid for each in town.provider.payments.values()].count(True) == 1
    assert [each["status"] for each in await bob.query("orders:mine")] == ["paid"]
    assert [each["cancelled"] for each in await bob.query("passes:mine")] == [False]
    with pytest.raises(FunctionError, match="this order is paid"):
        await bob.action("orders:checkout", {"orderId": order})


@pytest.mark.slow
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


# --- passes for Apple Wallet


@pytest.mark.slow
async def test_a_pass_for_apple_wallet_is_mailed_and_its_signature_holds(registry: Registry, tmp_path: Path) -> None:
    files = write_wallet_certificates(tmp_path)
    async with running_town(registry, **files) as town:
        _, ticket = await bought(town)
        links = (await town.tickets.get(f"/passes/{ticket['code']}", headers=OURS)).json()
        answer = await town.tickets.get(links["apple_wallet"], headers=OURS)
        [mail] = town.app.mails
    assert answer.headers["content-type"] == "application/vnd.apple.pkpass"
    mailed = {each.get_filename(): each.get_content_type() for each in mail.iter_attachments()}
    assert mailed == {"pass-1.pdf": "application/pdf", "pass-1.pkpass": "application/vnd.apple.pkpass"}
    with ZipFile(io.BytesIO(answer.content)) as bundle:
        found = {name: bundle.read(name) for name in bundle.namelist()}
    assert found.keys() == {"pass.json", "icon.png", "icon@2x.png", "icon@3x.png", "manifest.json", "signature"}
    digests = json.loads(found["manifest.json"])
    assert digests == {
        name: hashlib.sha1(content, usedforsecurity=False).hexdigest()
        for name, content in found.items()
        if name not in ("manifest.json", "signature")
    }
    described = json.loads(found["pass.json"])
    assert (described["passTypeIdentifier"], described["teamIdentifier"], described["serialNumber"]) == (
        PASS_TYPE, TEAM, ticket["code"],
    )  # fmt: skip
    assert described["barcodes"][0]["message"] == ticket["code"]
    (tmp_path / "signature").write_bytes(found["signature"])
    for content, holds in ((found["manifest.json"], True), (found["manifest.json"] + b" ", False)):
        (tmp_path / "manifest.json").write_bytes(content)
        assert signature_holds(tmp_path, files["wallet_intermediate"]) is holds


def signature_holds(folder: Path, authority: Path) -> bool:
    """Have another program check a detached signature of the manifest."""
    command = [
        "openssl",
        "cms",
        "-verify",
        "-binary",
        "-inform",
        "DER",
        "-in",
        "signature",
        "-content",
        "manifest.json",
    ]
    checked = subprocess.run(
        [*command, "-CAfile", str(authority), "-purpose", "any"], cwd=folder, capture_output=True, check=False
    )
    assert checked.returncode == 0 or b"ailure" in checked.stderr, checked.stderr
    return checked.returncode == 0


async def test_without_a_certificate_there_is_no_pass_for_apple_wallet(registry: Registry, tmp_path: Path) -> None:
    path = f"/passes/{'0' * 20}/wallet.pkpass"
    for files, status, code in (
        (dict[str, Any](), 501, "wallet_unavailable"),
        (write_wallet_certificates(tmp_path, days=-1), 503, "wallet_expired"),
    ):
        service = create(ServiceSettings(service_secret=SecretStr(SECRET), **files))
        async with httpx2.AsyncClient(transport=httpx2.ASGITransport(service), base_url="http://service") as client:
            answer = await client.get(path, headers=OURS)
            assert (answer.status_code, answer.json()["detail"]["code"]) == (status, code)
            assert (await client.get(path)).status_code == 401


@pytest.mark.slow
def test_files_that_do_not_belong_together_are_refused_at_start(tmp_path: Path) -> None:
    own, other, unnamed = (tmp_path / each for each in ("own", "other", "unnamed"))
    for folder in (own, other, unnamed):
        folder.mkdir()
    files, others = write_wallet_certificates(own), write_wallet_certificates(other)
    for given, message in (
        ({**files, "wallet_key": None}, "belong together"),
        ({**files, "wallet_key": others["wallet_key"]}, "is not the key of"),
        ({**files, "wallet_intermediate": others["wallet_intermediate"]}, "is not signed by"),
        (write_wallet_certificates(unnamed, {NameOID.COMMON_NAME: "somebody"}), "names no pass type"),
    ):
        with pytest.raises(ValueError, match=message):
            create(ServiceSettings(**given))
