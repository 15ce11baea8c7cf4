from __future__ import annotations

import ipaddress
from typing import Any

import pytest
from pydantic import ValidationError
from starlette.types import Scope

from helpers.raw_requests import ask, request_upgrade
from helpers.sync_server import client_of, serving
from synovia.config import Settings
from synovia.http.proxies import TrustedProxies, networks


async def seen(peer: str, trusted: str, **forwarded: str) -> Scope:
    """Give the scope that an application sees behind ``TrustedProxies``."""
    found: list[Scope] = []

    async def app(scope: Scope, receive: Any, send: Any) -> None:
        found.append(scope)

    async def nothing(*_: Any) -> Any:
        return {}

    headers = [(name.replace("_", "-").encode(), value.encode()) for name, value in forwarded.items()]
    scope = {"type": "http", "client": (peer, 1), "scheme": "http", "headers": [(b"host", b"inner"), *headers]}
    await TrustedProxies(app, networks(trusted))(scope, nothing, nothing)
    return found[0]


@pytest.mark.parametrize(
    ("peer", "forwarded", "client"),
    [
        ("10.0.0.1", "203.0.113.7", "203.0.113.7"),
        ("10.0.0.1", "6.6.6.6, 203.0.113.7", "203.0.113.7"),  # what the client made up is further left
        ("10.0.0.1", "6.6.6.6, 203.0.113.7, 10.0.0.9", "203.0.113.7"),  # two proxies, both trusted
        ("10.0.0.1", "203.0.113.7:5123", "203.0.113.7"),
        ("10.0.0.1", "[2001:db8::7]:5123", "2001:db8::7"),
        ("::ffff:10.0.0.1", "203.0.113.7", "203.0.113.7"),
        ("10.0.0.1", "unknown", "10.0.0.1"),
        ("10.0.0.1", "203.0.113.7, <script>", "10.0.0.1"),
        ("10.0.0.1", "", "10.0.0.1"),
        ("10.0.0.1", "10.0.0.2, 10.0.0.3", "10.0.0.2"),
        ("198.51.100.1", "203.0.113.7", "198.51.100.1"),  # nobody we know
    ],
)
async def test_the_client_is_the_nearest_address_that_is_no_proxy(peer: str, forwarded: str, client: str) -> None:
    scope = await seen(peer, "10.0.0.0/8", x_forwarded_for=forwarded)
    assert scope["client"][0] == client


@pytest.mark.parametrize("trusted", ["::ffff:10.0.0.0/104", "::ffff:10.0.0.1"])
async def test_a_network_of_ipv4_that_is_written_as_one_of_ipv6_is_that_network(trusted: str) -> None:
    settings = Settings(trusted_proxies=trusted)
    assert settings.trusted_proxies == networks(trusted.replace("104", "8").removeprefix("::ffff:"))
    assert Settings(trusted_proxies=(ipaddress.ip_network(trusted),)).trusted_proxies == settings.trusted_proxies
    for peer in ("10.0.0.1", "::ffff:10.0.0.1"):
        assert (await seen(peer, trusted, x_forwarded_for="203.0.113.7"))["client"][0] == "203.0.113.7"
    assert (await seen("11.0.0.1", trusted, x_forwarded_for="203.0.113.7"))["client"][0] == "11.0.0.1"


async def test_headers_of_others_go_no_further() -> None:
    forged = {"x_forwarded_proto": "https", "x_forwarded_host": "evil.example", "forwarded": "for=6.6.6.6"}
    scope = await seen("198.51.100.1", "10.0.0.0/8", x_forwarded_for="6.6.6.6", **forged)
    assert (scope["scheme"], scope["headers"]) == ("http", [(b"host", b"inner")])
    scope = await seen("10.0.0.1", "10.0.0.0/8", x_forwarded_for="6.6.6.6", **forged)
    assert (scope["scheme"], dict(scope["headers"])[b"host"]) == ("https", b"evil.example")


async def test_uvicorn_believes_nobody_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORWARDED_ALLOW_IPS", "*")
    async with serving() as running, client_of(running):
        assert (await request_upgrade(running, x_forwarded_for="203.0.113.7")).status == 101
        answered = await ask(running, x_forwarded_proto="https")
        assert "strict-transport-security" not in answered.headers
        assert len(running.hub.addresses) == 1


async def test_limits_are_those_of_the_client_behind_a_trusted_proxy() -> None:
    async with serving(settings={"trusted_proxies": "127.0.0.1"}, max_connections_per_address=1) as running:
        first: dict[str, Any] = {"additional_headers": {"x-forwarded-for": "203.0.113.7"}}
        other: dict[str, Any] = {"additional_headers": {"x-forwarded-for": "203.0.113.8"}}
        async with client_of(running, **first), client_of(running, **other) as healthy:
            assert (await request_upgrade(running, x_forwarded_for="6.6.6.6, 203.0.113.7")).status == 429
            assert (await request_upgrade(running, x_forwarded_for="203.0.113.9")).status == 101
            assert await healthy.subscribe(1, "notes:on_board", {"board": "a"}) == []


def test_what_is_no_network_is_no_setting() -> None:
    with pytest.raises(ValidationError, match="trusted_proxies"):
        Settings(trusted_proxies="proxy.example.org")
