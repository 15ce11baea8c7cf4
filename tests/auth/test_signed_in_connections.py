"""Sign-in over real sockets: tokens in exchange, coming back without the issuer, running out, being revoked."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator
from typing import Any

import pytest

from auth.sign_in_scene import SignInScene
from auth.signed_in_server import is_, refusal, service_of, serving, sign_in
from helpers.kept_tokens import KeptTokens
from helpers.key_server import KeyServer
from helpers.patience import PATIENCE
from helpers.sync_server import BOARD, Running, client_of
from helpers.token_issuing import MovedClock, RsaSigner
from synovia.app import Synovia
from synovia.cli.server import listen, make_server
from synovia.config import Settings
from synovia_client import Client as ProgramClient
from synovia_protocol.errors import ErrorInfo
from synovia_protocol.events import QueryUpdated
from synovia_protocol.messages import Authenticated, AuthError, Pong


@pytest.fixture
async def running(key_server: KeyServer, clock: MovedClock) -> AsyncIterator[Running]:
    async with serving(key_server, clock, "sqlite://:memory:") as running:
        yield running


async def test_google_once_then_our_own_tokens(running: Running, scene: SignInScene) -> None:
    async with client_of(running) as client:
        first = await sign_in(client, scene.google_token())
        assert await client.subscribe(1, "notes:who_am_i") == "alice@example.org"
    await scene.server.stop()
    scene.clock.advance(600)
    async with client_of(running) as client:
        again = await sign_in(client, first.token)
        assert again == Authenticated(None, None, first.expires_at)
        assert await client.subscribe(1, "notes:who_am_i") == "alice@example.org"
    scene.clock.advance(3_600)
    async with client_of(running) as client:
        assert (await refusal(client, first.token)).error.code == "invalid_token"
        renewed = await sign_in(client, first.refresh_token)
        assert await client.subscribe(1, "notes:who_am_i") == "alice@example.org"
        assert renewed.token not in (None, first.token)
        assert renewed.refresh_token not in (None, first.refresh_token)


async def test_a_sign_in_that_runs_out_leaves_an_anonymous_connection(running: Running, scene: SignInScene) -> None:
    async with client_of(running) as client:
        signed_in = await sign_in(client, scene.google_token())
        assert await client.subscribe(1, "notes:who_am_i") == "alice@example.org"
        scene.clock.now = (signed_in.expires_at or 0) / 1000
        told = await client.until(is_(AuthError))
        assert told.error.code == "invalid_token"
        assert await client.result(1) is None
        await sign_in(client, signed_in.refresh_token)
        assert await client.result(1) == "alice@example.org"


async def test_nothing_runs_as_the_caller_after_the_last_moment(running: Running, scene: SignInScene) -> None:
    """Also before the hub has looked at its deadlines: what comes in first is looked at first."""
    async with client_of(running) as client:
        signed_in = await sign_in(client, scene.google_token())
        await client.subscribe(1, "notes:on_board", {"board": "a"})
        scene.clock.now = (signed_in.expires_at or 0) / 1000
        assert (await client.mutate("notes:sign", {"board": "a"})).error == ErrorInfo(
            "unauthenticated",
            "the sign-in has ended, or its token was refused: nothing is run until the client signs in again, or out",
            {"signedOut": True},
        )
        assert await client.subscribe(2, "notes:who_am_i") is None
        await client.send(client.session.authenticate(None))
        assert (await client.mutate("notes:sign", {"board": "a"})).result == "nobody"


async def test_renewed_in_time_nothing_is_told_again(running: Running, scene: SignInScene) -> None:
    async with client_of(running) as client:
        signed_in = await sign_in(client, scene.google_token())
        assert await client.subscribe(1, "notes:who_am_i") == "alice@example.org"
        scene.clock.advance(800)
        client.events.clear()
        renewed = await sign_in(client, signed_in.refresh_token)
        assert (renewed.expires_at or 0) - (signed_in.expires_at or 0) >= 799_000
        scene.clock.advance(800)
        await client.send(client.session.ping(7))
        await client.until(is_(Pong))
        assert not [event for event in client.events if isinstance(event, (QueryUpdated, AuthError))]


@pytest.mark.parametrize("way", ["signed out", "another hub", "copied refresh token"])
async def test_a_revoked_session_ends_on_open_connections(running: Running, scene: SignInScene, way: str) -> None:
    service = service_of(running)
    async with client_of(running) as client, client_of(running) as other:
        signed_in = await sign_in(client, scene.google_token())
        await sign_in(other, scene.google_token())
        assert await client.subscribe(1, "notes:who_am_i") == "alice@example.org"
        assert signed_in.token is not None
        if way == "signed out":
            await service.sign_out(signed_in.token)
        elif way == "another hub":
            session = (await service.authenticate(signed_in.token)).session
            await service.sessions.revoke(session or "")
            await service.announce_revocations()
        else:
            await service.authenticate((await service.authenticate(signed_in.refresh_token or "")).refresh_token or "")
            assert (await refusal(other, signed_in.refresh_token)).error.code == "invalid_token"
            await service.announce_revocations()
        assert (await client.until(is_(AuthError))).error.code == "invalid_token"
        assert await client.result(1) is None
        if way != "copied refresh token":
            assert await other.subscribe(1, "notes:who_am_i") == "alice@example.org", "another session goes on"


async def test_a_key_server_that_hangs_holds_up_who_needs_it_and_nobody_else(
    running: Running, scene: SignInScene
) -> None:
    async with client_of(running) as client, client_of(running) as other:
        scene.server.open.clear()
        await client.send(client.session.authenticate(scene.google_token()))
        await scene.server.waiting.wait()
        for number in range(20):
            assert (await other.mutate("notes:post", {"board": "a", "text": str(number)})).error is None
        told = await client.until(is_(AuthError))
        assert told.error.code == "server_error"
        assert "cannot be fetched at the moment" in told.error.message
        scene.server.open.set()


async def test_sessions_outlive_the_server(
    key_server: KeyServer, clock: MovedClock, scene: SignInScene, tmp_path: Any
) -> None:
    store = f"sqlite:///{tmp_path / 'board.db'}"
    async with serving(key_server, clock, store) as running, client_of(running) as client:
        first = await sign_in(client, scene.google_token())
    await key_server.stop()
    async with serving(key_server, clock, store) as running, client_of(running) as client:
        await sign_in(client, first.token)
        assert await client.subscribe(1, "notes:who_am_i") == "alice@example.org"


async def test_the_python_client_renews_by_itself(running: Running, scene: SignInScene) -> None:
    url = f"ws://127.0.0.1:{running.port}"
    async with asyncio.timeout(PATIENCE), ProgramClient(url, token=scene.google_token()) as client:
        seen: asyncio.Queue[Any] = asyncio.Queue()
        async with asyncio.TaskGroup() as tasks:

            async def watch() -> None:
                async for value in client.subscribe("notes:who_am_i"):
                    seen.put_nowait(value)

            watcher = tasks.create_task(watch())
            while await seen.get() != "alice@example.org":
                pass
            await scene.server.stop()
            scene.clock.advance(901)  # the server's time only: the client learns of it by being told
            while await seen.get() is not None:
                pass
            while await seen.get() != "alice@example.org":
                pass
            watcher.cancel()


async def test_no_token_is_in_the_log(
    running: Running, scene: SignInScene, caplog: pytest.LogCaptureFixture, second_signer: RsaSigner
) -> None:
    caplog.set_level(logging.DEBUG)
    good, bad = scene.google_token(), second_signer.sign(scene.google_claims())
    async with client_of(running) as client:
        signed_in = await sign_in(client, good)
        await refusal(client, bad)
        await sign_in(client, signed_in.refresh_token)
        scene.clock.advance(100)
        await refusal(client, signed_in.refresh_token)
    assert "a token was refused: an unknown key" in caplog.text
    ours = [record for record in caplog.records if record.name.startswith("synovia")]
    said = "\n".join(record.getMessage() + str(record.exc_text) for record in ours)
    for token in (good, bad, signed_in.token, signed_in.refresh_token):
        assert token is not None
        for part in token.split("."):
            assert part not in said


# --- over HTTP


async def post(running: Running, path: str, body: bytes, **headers: str) -> tuple[int, dict[str, str], bytes]:
    """Send a request with a raw body; ``content_type`` stands for Content-Type."""
    reader, writer = await asyncio.open_connection("127.0.0.1", running.port)
    lines = {"host": f"127.0.0.1:{running.port}", "connection": "close", "content-length": str(len(body))}
    lines |= {name.replace("_", "-"): value for name, value in headers.items()}
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    writer.write(f"POST {path} HTTP/1.1\r\n{head}\r\n".encode() + body)
    async with asyncio.timeout(PATIENCE):
        answer = await reader.read()
    writer.close()
    head_bytes, _, content = answer.partition(b"\r\n\r\n")
    status, *rest = head_bytes.decode().split("\r\n")
    return int(status.split()[1]), dict(line.lower().split(": ", 1) for line in rest), content


async def test_signing_out_over_http(running: Running, scene: SignInScene) -> None:
    async with client_of(running) as client:
        signed_in = await sign_in(client, scene.google_token())
        assert await client.subscribe(1, "notes:who_am_i") == "alice@example.org"
        for wrong in ("Bearer nonsense", f"Bearer {scene.google_token()}", "Basic eDp5", ""):
            assert (await post(running, "/auth/sign-out", b"", authorization=wrong))[0] == 401
        right = f"Bearer {signed_in.refresh_token}"
        assert (await post(running, "/auth/sign-out", b"", authorization=right))[0] == 204
        await client.until(is_(AuthError))
        assert await client.result(1) is None
        assert (await post(running, "/auth/sign-out", b"", authorization=right))[0] == 204
        assert (await refusal(client, signed_in.token)).error.code == "invalid_token"


async def test_signing_in_by_mail_in_development(clock: MovedClock, capsys: pytest.CaptureFixture[str]) -> None:
    app = Synovia(BOARD, settings=Settings(store="sqlite://:memory:"), development=True, clock=clock.time)
    with listen("127.0.0.1", 0) as listener:
        uvicorn = make_server(app)
        await app.start()
        task = asyncio.create_task(uvicorn.serve([listener]))
        try:
            running = Running(app, uvicorn, listener.getsockname()[1])
            await sign_in_by_mail(running, capsys)
        finally:
            uvicorn.should_exit = True
            await task
            await app.stop()


async def sign_in_by_mail(running: Running, capsys: pytest.CaptureFixture[str]) -> None:
    body = json.dumps({"email": "Alice@Example.org"}).encode()
    status, headers, content = await post(running, "/auth/email", body, content_type="application/json")
    assert (status, headers["cache-control"]) == (202, "no-store")
    challenge = json.loads(content)["challenge"]
    printed = capsys.readouterr().out
    code = next(line.strip() for line in printed.splitlines() if line.strip().isdigit())
    async with client_of(running) as client:
        signed_in = await sign_in(client, f"email-code:{challenge}:{code}")
        assert signed_in.token is not None
        assert await client.subscribe(1, "notes:who_am_i") == "alice@example.org"
        assert (await refusal(client, f"email-code:{challenge}:{code}")).error.code == "invalid_token"
        by_name = await sign_in(client, "dev:bob@example.org")
        assert (by_name.token, by_name.expires_at) == (None, None)
    for wrong, kind, status in (
        (body, "text/plain", 415),
        (body, "application/x-www-form-urlencoded", 415),
        (b"{", "application/json", 400),
        (b"[" * 4000, "application/json", 400),
        (b"[]", "application/json", 400),
        (b'{"email": 1}', "application/json", 400),
        (b'{"email": "alice"}', "application/json", 400),
        (b"x" * 5000, "application/json", 413),
    ):
        assert (await post(running, "/auth/email", wrong, content_type=kind))[0] == status
    for _ in range(4):
        assert (await post(running, "/auth/email", body, content_type="application/json"))[0] == 202
    status, headers, _ = await post(running, "/auth/email", body, content_type="application/json")
    assert status == 429
    assert 0 < int(headers["retry-after"]) <= 3600


async def test_signing_out_ends_the_session_at_the_server(running: Running, scene: SignInScene) -> None:
    store = KeptTokens()
    async with (
        asyncio.timeout(PATIENCE),
        ProgramClient(running.url, token=scene.google_token(), tokens=store) as client,
    ):
        assert await client.query("notes:who_am_i") == "alice@example.org"
        assert store.kept is not None
        refresh = store.kept.refresh_token
        await client.sign_out()
        assert store.kept is None
        assert await client.query("notes:who_am_i") is None
    async with client_of(running) as again:
        assert (await refusal(again, refresh)).error.code == "invalid_token"
