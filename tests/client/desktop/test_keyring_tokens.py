"""Tokens in the system's keyring, by the real library with a backend of the tests; in memory where there is none."""

from __future__ import annotations

import logging
import sys
import threading
from collections.abc import Iterator

import keyring
import pytest
from keyring.backend import KeyringBackend
from keyring.backends.fail import Keyring as NoKeyring

from client.desktop.scene import ME, sign_in_hub
from synovia_client import Client, DesktopSignIn, KeyringTokens, TokenSet

GIVEN = TokenSet("access", "refresh", 1_000)


class Ring(KeyringBackend):
    """A keyring in memory, which may be locked or hang."""

    priority = 1

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.kept: dict[tuple[str, str], str] = {}
        self.locked = False
        self.hangs: threading.Event | None = None

    def _wait(self) -> None:
        if self.locked:
            raise keyring.errors.KeyringLocked("locked")
        if self.hangs is not None:
            self.hangs.wait(10)

    def get_password(self, service: str, username: str) -> str | None:
        self._wait()
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self._wait()
        assert len(password) < 1_000
        self.kept[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        del self.kept[service, username]


@pytest.fixture
def ring() -> Iterator[Ring]:
    before = keyring.get_keyring()
    ring = Ring()
    keyring.set_keyring(ring)
    yield ring
    if ring.hangs is not None:
        ring.hangs.set()
    keyring.set_keyring(before)


def tokens(account: str = "hub", patience: float = 10.0) -> KeyringTokens:
    return KeyringTokens("Motion", account, patience=patience)


def test_the_refresh_token_outlives_the_program_and_nothing_else_is_kept(ring: Ring) -> None:
    first = tokens()
    assert first.load() is None
    first.save(GIVEN)
    assert first.load() == GIVEN
    assert ring.kept == {("Motion", "hub"): '{"refreshToken": "refresh"}'}
    assert tokens().load() == TokenSet(None, "refresh")
    assert tokens("another").load() is None
    tokens().save(TokenSet("newer", "renewed"))  # another process of the program
    assert first.load() == TokenSet(None, "renewed")
    first.clear()
    first.clear()
    assert (ring.kept, tokens().load(), first.warning) == ({}, None, None)
    first.save(TokenSet("only", None, 7))
    assert tokens().load() == TokenSet("only")


@pytest.mark.parametrize("text", ["", "no json", "[1]", '{"refreshToken": 7}', "{}", "[" * 100_000])
def test_what_is_not_ours_is_nothing(ring: Ring, text: str) -> None:
    ring.kept["Motion", "hub"] = text
    assert tokens().load() is None


def test_without_a_keyring_tokens_are_in_memory_and_that_is_said_once(
    ring: Ring, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    keyring.set_keyring(NoKeyring())  # type: ignore[no-untyped-call]
    kept = tokens()
    kept.save(GIVEN)
    assert kept.load() == GIVEN
    kept.clear()
    assert kept.load() is None
    assert kept.warning is not None
    assert "no keyring" in kept.warning
    assert [record.levelno for record in caplog.records] == [logging.WARNING]
    monkeypatch.setitem(sys.modules, "keyring", None)
    missing = tokens()
    assert "pip install keyring" in (missing.warning or "")
    missing.save(GIVEN)
    assert missing.load() == GIVEN


def test_a_keyring_that_is_locked_or_hangs_gives_way_to_memory(ring: Ring) -> None:
    locked = tokens()
    told: list[str] = []
    locked.warned = told.append
    locked.save(GIVEN)
    ring.locked = True
    assert locked.load() == GIVEN
    assert told == [locked.warning]
    locked.save(TokenSet("newer", "r"))
    assert locked.load() == TokenSet("newer", "r")
    assert len(told) == 1
    ring.locked = False
    hanging = tokens(patience=0.05)
    ring.hangs = threading.Event()
    assert hanging.load() is None
    assert "does not answer" in (hanging.warning or "")


async def test_somebody_is_signed_in_at_the_next_start_and_signed_out_for_good(ring: Ring) -> None:
    async with sign_in_hub("https://issuer.example") as hub:
        async with Client(hub.url, proxy=None, tokens=tokens()) as client:
            sign_in = DesktopSignIn(client)
            sent = await sign_in.send_code("ada@example.org")
            await sign_in.with_code(sent, hub.code)
        for _ in range(2):  # each start renews the token that is kept
            before = dict(ring.kept)
            async with Client(hub.url, proxy=None, tokens=tokens()) as client:
                assert await client.query(ME) == "ada@example.org"
            assert ring.kept != before
        async with Client(hub.url, proxy=None, tokens=tokens()) as client:
            await client.connected()
            await DesktopSignIn(client).sign_out()
        async with Client(hub.url, proxy=None, tokens=tokens()) as client:
            assert await client.query(ME) is None
    assert ring.kept == {}
