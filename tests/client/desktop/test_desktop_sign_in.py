"""Signing in from a desktop program: with a browser at a real issuer, which makes every mistake, and with codes by mail."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator
from urllib.parse import parse_qs, urlsplit

import pytest

from client.desktop.scene import ME, SignInHub, sign_in_hub
from helpers.issuer_process import Browser, IssuerProcess, issuer_process, visit
from helpers.kept_tokens import KeptTokens
from synovia_client import AuthenticationError, Client, DesktopSignIn, IssuerWay, SignInCode, SignInError, SignInWays


@pytest.fixture(scope="module")
def issuer() -> Iterator[IssuerProcess]:
    with issuer_process() as issuer:
        yield issuer


@pytest.fixture
async def hub(issuer: IssuerProcess) -> AsyncIterator[SignInHub]:
    await asyncio.to_thread(issuer.behave)
    async with sign_in_hub(issuer.url) as hub:
        yield hub


@pytest.fixture
async def client(hub: SignInHub) -> AsyncIterator[Client]:
    async with Client(hub.url, proxy=None) as client:
        yield client


@pytest.fixture
def browser() -> Iterator[Browser]:
    browser = Browser()
    yield browser
    browser.close()


async def test_a_browser_signs_in_and_what_comes_of_it_is_kept(
    hub: SignInHub, issuer: IssuerProcess, browser: Browser
) -> None:
    tokens = KeptTokens()
    async with Client(hub.url, proxy=None, tokens=tokens) as client:
        sign_in = DesktopSignIn(client)
        assert await sign_in.ways() == SignInWays((IssuerWay(issuer.url, ("the-page", "the-program")),), email=True)
        await sign_in.with_browser(open_url=browser.open, login_hint="grace@example.org")
        assert await client.query(ME) == "grace@example.org"
        await asyncio.to_thread(browser.close)
        asked = parse_qs(urlsplit(browser.addresses[0]).query)
        assert (asked["client_id"], asked["code_challenge_method"]) == (["the-program"], ["S256"])
        assert (asked["theme"], asked["scope"]) == (["light"], ["openid email profile"])
        assert browser.pages[0][0] == 200
        assert "You are signed in" in browser.pages[0][1]
    assert tokens.kept is not None
    assert tokens.kept.refresh_token
    async with Client(hub.url, proxy=None, tokens=tokens) as again:
        assert await again.query(ME) == "grace@example.org"
        await DesktopSignIn(again).sign_out()
        assert await again.query(ME) is None
    assert tokens.kept is None


MISTAKES = {
    "wrong_state": SignInCode.STATE_MISMATCH,
    "wrong_issuer": SignInCode.ISSUER_MISMATCH,
    "no_code": SignInCode.ISSUER_ERROR,
    "access_denied": SignInCode.DENIED,
    "server_error": SignInCode.ISSUER_ERROR,
    "wrong_verifier": SignInCode.CODE_REFUSED,
    "wrong_nonce": SignInCode.NONCE_MISMATCH,
    "no_nonce": SignInCode.NONCE_MISMATCH,
    "wrong_audience": SignInCode.AUDIENCE_MISMATCH,
    "shared_audience": SignInCode.AUDIENCE_MISMATCH,
    "expired": SignInCode.TOKEN_EXPIRED,
    "no_expiry": SignInCode.BAD_TOKEN,
    "token_of_another": SignInCode.ISSUER_MISMATCH,
    "no_token": SignInCode.BAD_TOKEN,
    "no_jwt": SignInCode.BAD_TOKEN,
    "broken": SignInCode.ISSUER_UNREACHABLE,
    "no_configuration": SignInCode.BAD_ISSUER,
    "other_configuration": SignInCode.BAD_ISSUER,
    "plain_endpoint": SignInCode.BAD_ISSUER,
    "no_s256": SignInCode.BAD_ISSUER,
}


@pytest.mark.parametrize("fault", MISTAKES)
async def test_each_mistake_of_an_issuer_is_told_by_its_code(
    fault: str, client: Client, issuer: IssuerProcess, browser: Browser
) -> None:
    await asyncio.to_thread(issuer.behave, fault)
    with pytest.raises(SignInError) as told:
        await DesktopSignIn(client).with_browser(open_url=browser.open)
    assert told.value.code == MISTAKES[fault]
    assert told.value.message.isprintable()
    await asyncio.to_thread(browser.close)
    if browser.pages:
        assert browser.pages[0][0] == 400
        assert "You are not signed in" in browser.pages[0][1]
    assert not client.auth.is_authenticated
    await asyncio.to_thread(issuer.behave)
    await DesktopSignIn(client).with_browser(open_url=browser.open)  # and it works the next time
    assert client.auth.is_authenticated


async def test_a_forged_token_is_refused_by_the_hub(client: Client, issuer: IssuerProcess, browser: Browser) -> None:
    await asyncio.to_thread(issuer.behave, "forged")
    with pytest.raises(AuthenticationError, match="invalid_token"):
        await DesktopSignIn(client).with_browser(open_url=browser.open)
    await asyncio.to_thread(browser.close)
    assert browser.pages[0][0] == 400


async def test_a_secret_goes_along_where_an_issuer_wants_one(
    client: Client, issuer: IssuerProcess, browser: Browser
) -> None:
    await asyncio.to_thread(issuer.behave, secret="no secret at all")
    with pytest.raises(SignInError, match="code_refused"):
        await DesktopSignIn(client).with_browser(open_url=browser.open)
    ids, secrets = {issuer.url: "the-page"}, {issuer.url: "no secret at all"}
    await DesktopSignIn(client, client_ids=ids, client_secrets=secrets).with_browser(open_url=browser.open)
    assert parse_qs(urlsplit(browser.addresses[-1]).query)["client_id"] == ["the-page"]
    assert client.auth.is_authenticated


def port_of(url: str) -> str:
    """Give where the browser comes back to."""
    return parse_qs(urlsplit(url).query)["redirect_uri"][0]


async def test_strange_requests_at_the_port_change_nothing(client: Client, browser: Browser) -> None:
    asked: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    signing_in = asyncio.create_task(DesktopSignIn(client).with_browser(open_url=asked.set_result))
    url = await asked
    back = port_of(url)
    for address, headers, status in [
        (back, {}, 400),
        (f"{back}favicon.ico", {}, 404),
        (f"{back}?code=1&state=x", {"Host": "rebound.example"}, 400),
        (f"{back}?{'a=1&' * 60}", {}, None),
    ]:
        with contextlib.suppress(OSError):
            found = await asyncio.to_thread(visit, address, **headers)
            assert found[0] == status
    reader, writer = await asyncio.open_connection("127.0.0.1", urlsplit(back).port)
    writer.write(b"POST /?code=1&state=x HTTP/1.1\r\nHost: " + urlsplit(back).netloc.encode() + b"\r\n\r\n")
    assert (await reader.readline()).startswith(b"HTTP/1.1 405")
    writer.close()
    _, silent = await asyncio.open_connection("127.0.0.1", urlsplit(back).port)
    silent.write(b"\x16\x03\x01" + b"x" * 20_000)
    assert not signing_in.done()
    browser.open(url)
    await signing_in
    silent.close()
    assert client.auth.is_authenticated


async def test_a_second_answer_is_told_that_the_address_was_used(
    client: Client, issuer: IssuerProcess, browser: Browser
) -> None:
    await asyncio.to_thread(issuer.behave, "hold")
    asked: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    signing_in = asyncio.create_task(DesktopSignIn(client).with_browser(open_url=asked.set_result))
    browser.open(await asked)
    assert (await asyncio.to_thread(visit, f"{issuer.url}/held"))[0] == 200
    status, text = await asyncio.to_thread(visit, f"{port_of(browser.addresses[0])}?code=stolen&state=guessed")
    assert status == 409
    assert "used already" in text
    await asyncio.to_thread(visit, f"{issuer.url}/go_on")
    await signing_in
    await asyncio.to_thread(browser.close)
    assert browser.pages[0][0] == 200


async def test_a_browser_that_never_comes_back_or_cannot_be_opened(client: Client) -> None:
    sign_in = DesktopSignIn(client)
    with pytest.raises(SignInError) as told:
        await sign_in.with_browser(open_url=lambda url: True, timeout=0.05)
    assert told.value.code == SignInCode.TIMED_OUT

    def broken(url: str) -> bool:
        raise RuntimeError("no display")

    for open_url in (lambda url: False, broken):
        with pytest.raises(SignInError) as told:
            await sign_in.with_browser(open_url=open_url)
        assert told.value.code == SignInCode.NO_BROWSER


async def test_who_opens_the_browser_may_return_when_it_is_closed(client: Client) -> None:
    await DesktopSignIn(client).with_browser(open_url=lambda url: asyncio.to_thread(visit, url))
    assert client.auth.is_authenticated


async def test_a_cancelled_attempt_closes_its_port(client: Client) -> None:
    asked: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    signing_in = asyncio.create_task(DesktopSignIn(client).with_browser(open_url=asked.set_result))
    back = port_of(await asked)
    signing_in.cancel()
    with pytest.raises(asyncio.CancelledError):
        await signing_in
    with pytest.raises(OSError, match=r"refused|reset"):
        await asyncio.to_thread(visit, back)


async def test_codes_by_mail(client: Client, hub: SignInHub) -> None:
    sign_in = DesktopSignIn(client)
    sent = await sign_in.send_code("ada@example.org")
    assert sent.expires_in == 600
    assert hub.code not in repr(sent)
    with pytest.raises(AuthenticationError):
        await sign_in.with_code(sent, "00000000")
    await sign_in.with_code(sent, f" {hub.code[:4]} {hub.code[4:]} ")
    assert await client.query(ME) == "ada@example.org"
    with pytest.raises(SignInError) as told:
        await sign_in.send_code("nobody")
    assert told.value.code == SignInCode.INVALID_EMAIL
    for _ in range(9):
        with contextlib.suppress(SignInError):
            await sign_in.send_code("ada@example.org")
    with pytest.raises(SignInError) as told:
        await sign_in.send_code("ada@example.org")
    assert told.value.code == SignInCode.TOO_MANY
    assert (told.value.retry_after or 0) > 0


async def test_hubs_without_a_way_and_hubs_that_are_gone(issuer: IssuerProcess) -> None:
    async with sign_in_hub(None) as bare, Client(bare.url, proxy=None) as client:
        sign_in = DesktopSignIn(client)
        assert await sign_in.ways() == SignInWays()
        for attempt in (sign_in.with_browser(), sign_in.with_browser(issuer.url), sign_in.send_code("a@example.org")):
            with pytest.raises(SignInError) as told:
                await attempt
            assert told.value.code == SignInCode.NO_SUCH_WAY
    async with Client(bare.url, proxy=None) as client:
        for attempt in (DesktopSignIn(client).with_browser(), DesktopSignIn(client).send_code("a@example.org")):
            with pytest.raises(SignInError) as told:
                await attempt
            assert told.value.code == SignInCode.HUB_UNREACHABLE


@pytest.mark.slow
async def test_an_issuer_that_is_gone() -> None:
    with issuer_process() as gone:
        url = gone.url
    async with sign_in_hub(url) as hub, Client(hub.url, proxy=None) as client:
        with pytest.raises(SignInError) as told:
            await DesktopSignIn(client).with_browser(open_url=lambda url: True)
    assert told.value.code == SignInCode.ISSUER_UNREACHABLE
