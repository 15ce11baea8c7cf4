"""Tokens that are kept over a restart, and who the server takes the client for."""

from __future__ import annotations

import asyncio
import stat
from pathlib import Path

from client.options import MakeClient
from client.peer import Peer, PeerConnection, eventually
from helpers.kept_tokens import KeptTokens
from synovia_client import AuthState, FileTokens, TokenSet
from synovia_protocol.errors import ErrorInfo
from synovia_protocol.messages import Authenticate, Authenticated, AuthError

EXPIRED = ErrorInfo("invalid_token", "expired")
GIVEN = TokenSet("own", "refresh", 1_000)


class Broken(KeptTokens):
    def load(self) -> TokenSet | None:
        raise OSError("the keyring is locked")

    def save(self, tokens: TokenSet) -> None:
        raise OSError("the keyring is locked")


async def accept(connection: PeerConnection, tokens: TokenSet | None = None) -> None:
    kept = tokens or TokenSet(None)
    await connection.send(connection.session.send(Authenticated(kept.token, kept.refresh_token, kept.expires_at)))


async def test_what_the_server_gives_is_kept_and_signs_in_the_next_time(make: MakeClient, peer: Peer) -> None:
    store = KeptTokens()
    async with make(token="a code", tokens=store):
        connection = await peer.welcome()
        assert await connection.expect(Authenticate) == Authenticate("a code")
        await accept(connection, GIVEN)
        await eventually(lambda: store.kept == GIVEN)
    async with make(tokens=store) as client:
        assert client.auth == AuthState(is_loading=True, is_authenticated=False)
        connection = await peer.welcome()
        assert await connection.expect(Authenticate) == Authenticate("own")
        await accept(connection)
        reading = asyncio.create_task(connection.next())
        await eventually(lambda: client.auth == AuthState(is_loading=False, is_authenticated=True))
        reading.cancel()
    assert store.kept == GIVEN


async def test_a_refused_token_gives_way_to_the_refresh_token_and_both_to_nothing(make: MakeClient, peer: Peer) -> None:
    store = KeptTokens(GIVEN)
    async with make(tokens=store) as client:
        told: list[AuthState] = []
        client.on_auth_change(told.append)
        first = await peer.welcome()
        await first.expect(Authenticate)
        await first.send(first.session.send(AuthError(EXPIRED)))
        second = await peer.welcome()
        assert await second.expect(Authenticate) == Authenticate("refresh")
        assert store.kept == TokenSet(None, "refresh")
        await second.send(second.session.send(AuthError(EXPIRED)))
        assert await second.expect(Authenticate) == Authenticate(None)
        assert store.kept is None
        assert client.auth.error is not None
        assert [(each.is_loading, each.is_authenticated) for each in told] == [(False, False)]


async def test_signing_out_forgets_the_tokens_at_once(make: MakeClient, peer: Peer) -> None:
    store = KeptTokens(GIVEN)
    async with make(tokens=store) as client:
        connection = await peer.welcome()
        await connection.expect(Authenticate)
        await accept(connection)
        leaving = asyncio.create_task(client.sign_out())  # the peer knows no /auth/sign-out, which is no error
        assert await connection.expect(Authenticate) == Authenticate(None)
        reading = asyncio.create_task(connection.next())
        await leaving
        reading.cancel()
        assert store.kept is None
        assert client.auth == AuthState(is_loading=False, is_authenticated=False)


async def test_another_program_that_renewed_the_tokens_is_followed(make: MakeClient, peer: Peer) -> None:
    store = KeptTokens(GIVEN)
    async with make(tokens=store):
        first = await peer.welcome()
        assert await first.expect(Authenticate) == Authenticate("own")
        store.kept = TokenSet("newer", "refresh 2")
        await first.send(first.session.send(AuthError(EXPIRED)))
        second = await peer.welcome()
        assert await second.expect(Authenticate) == Authenticate("newer")


async def test_a_store_that_fails_is_no_harm(make: MakeClient, peer: Peer) -> None:
    async with make(tokens=Broken()) as client:
        signing_in = asyncio.create_task(client.authenticate("a code"))
        connection = await peer.welcome()
        assert await connection.expect(Authenticate) == Authenticate("a code")
        await accept(connection, GIVEN)
        reading = asyncio.create_task(connection.next())
        await signing_in
        reading.cancel()
        assert client.auth.is_authenticated


def test_a_file_keeps_tokens_for_its_owner_alone(tmp_path: Path) -> None:
    store = FileTokens(tmp_path / "tokens.json")
    assert store.load() is None
    store.clear()
    store.save(TokenSet("first"))
    store.save(GIVEN)
    assert store.load() == GIVEN
    assert stat.S_IMODE(store.path.stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["tokens.json"]
    assert "own" not in repr(GIVEN)
    store.clear()
    assert store.load() is None


def test_a_file_that_holds_no_tokens_counts_as_none(tmp_path: Path) -> None:
    store = FileTokens(tmp_path / "tokens.json")
    for text in ("", "[]", "1", '{"password": 1}', '{"token": 5}', '{"token": null, "refresh_token": {}}'):
        store.path.write_text(text)
        assert store.load() is None, text
