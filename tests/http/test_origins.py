"""Pages of other sites are not let in: neither to the socket (cross-site WebSocket hijacking) nor to a request."""

from __future__ import annotations

import json

import pytest
from pydantic import ValidationError

from helpers.raw_requests import ask, head, line, request_upgrade
from helpers.sync_server import client_of, serving
from synovia.config import Settings
from synovia.http.origins import is_loopback_host, origin

APP = "https://app.example.org"
FOREIGN = [
    "https://evil.example",
    "http://app.example.org",  # the right name, readable on the way
    "https://app.example.org.evil.example",
    "https://app.example.org:444",
    "https://APP.example.org",  # browsers write lower case
    "https://app.example.org/",
    "https://evil.example https://app.example.org",
    "http://127.0.0.1",  # this machine, but another port
    "http://localhost:5173",
    "null",
    "file://",
    "",
]


@pytest.mark.parametrize("foreign", FOREIGN)
async def test_a_foreign_page_gets_neither_a_socket_nor_an_answer(foreign: str) -> None:
    async with serving(settings={"origins": APP}) as running, client_of(running) as healthy:
        for refused in (
            await request_upgrade(running, origin=foreign),
            await ask(running, "POST", "/api/query", origin=foreign, content_type="application/json"),
            await ask(running, "POST", "/auth/sign-out", origin=foreign),
            await ask(running, "OPTIONS", "/api/query", origin=foreign, access_control_request_method="POST"),
        ):
            assert (refused.status, json.loads(refused.body)["error"]["code"]) == (403, "origin_refused")
            assert "access-control-allow-origin" not in refused.headers
        assert len(running.hub) == 1
        assert await healthy.subscribe(1, "notes:on_board", {"board": "a"}) == []


async def test_two_origins_are_foreign_even_if_one_is_not() -> None:
    async with serving(settings={"origins": APP}) as running, line(running) as (reader, writer):
        sent = head("GET", "/health", {"host": "x", "origin": APP})
        writer.write(
            sent.replace(b"\r\n\r\n", f"\r\norigin: {APP}\r\norigin: https://evil.example\r\n\r\n".encode(), 1)
        )
        assert b" 403 " in await reader.readline()


async def test_own_pages_named_ones_and_programs_are_let_in() -> None:
    async with serving(settings={"origins": f"https://other.example, {APP}"}) as running:
        for let_in in (f"http://127.0.0.1:{running.port}", APP, None):
            headers = {} if let_in is None else {"origin": let_in}
            assert (await request_upgrade(running, **headers)).status == 101
            assert (await ask(running, **headers)).status == 200


async def test_pages_of_a_named_origin_may_read_the_answers() -> None:
    async with serving(settings={"origins": APP}) as running:
        asked = {
            "access_control_request_method": "POST",
            "access_control_request_headers": "authorization,content-type",
        }
        preflight = await ask(running, "OPTIONS", "/api/query", origin=APP, **asked)
        assert (preflight.status, preflight.headers["access-control-allow-origin"]) == (200, APP)
        assert "POST" in preflight.headers["access-control-allow-methods"]
        assert "authorization" in preflight.headers["access-control-allow-headers"].lower()
        assert "access-control-allow-credentials" not in preflight.headers
        answered = await ask(running, origin=APP)
        assert answered.headers["access-control-allow-origin"] == APP
        assert answered.headers["vary"].lower() == "origin"


@pytest.mark.parametrize("page", ["tauri://localhost", "app://motion"])
async def test_the_page_of_a_desktop_program_is_let_in_by_its_exact_origin(page: str) -> None:
    others = [
        page + ".evil.example",
        page + ":1",
        page + "/",
        "tauri://other",
        "app://motio",
        "http://localhost",
        "app://",
    ]
    async with serving(settings={"origins": page}) as running:
        assert (await request_upgrade(running, origin=page)).status == 101
        assert (await ask(running, origin=page)).headers["access-control-allow-origin"] == page
        for other in others:
            assert (await request_upgrade(running, origin=other)).status == 403, other
    async with serving(settings={"origins": APP}) as running:
        assert (await request_upgrade(running, origin=page)).status == 403


@pytest.mark.parametrize(("named", "other"), [("null", "file://"), ("file://", "null")])
async def test_pages_without_an_origin_are_let_in_only_by_name(named: str, other: str) -> None:
    async with serving(settings={"origins": f"{APP},{named}"}) as running:
        for page in (APP, named):
            assert (await request_upgrade(running, origin=page)).status == 101
            assert (await ask(running, origin=page)).headers["access-control-allow-origin"] == page
        for refused in (other, "file:///", "file:///home/ada/page.html", "data:", "NULL"):
            assert (await request_upgrade(running, origin=refused)).status == 403, refused


async def test_in_development_pages_of_this_machine_are_let_in_and_no_others() -> None:
    async with serving(development=True) as running:
        for page in ("http://localhost:5173", "http://127.0.0.1:3000", "http://[::1]:80", "http://app.localhost:1"):
            assert (await request_upgrade(running, origin=page)).status == 101
            assert (await ask(running, origin=page)).headers["access-control-allow-origin"] == page
        for page in (
            "http://192.168.1.5:5173",
            "http://localhost.evil.example",
            "http://127.0.0.1.evil.example",
            "null",
        ):
            assert (await request_upgrade(running, origin=page)).status == 403


async def test_in_development_a_name_that_is_made_to_point_here_is_not_answered() -> None:
    async with serving(development=True) as running:
        for name in ("evil.example", "evil.example:80", "localhost.evil.example", "192.168.1.5", "user@localhost", ""):
            for refused in (
                await ask(running, host=name),
                await request_upgrade(running, host=name, origin=f"http://{name}"),
            ):
                assert (refused.status, json.loads(refused.body)["error"]["code"]) == (403, "host_refused"), name
        for name in ("localhost", f"127.0.0.1:{running.port}", "[::1]:1"):
            assert (await ask(running, host=name)).status == 200


async def test_behind_a_trusted_proxy_the_page_is_the_one_that_the_proxy_was_asked_for() -> None:
    forwarded = {"x_forwarded_proto": "https", "x_forwarded_host": "app.example.org"}
    async with serving(settings={"trusted_proxies": "127.0.0.2"}) as running:
        assert (await request_upgrade(running, source="127.0.0.2", origin=APP, **forwarded)).status == 101
        assert (
            await request_upgrade(running, source="127.0.0.2", origin="https://evil.example", **forwarded)
        ).status == 403
        assert (await request_upgrade(running, source="127.0.0.3", origin=APP, **forwarded)).status == 403
        evil = forwarded | {"x_forwarded_host": "evil.example"}
        assert (await request_upgrade(running, source="127.0.0.3", origin="https://evil.example", **evil)).status == 403


@pytest.mark.parametrize(
    "wrong",
    ["app.example.org", "*", "https://*.example.org", "https://a.example/x", "ftp://a.example", "app://a:1", "app://"],
)
def test_what_is_no_origin_is_no_setting(wrong: str) -> None:
    with pytest.raises(ValidationError, match="not an origin"):
        Settings(origins=wrong)


def test_origins_are_kept_as_browsers_send_them() -> None:
    assert [origin(each) for each in ("HTTPS://App.Example.org:443/", "http://[::1]:8000")] == [
        APP,
        "http://[::1]:8000",
    ]
    assert is_loopback_host("LOCALHOST:80")
    assert not is_loopback_host("localhost@evil.example")
