"""A server that cannot look at a token is asked again; and what is called as somebody never runs as nobody."""

from __future__ import annotations

import asyncio

import numpy as np
import pytest

from client.manual_clock import ManualClock
from client.options import MakeClient
from client.peer import Peer, PeerConnection, eventually
from synovia_client import AuthenticationError, Client, ConnectionLost, FunctionError
from synovia_protocol.errors import ErrorInfo
from synovia_protocol.messages import (
    Action,
    Authenticate,
    Authenticated,
    AuthError,
    ModifyQuerySet,
    Mutation,
    MutationResponse,
)

TOO_SLOW = ErrorInfo("timeout", "the token could not be verified in time")
FORGED = ErrorInfo("invalid_token", "forged")


async def refuse(connection: PeerConnection, error: ErrorInfo = FORGED) -> None:
    await connection.expect(Authenticate)
    await connection.send(connection.session.send(AuthError(error)))


async def accept(connection: PeerConnection) -> None:
    await connection.expect(Authenticate)
    await connection.send(connection.session.send(Authenticated()))


@pytest.mark.parametrize("code", ["timeout", "server_error", "overloaded"])
async def test_a_passing_failure_is_retried_and_nothing_goes_as_nobody(make: MakeClient, peer: Peer, code: str) -> None:
    async with make(token="slow to verify") as client:
        calls = [asyncio.create_task(client.mutation("m")), asyncio.create_task(client.action("a"))]
        for _ in range(3):
            connection = await peer.welcome()
            await refuse(connection, ErrorInfo(code, "not now"))
            await connection.closed()
            await eventually(lambda: "could not verify the token" in (client.trouble or ""))
            assert client.auth_error is None
        connection = await peer.welcome()
        await connection.expect(Authenticate)
        await connection.silence()  # it is not known yet as whom they would run
        await connection.send(connection.session.send(Authenticated()))
        await connection.answer(await connection.expect(Mutation), "done")
        await connection.send(
            connection.session.send_action_result((await connection.expect(Action)).request_id, b"\xc0")
        )
        assert await asyncio.gather(*calls) == ["done", None]


async def test_a_token_that_comes_after_the_welcome_holds_everything_back(make: MakeClient, peer: Peer) -> None:
    coming: asyncio.Queue[str] = asyncio.Queue()
    async with make(token=coming.get) as client:
        mutation = asyncio.create_task(client.mutation("m"))
        connection = await peer.welcome()
        await client.connected()
        await connection.silence()
        coming.put_nowait("late")
        await accept(connection)
        await connection.answer(await connection.expect(Mutation), "done")
        assert await mutation == "done"


async def test_results_for_nobody_are_not_shown(make: MakeClient, peer: Peer) -> None:
    """Queries go out behind the token, before the server has looked at it; should it not accept it, they are asked anew."""
    async with make(token="t") as client:
        asked = asyncio.create_task(client.query("mine"))
        first = await peer.welcome()
        await first.expect(Authenticate)
        await first.expect_query("mine")
        await first.send(first.session.send(AuthError(TOO_SLOW)))
        await first.give("mine", "what nobody may see", 5)
        await first.closed()
        second = await peer.welcome()
        await accept(second)
        await second.give("mine", "mine", 6)
        assert await asked == "mine"


async def test_the_server_says_when_a_token_may_be_tried_again(
    make: MakeClient, peer: Peer, clock: ManualClock
) -> None:
    async with make(token="t"):
        connection = await peer.welcome()
        await refuse(connection, ErrorInfo("rate_limited", "too many", {"retryAfter": 4.5}))
        await clock.awaited(4.5)
        clock.advance(4.5)
        await accept(await peer.welcome())


async def test_a_passing_failure_of_a_renewal_is_retried_too(client: Client, peer: Peer) -> None:
    first = await peer.welcome()
    signing_in = asyncio.create_task(client.authenticate("t"))
    await refuse(first, TOO_SLOW)
    await first.closed()
    second = await peer.welcome()
    await accept(second)
    await second.silence()
    await signing_in


async def test_what_was_called_as_somebody_fails_when_the_token_is_refused(make: MakeClient, peer: Peer) -> None:
    async with make(token="forged") as client:
        calls = [
            asyncio.create_task(client.mutation("m")),
            asyncio.create_task(client.action("a")),
            asyncio.create_task(client.mutation("plot", {"samples": np.zeros(10)})),
            asyncio.create_task(client.mutation("plot", {"samples": np.zeros(300_000)})),  # hashed on another thread
        ]
        connection = await peer.welcome()
        await refuse(connection)
        await connection.answer_ping()
        for error in await asyncio.gather(*calls, return_exceptions=True):
            assert isinstance(error, FunctionError)
            assert error.code == "unauthenticated"
            assert "not run" in error.message
        as_nobody = asyncio.create_task(client.mutation("public"))
        assert await connection.expect(Authenticate) == Authenticate(None), (
            "the server is told that it goes on as nobody"
        )
        await connection.answer(await connection.expect(Mutation), "done")
        assert await as_nobody == "done", "the program knows by now that nobody is signed in"


async def test_what_was_called_as_somebody_fails_when_they_sign_out(make: MakeClient, peer: Peer) -> None:
    async with make(token="t") as client:
        first = await peer.welcome()
        await accept(first)
        await first.silence()
        await peer.stop()
        await eventually(lambda: client.state == "reconnecting")
        waiting = asyncio.create_task(client.mutation("m"))
        await asyncio.sleep(0)
        signing_out = asyncio.create_task(client.authenticate(None))
        await peer.listen(peer.port)
        second = await peer.welcome()
        with pytest.raises(FunctionError, match="not signed in any more"):
            await waiting
        await signing_out
        await second.silence()


async def test_a_callable_may_have_no_token_and_then_all_goes_as_nobody(make: MakeClient, peer: Peer) -> None:
    async def nobody() -> None:
        return None

    async with make(token=nobody) as client:
        early = asyncio.create_task(client.mutation("early"))
        connection = await peer.welcome()
        assert await connection.expect(Authenticate) == Authenticate(None)
        await connection.answer(await connection.expect(Mutation), "done")
        assert await early == "done"
        later = asyncio.create_task(client.mutation("later"))
        await connection.answer(await connection.expect(Mutation), "done")
        assert await later == "done"
        assert client.auth_error is None


async def test_what_was_called_as_somebody_fails_when_the_callable_has_no_token_any_more(
    make: MakeClient, peer: Peer
) -> None:
    tokens = iter(["t", None])

    async def token() -> str | None:
        return next(tokens)

    async with make(token=token) as client:
        first = await peer.welcome()
        await accept(first)
        await first.silence()
        await peer.stop()
        await eventually(lambda: client.state == "reconnecting")
        waiting = asyncio.create_task(client.mutation("m"))
        await asyncio.sleep(0)
        await peer.listen(peer.port)
        second = await peer.welcome()
        assert await second.expect(Authenticate) == Authenticate(None)
        await second.answer_ping()
        with pytest.raises(FunctionError, match="not signed in any more"):
            await waiting


async def test_a_retry_does_not_run_as_nobody(make: MakeClient, peer: Peer) -> None:
    async with make(token="t") as client:
        first = await peer.welcome()
        await accept(first)
        await first.silence()
        mutation = asyncio.create_task(client.mutation("m"))
        await first.expect(Mutation)
        first.cut()
        second = await peer.welcome()
        await refuse(second)
        await second.answer_ping()
        with pytest.raises(ConnectionLost, match="not known whether it ran"):
            await mutation


async def test_a_session_that_ends_holds_back_what_is_called_until_another_is_there(
    make: MakeClient, peer: Peer
) -> None:
    coming: asyncio.Queue[str] = asyncio.Queue()
    coming.put_nowait("one")
    async with make(token=coming.get) as client:
        connection = await peer.welcome()
        await accept(connection)
        await connection.silence()
        await connection.send(connection.session.send(AuthError(ErrorInfo("invalid_token", "the session has ended"))))
        await connection.silence()
        mutation = asyncio.create_task(client.mutation("m"))
        await connection.silence()
        coming.put_nowait("two")
        await connection.expect(Authenticate)
        await connection.silence()
        await connection.send(connection.session.send(Authenticated()))
        await connection.answer(await connection.expect(Mutation), "done")
        assert await mutation == "done"


def late(mutation: Mutation) -> MutationResponse:
    """What a server says to a request that arrived when the sign-in had ended."""
    error = ErrorInfo("unauthenticated", "the sign-in has ended", {"signedOut": True})
    return MutationResponse(mutation.request_id, None, error=error)


async def test_what_arrives_just_after_the_session_has_ended_is_sent_again_as_somebody(
    make: MakeClient, peer: Peer
) -> None:
    coming: asyncio.Queue[str] = asyncio.Queue()
    coming.put_nowait("one")
    async with make(token=coming.get) as client:
        connection = await peer.welcome()
        await accept(connection)
        await connection.silence()
        call = asyncio.create_task(client.mutation("m"))
        mutation = await connection.expect(Mutation)
        await connection.send(connection.session.send(AuthError(ErrorInfo("invalid_token", "it has ended"))))
        await connection.send(connection.session.send(late(mutation)))
        coming.put_nowait("two")
        await accept(connection)
        await connection.answer(await connection.expect(Mutation), "done")
        assert await call == "done"


async def test_what_arrives_just_after_the_only_token_has_expired_fails(make: MakeClient, peer: Peer) -> None:
    async with make(token="only one") as client:
        connection = await peer.welcome()
        await accept(connection)
        await connection.silence()
        call = asyncio.create_task(client.mutation("m"))
        mutation = await connection.expect(Mutation)
        await connection.send(connection.session.send(AuthError(ErrorInfo("invalid_token", "it has expired"))))
        await connection.send(connection.session.send(late(mutation)))
        with pytest.raises(FunctionError, match="not run"):
            await call


async def test_an_answer_to_a_token_that_was_replaced_counts_for_nothing(client: Client, peer: Peer) -> None:
    """The tokens that the server gives to Ada are not what Ben signs in with."""
    connection = await peer.welcome()
    await client.connected()
    ada = asyncio.create_task(client.authenticate("ada"))
    await connection.expect(Authenticate)
    ben = asyncio.create_task(client.authenticate("ben"))
    await eventually(lambda: client._credentials.replaced == 2)
    await connection.send(connection.session.send(Authenticated("ada's own", "ada's refresh")))
    assert await connection.expect(Authenticate) == Authenticate("ben")
    await connection.send(connection.session.send(Authenticated()))
    await connection.silence()
    await asyncio.gather(ada, ben)
    connection.cut()
    again = await peer.welcome()
    assert await again.expect(Authenticate) == Authenticate("ben")


async def test_an_end_of_session_that_crosses_a_new_token_is_not_taken_for_its_refusal(
    make: MakeClient, peer: Peer
) -> None:
    async with make(token="old") as client:
        connection = await peer.welcome()
        await accept(connection)
        await connection.silence()
        signing_in = asyncio.create_task(client.authenticate("new"))
        await connection.expect(Authenticate)
        await connection.send(connection.session.send(AuthError(ErrorInfo("invalid_token", "the old one has expired"))))
        await connection.send(connection.session.send(Authenticated()))
        await connection.silence()
        await signing_in
        assert client.auth_error is None


async def test_an_end_of_session_that_comes_before_the_answer_to_signing_out_is_no_failure(
    make: MakeClient, peer: Peer
) -> None:
    async with make(token="old") as client:
        connection = await peer.welcome()
        await accept(connection)
        await connection.silence()
        signing_out = asyncio.create_task(client.sign_out())
        await connection.expect(Authenticate)
        await connection.send(connection.session.send(AuthError(ErrorInfo("invalid_token", "the session has ended"))))
        await connection.silence()
        await signing_out
        assert client.auth_error is None


async def test_a_refused_token_is_told_to_who_signs_in(client: Client, peer: Peer) -> None:
    connection = await peer.welcome()
    await client.connected()
    signing_in = asyncio.create_task(client.authenticate("forged"))
    await refuse(connection)
    await connection.silence()
    with pytest.raises(AuthenticationError, match="forged"):
        await signing_in


async def test_queries_of_nobody_go_on_after_a_refusal(make: MakeClient, peer: Peer) -> None:
    async with make(token="forged") as client:
        asked = asyncio.create_task(client.query("public"))
        connection = await peer.welcome()
        await connection.expect(Authenticate)
        await connection.expect(ModifyQuerySet)
        await connection.send(connection.session.send(AuthError(FORGED)))
        await connection.give("public", "for everybody", 5)
        assert await asked == "for everybody"
