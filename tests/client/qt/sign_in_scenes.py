"""Scenes of signing in; each is run in a process of its own under each binding."""

from __future__ import annotations

import asyncio
import gc
import threading
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import parse_qs, urlsplit

from client.desktop.scene import ME, SignInHub, sign_in_hub
from client.qt.stage import application, until
from helpers.issuer_process import Browser, IssuerProcess, issuer_process, visit
from helpers.kept_tokens import KeptTokens
from synovia_client import SignInCode
from synovia_qt import SignIn, SynoviaClient


@contextmanager
def running_hub(issuer: str | None) -> Iterator[SignInHub]:
    """Run a hub on a thread of its own."""
    loop = asyncio.SelectorEventLoop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    context = sign_in_hub(issuer)
    try:
        yield asyncio.run_coroutine_threadsafe(context.__aenter__(), loop).result(20)
    finally:
        asyncio.run_coroutine_threadsafe(context.__aexit__(None, None, None), loop).result(20)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


@contextmanager
def scene(
    open_url: Callable[[str], object] | None = None, **options: Any
) -> Iterator[tuple[IssuerProcess, SignInHub, Browser, SynoviaClient, SignIn, list[Any]]]:
    """Show a client that is to be signed in, and what its sign-in tells."""
    application()
    browser = Browser()
    with issuer_process() as issuer, running_hub(issuer.url) as hub:
        client = SynoviaClient(hub.url, proxy=None, **options)
        sign_in = SignIn(client, open_url=open_url or browser.open)
        told: list[Any] = []
        sign_in.succeeded.connect(lambda: told.append("succeeded"))
        sign_in.failed.connect(lambda error: told.append(error.code))
        sign_in.codeSent.connect(lambda sent: told.append(sent.email))
        sign_in.signedOut.connect(lambda: told.append("signed out"))
        try:
            yield issuer, hub, browser, client, sign_in, told
        finally:
            client.close()
            browser.close()


def asked(client: SynoviaClient) -> Any:
    call = client.query(ME)
    until(lambda: call.done)
    return call.result


def with_a_browser() -> None:
    """Sign in, be signed in at the next start, and sign out; the browser is opened on Qt's thread."""
    tokens = KeptTokens()
    threads: list[Any] = []

    def open_url(url: str) -> bool:
        threads.append(threading.current_thread())
        return opened.open(url)

    opened = Browser()
    with scene(open_url, tokens=tokens) as (issuer, hub, _, client, sign_in, told):
        busy: list[bool] = []
        sign_in.busyChanged.connect(busy.append)
        assert sign_in.ways is None
        sign_in.refresh()
        until(lambda: sign_in.ways is not None)
        assert sign_in.ways is not None
        assert [way.issuer for way in sign_in.ways.issuers] == [issuer.url]
        sign_in.with_browser()
        until(lambda: told)
        assert (told, threads, busy) == (["succeeded"], [threading.current_thread()], [True, False] * 2)
        until(lambda: client.signedIn)
        assert asked(client) == "ada@example.org"
        again = SynoviaClient(hub.url, proxy=None, tokens=tokens)
        assert (again.signingIn, again.signedIn) == (True, False)
        told_of: list[tuple[bool, bool]] = []
        for moved in (again.signingInChanged, again.signedInChanged):
            moved.connect(lambda _: told_of.append((again.signingIn, again.signedIn)))
        until(lambda: again.signedIn)
        assert set(told_of) == {(False, True)}, "no signal shows one of both without the other"
        assert again.signingIn is False
        assert asked(again) == "ada@example.org"
        again.close()
        sign_in.sign_out()
        until(lambda: told[1:] == ["signed out"] and not client.signedIn)
        assert (asked(client), tokens.kept) == (None, None)
        opened.close()


def mistakes() -> None:
    """Tell the code of what went wrong, on Qt's thread, and go on."""
    with scene() as (issuer, _, _, _, sign_in, told):
        for fault in ("wrong_state", "wrong_nonce", "wrong_verifier", "access_denied", "forged"):
            issuer.behave(fault)
            sign_in.with_browser()
            until(lambda: not sign_in.busy)
        assert told == ["state_mismatch", "nonce_mismatch", "code_refused", "denied", "invalid_token"]
        issuer.behave()
        sign_in.with_google()
        until(lambda: len(told) == 6)
        assert told[5] == SignInCode.NO_SUCH_WAY
        sign_in.with_browser(issuer.url)
        until(lambda: len(told) == 7)
        assert told[6] == "succeeded"


def given_up() -> None:
    """Cancel an attempt, let another take its place, and close the port when the object is gone."""
    urls: list[str] = []

    def never(url: str) -> bool:
        urls.append(url)
        return True

    def ports() -> list[str]:
        return [parse_qs(urlsplit(url).query)["redirect_uri"][0] for url in urls]

    def is_closed(address: str) -> bool:
        try:
            visit(address)
        except OSError:
            return True
        return False

    with scene(never) as (_, _, _, client, sign_in, told):
        sign_in.cancel()
        assert told == []
        sign_in.with_browser()
        until(lambda: len(urls) == 1)
        sign_in.cancel()
        assert (told, sign_in.busy) == (["cancelled"], False)
        sign_in.with_browser()
        until(lambda: len(urls) == 2)
        sign_in.with_browser()
        until(lambda: len(urls) == 3)
        until(lambda: [is_closed(port) for port in ports()] == [True, True, False])
        other: SignIn | None = SignIn(client, open_url=never)
        assert other is not None
        gone = weakref.ref(other)
        other.with_browser()
        until(lambda: len(urls) == 4)
        other = None
        gc.collect()
        until(lambda: gone() is None and is_closed(ports()[3]))
        client.close()
        sign_in.with_browser()
        assert (told, sign_in.busy) == (["cancelled"] * 2, False)  # the client is closed


def codes() -> None:
    """Send a code, take a wrong one and then the right one."""
    with scene() as (_, hub, _, client, sign_in, told):
        sign_in.enter_code("12345678")
        assert told.pop() == SignInCode.NO_SUCH_WAY
        sign_in.send_code(" ada@example.org ")
        until(lambda: told)
        assert told == ["ada@example.org"]
        sign_in.enter_code("00000000")
        until(lambda: len(told) == 2)
        sign_in.enter_code(hub.code)
        until(lambda: len(told) == 3)
        assert told[1:] == ["invalid_token", "succeeded"]
        assert sign_in.sent_code is None
        assert asked(client) == "ada@example.org"
