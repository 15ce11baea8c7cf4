"""Tokens: sent first, renewed when they expire, and never waited for without end."""

from __future__ import annotations

import asyncio

import pytest

from client.manual_clock import ManualClock
from client.options import MakeClient
from client.peer import Peer, PeerConnection, eventually
from synovia_client import AuthenticationError, Client
from synovia_protocol.errors import ErrorInfo
from synovia_protocol.messages import Authenticate, Authenticated, AuthError, Connect, Mutation, Ping

EXPIRED = ErrorInfo("invalid_token", "expired")


class Tokens:
    """A token callable that counts."""

    def __init__(self) -> None:
        self.asked = 0

    async def __call__(self) -> str:
        self.asked += 1
        return f"token {self.asked}"


async def test_the_token_goes_before_everything_else(make: MakeClient, peer: Peer) -> None:
    async with make(token="t1") as client:
        asked = asyncio.create_task(client.query("users:me"))
        connection = await peer.accept()
        await connection.expect(Connect)
        assert await connection.expect(Authenticate) == Authenticate("t1")
        await connection.expect_query("users:me")
        asked.cancel()


async def test_a_callable_is_asked_on_every_connection(make: MakeClient, peer: Peer) -> None:
    tokens = Tokens()
    async with make(token=tokens):
        for number in (1, 2, 3):
            connection = await peer.welcome()
            assert await connection.expect(Authenticate) == Authenticate(f"token {number}")
            connection.cut()


async def refuse(connection: PeerConnection, error: ErrorInfo = EXPIRED) -> None:
    """Answer the token that was sent with an error, and the ping behind it."""
    await connection.send(connection.session.send(AuthError(error)))
    await connection.answer_ping()


async def accept(connection: PeerConnection) -> None:
    """Take the token that was sent, and answer the ping behind it."""
    await connection.send(connection.session.send(Authenticated()))
    await connection.silence()


async def test_an_expired_token_is_renewed_once(make: MakeClient, peer: Peer) -> None:
    """On another connection: what this one says of queries is what nobody may see."""
    tokens = Tokens()
    async with make(token=tokens) as client:
        first = await peer.welcome()
        await first.expect(Authenticate)
        await first.send(first.session.send(AuthError(EXPIRED)))
        await first.closed()
        second = await peer.welcome()
        assert await second.expect(Authenticate) == Authenticate("token 2")
        assert client.auth_error is None
        await refuse(second)
        await eventually(lambda: client.auth_error is not None)
        assert tokens.asked == 2


async def test_a_token_that_served_for_a_while_is_renewed_again(
    make: MakeClient, peer: Peer, clock: ManualClock
) -> None:
    tokens = Tokens()
    async with make(token=tokens):
        connection = await peer.accept()
        await connection.welcome(idle_timeout=0)
        await connection.expect(Authenticate)
        await accept(connection)
        for number in (2, 3, 4):
            await connection.send(connection.session.send(AuthError(EXPIRED)))
            assert await connection.expect(Authenticate) == Authenticate(f"token {number}")
            await accept(connection)
            clock.advance(3600)


async def test_nothing_goes_out_while_a_new_token_is_on_its_way(make: MakeClient, peer: Peer) -> None:
    coming: asyncio.Queue[str] = asyncio.Queue()
    async with make(token=coming.get) as client:
        connection = await peer.welcome()
        coming.put_nowait("one")
        await connection.expect(Authenticate)
        await accept(connection)
        await connection.send(connection.session.send(AuthError(EXPIRED)))
        await connection.silence()
        asked = asyncio.create_task(client.mutation("m"))
        await connection.silence()
        coming.put_nowait("two")
        assert await connection.expect(Authenticate) == Authenticate("two")
        await connection.silence()
        await accept(connection)
        await connection.answer(await connection.expect(Mutation), "done")
        assert await asked == "done"


async def test_a_fixed_token_that_is_refused_is_reported(make: MakeClient, peer: Peer) -> None:
    async with make(token="wrong") as client:
        connection = await peer.welcome()
        await connection.expect(Authenticate)
        await refuse(connection)
        await eventually(lambda: client.auth_error is not None)
        assert client.auth_error is not None
        assert client.auth_error.code == "invalid_token"
        assert client.state == "connected"
        assert await connection.expect(Authenticate) == Authenticate(None), "it goes on as nobody"
        await connection.silence()


async def test_a_callable_that_hangs_is_given_up_and_asked_again(
    make: MakeClient, peer: Peer, clock: ManualClock
) -> None:
    asked = asyncio.Event()

    async def hang() -> str:
        asked.set()
        await asyncio.get_running_loop().create_future()
        return "never"

    async with make(token=hang) as client:
        for _ in range(2):
            connection = await peer.accept()
            await connection.expect(Connect)
            await asked.wait()
            asked.clear()
            await connection.send(connection.session.send_welcome(60.0))
            await client.connected()
            await clock.awaited(13)
            clock.advance(13)
            await connection.closed()
            await eventually(lambda: "no token" in (client.trouble or ""))


async def test_a_callable_that_fails_is_asked_again(make: MakeClient, peer: Peer) -> None:
    answers = iter([RuntimeError("no network"), "better"])

    async def token() -> str:
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        assert isinstance(answer, str)
        return answer

    async with make(token=token):
        first = await peer.accept()
        await first.closed()
        second = await peer.welcome()
        assert await second.expect(Authenticate) == Authenticate("better")


async def test_signing_in_later(client: Client, peer: Peer) -> None:
    connection = await peer.welcome()
    await client.connected()
    signing_in = asyncio.create_task(client.authenticate("t2"))
    assert await connection.expect(Authenticate) == Authenticate("t2")
    reading = asyncio.create_task(connection.next())  # answers the ping behind it
    await signing_in
    assert client.auth_error is None
    signing_out = asyncio.create_task(client.authenticate(None))
    assert await reading == Authenticate(None)
    reading = asyncio.create_task(connection.next())
    await signing_out
    reading.cancel()
    connection.cut()
    second = await peer.welcome()
    await second.silence()


async def test_signing_in_with_a_token_that_is_refused(client: Client, peer: Peer) -> None:
    connection = await peer.welcome()
    signing_in = asyncio.create_task(client.authenticate("bad"))
    await connection.expect(Authenticate)
    await refuse(connection, ErrorInfo("invalid_token", "forged"))
    with pytest.raises(AuthenticationError, match="forged"):
        await signing_in
    assert await connection.expect(Authenticate) == Authenticate(None)
    again = asyncio.create_task(client.authenticate("good"))
    assert await connection.expect(Authenticate) == Authenticate("good")
    reading = asyncio.create_task(connection.next())
    await again
    assert client.auth_error is None
    reading.cancel()


async def test_signing_in_is_settled_by_the_last_of_the_tokens_tried(client: Client, peer: Peer) -> None:
    connection = await peer.welcome()
    await client.connected()
    signing_in = asyncio.create_task(client.authenticate(Tokens()))
    for _ in range(2):
        assert isinstance(await connection.expect(Authenticate), Authenticate)
        await refuse(connection)
    with pytest.raises(AuthenticationError, match="expired"):
        await signing_in


async def test_signing_in_over_a_connection_that_breaks(client: Client, peer: Peer) -> None:
    first = await peer.welcome()
    signing_in = asyncio.create_task(client.authenticate("t2"))
    await first.expect(Authenticate)
    first.cut()
    second = await peer.welcome()
    assert await second.expect(Authenticate) == Authenticate("t2")
    reading = asyncio.create_task(second.next())
    await signing_in
    reading.cancel()


# --- the server's own tokens


async def test_the_servers_own_tokens_are_used_from_then_on(make: MakeClient, peer: Peer) -> None:
    tokens = Tokens()
    async with make(token=tokens) as client:
        first = await peer.welcome()
        assert await first.expect(Authenticate) == Authenticate("token 1")
        await first.send(first.session.send(Authenticated("own", "refresh")))
        await eventually(lambda: client._credentials.renewable and tokens.asked == 1)
        await first.silence()
        first.cut()
        second = await peer.welcome()
        assert await second.expect(Authenticate) == Authenticate("own")
        await second.send(second.session.send(AuthError(EXPIRED)))
        third = await peer.welcome()
        assert await third.expect(Authenticate) == Authenticate("refresh")
        await third.send(third.session.send(Authenticated("own 2", "refresh 2")))
        await third.silence()
        third.cut()
        for token in ("own 2", "refresh 2"):
            connection = await peer.welcome()
            assert await connection.expect(Authenticate) == Authenticate(token)
            await connection.send(connection.session.send(AuthError(EXPIRED)))
        last = await peer.welcome()
        assert await last.expect(Authenticate) == Authenticate("token 2"), "the program is asked last"
        assert tokens.asked == 2


async def test_consent_settles_signing_in(client: Client, peer: Peer) -> None:
    connection = await peer.welcome()
    signing_in = asyncio.create_task(client.authenticate("t"))
    await connection.expect(Authenticate)
    await connection.send(connection.session.send(Authenticated()))
    await connection.silence()
    await signing_in
    connection.cut()
    second = await peer.welcome()
    assert await second.expect(Authenticate) == Authenticate("t"), "no token came back, so the one sent stays"


@pytest.mark.parametrize(("life", "renewed_after"), [(3600, 3540), (100, 80)])
async def test_a_token_is_renewed_before_it_expires(
    make: MakeClient, peer: Peer, clock: ManualClock, life: int, renewed_after: int
) -> None:
    tokens = Tokens()
    async with make(token=tokens):
        connection = await peer.accept()
        await connection.welcome(idle_timeout=0, server_time=1_000_000)
        await connection.expect(Authenticate)
        for number in (2, 3):
            now = 1_000_000 + round(clock.now * 1000)
            await connection.send(connection.session.send(Authenticated(None, None, now + life * 1000)))
            await clock.awaited(renewed_after)
            clock.advance(renewed_after)
            while isinstance(event := await connection.next(), Ping):
                pass
            assert event == Authenticate(f"token {number}")


async def test_a_refresh_token_is_used_before_the_own_one_expires(
    make: MakeClient, peer: Peer, clock: ManualClock
) -> None:
    async with make(token="short-lived"):
        connection = await peer.accept()
        await connection.welcome(idle_timeout=0, server_time=0)
        await connection.expect(Authenticate)
        await connection.send(connection.session.send(Authenticated("own", "refresh", 100_000)))
        await clock.awaited(80)
        clock.advance(80)
        assert await connection.expect(Authenticate) == Authenticate("refresh")


async def test_what_cannot_be_renewed_is_left_to_expire(make: MakeClient, peer: Peer, clock: ManualClock) -> None:
    async with make(token="only one"):
        connection = await peer.accept()
        await connection.welcome(idle_timeout=0, server_time=0)
        await connection.expect(Authenticate)
        await connection.send(connection.session.send(Authenticated(None, None, 100_000)))
        await connection.silence()
        clock.advance(99)
        await connection.silence()
