"""A sign-in that ends while calls run and wait: what has begun goes on as who began it, what waits is not run."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest

from auth.sign_in_scene import SignInScene
from auth.signed_in_server import is_, service_of, serving, sign_in
from helpers.key_server import KeyServer
from helpers.sync_server import Client, Running, client_of, fresh_board
from helpers.token_issuing import MovedClock
from helpers.waiting import until
from synovia_protocol.messages import AuthError, MutationResponse

End = Callable[[Running, SignInScene], Awaitable[None]]


@pytest.fixture
async def running(key_server: KeyServer, clock: MovedClock) -> AsyncIterator[Running]:
    async with serving(key_server, clock, "sqlite://:memory:") as running:
        yield running


async def revoked(running: Running, scene: SignInScene) -> None:
    service = service_of(running)
    assert await service.sessions.revoke_all("https://accounts.google.com", "1098") == 1
    await service.announce_revocations()


async def expired(running: Running, scene: SignInScene) -> None:
    scene.clock.advance(901)


async def hold_up(running: Running, client: Client, *behind: bytes) -> Any:
    """Have one mutation of a board run until its gate opens, and others wait for it; give the board when they do."""
    board = fresh_board()
    first = client.session.mutation(1, "notes:post_when_open", {"board": "a", "text": "first"})
    await client.send(first, *behind)
    await until(
        lambda: (
            (board.started, sum(each.waiting_mutations for each in running.hub.conversations))
            == (["first"], len(behind))
        )
    )
    return board


async def answers(client: Client, *numbers: int) -> list[MutationResponse]:
    """Wait for the answers to some mutations, whichever comes first: a refusal waits for no transition."""
    found: dict[int, MutationResponse] = {}
    while not found.keys() >= set(numbers):
        response = await client.until(is_(MutationResponse))
        found[response.request_id] = response
    return [found[number] for number in numbers]


async def texts(running: Running) -> list[str]:
    async with client_of(running) as reader:
        return [each["text"] for each in await reader.subscribe(1, "notes:on_board", {"board": "a"})]


@pytest.mark.parametrize("end", [revoked, expired])
async def test_what_runs_is_finished_and_what_waits_is_refused(running: Running, scene: SignInScene, end: End) -> None:
    async with client_of(running) as client:
        await sign_in(client, scene.google_token())
        board = await hold_up(running, client, client.session.mutation(2, "notes:sign", {"board": "a"}))
        await end(running, scene)
        await client.until(is_(AuthError))
        board.gate.set()
        first, second = await answers(client, 1, 2)
        assert first.error is None, "it has begun before"
        assert second.error is not None
        assert (second.error.code, second.error.data) == ("unauthenticated", {"signedOut": True})
        assert await texts(running) == ["first"]


@pytest.mark.parametrize("end", [revoked, expired])
async def test_going_on_as_nobody_does_not_save_what_waits(running: Running, scene: SignInScene, end: End) -> None:
    """Who has stolen a token sends all they can and says that they go on as nobody, before it is taken away."""
    async with client_of(running) as client:
        await sign_in(client, scene.google_token())
        board = await hold_up(running, client, client.session.mutation(2, "notes:sign", {"board": "a"}))
        await client.send(client.session.authenticate(None))
        assert await client.subscribe(1, "notes:who_am_i") is None
        await end(running, scene)
        await client.send(client.session.mutation(3, "notes:sign", {"board": "a"}))
        board.gate.set()
        _, second, third = await answers(client, 1, 2, 3)
        assert second.error is not None
        assert second.error.code == "unauthenticated"
        assert third.result == "nobody"
        assert await texts(running) == ["first", "nobody"]


async def test_a_retry_that_waits_is_looked_up_by_who_sent_it(running: Running, scene: SignInScene) -> None:
    async with client_of(running) as client:
        await sign_in(client, scene.google_token())
        board = await hold_up(running, client, client.session.mutation(2, "notes:sign", {"board": "a"}, retry=True))
        await revoked(running, scene)
        await client.until(is_(AuthError))
        board.gate.set()
        fatal, closed_with = await client.end()
        assert (fatal.error.code, fatal.retry_after, closed_with) == ("unauthenticated", 0.0, 4401)
    assert await texts(running) == ["first"]


async def test_what_waits_while_a_token_is_renewed_runs(running: Running, scene: SignInScene) -> None:
    async with client_of(running) as client:
        signed_in = await sign_in(client, scene.google_token())
        board = await hold_up(running, client, client.session.mutation(2, "notes:sign", {"board": "a"}))
        scene.clock.advance(800)
        await sign_in(client, signed_in.refresh_token)
        scene.clock.advance(800)
        board.gate.set()
        assert (await client.response(2)).result == "alice@example.org"


async def test_what_waits_while_the_client_signs_out_runs_as_who_sent_it(running: Running, scene: SignInScene) -> None:
    async with client_of(running) as client:
        await sign_in(client, scene.google_token())
        board = await hold_up(running, client, client.session.mutation(2, "notes:sign", {"board": "a"}))
        await client.send(client.session.authenticate(None), client.session.mutation(3, "notes:sign", {"board": "a"}))
        board.gate.set()
        assert (await client.response(2)).result == "alice@example.org"
        assert (await client.response(3)).result == "nobody"


@pytest.mark.parametrize("end", [revoked, expired])
async def test_an_action_that_has_begun_is_finished(running: Running, scene: SignInScene, end: End) -> None:
    async with client_of(running) as client:
        board = fresh_board()
        await sign_in(client, scene.google_token())
        number = await client.act("notes:wait")
        await until(lambda: board.started == ["wait"])
        await end(running, scene)
        await client.until(is_(AuthError))
        board.gate.set()
        assert (await client.response(number)).result == "waited"
        late = await client.act("notes:wait")
        assert (await client.response(late)).error.code == "unauthenticated"
