from __future__ import annotations

import time

import pytest
from websockets.exceptions import ConnectionClosed

from helpers.convex_wire import KIT, add, convex_wire
from helpers.sync_server import Running, client_of, fresh_board, serving
from helpers.waiting import until
from synovia.convex import socket as sockets
from synovia.identity import Identity, InvalidToken, SignIn, SignInUnavailable


class Tokens:
    """Takes ``NAME:SECONDS``, for so many seconds from now on."""

    async def authenticate(self, token: str, *, exchange: bool = True) -> SignIn:
        if token == "away":
            raise SignInUnavailable("the issuer does not answer")
        name, _, seconds = token.partition(":")
        if not seconds:
            raise InvalidToken("no token")
        expires_at = round((time.time() + float(seconds)) * 1000)
        return SignIn(Identity("issuer", name), expires_at=expires_at)


async def test_a_token_that_expires_ends_the_connection_and_says_that_none_was_tried() -> None:
    async with (
        serving(Tokens(), application=KIT, settings={"convex": True}, connect_timeout=0.4) as running,
        convex_wire(running.port) as wire,
    ):
        await wire.authenticate("ann:-1.9")
        await wire.reach(identity=1)
        expired = await wire.until("AuthError")
        assert (expired["baseVersion"], expired["authUpdateAttempted"]) == (1, False)
        await wire.ended()


async def test_a_fresh_token_takes_the_place_of_one_that_is_about_to_expire() -> None:
    async with (
        serving(Tokens(), application=KIT, settings={"convex": True}, connect_timeout=0.4) as running,
        convex_wire(running.port) as wire,
    ):
        await wire.follow(add(0, "users:me"))
        await wire.authenticate("ann:-1.5")
        await wire.authenticate("ann:60")
        await wire.reach(identity=2)
        assert (await wire.mutate("users:meMutation"))["result"]["subject"] == "ann"


class Sessions:
    """Takes any name, as that of a session of its own."""

    async def authenticate(self, token: str, *, exchange: bool = True) -> SignIn:
        return SignIn(Identity("issuer", token, f"{token}@example.org"), session=token)


async def test_what_waits_when_a_session_is_revoked_is_not_run() -> None:
    async with (
        serving(Sessions(), settings={"convex": True}, max_actions=1) as running,
        convex_wire(running.port) as wire,
        client_of(running) as reader,
    ):
        board = fresh_board()
        await wire.authenticate("ann")
        await wire.follow()
        await wire.call("Mutation", "notes:post_when_open", {"board": "a", "text": "first"})
        await wire.call("Mutation", "notes:sign", {"board": "a"})
        await wire.call("Action", "notes:wait", {})
        await wire.call("Action", "notes:wait", {})
        await until(lambda: sorted(board.started) == ["first", "wait"])
        running.hub.end_session("ann")
        board.gate.set()
        await wire.until("AuthError")
        await wire.ended()
        await until(lambda: running.hub.addresses.of("127.0.0.1").connections == 1)
        assert sorted(board.started) == ["first", "wait"]
        notes = await reader.subscribe(1, "notes:on_board", {"board": "a"})
        assert "ann@example.org" not in [note["text"] for note in notes]


async def test_a_token_that_cannot_be_verified_now_is_not_refused() -> None:
    async with (
        serving(Tokens(), application=KIT, settings={"convex": True}) as running,
        convex_wire(running.port) as wire,
    ):
        await wire.authenticate("away")
        with pytest.raises(ConnectionClosed, match="InternalServerError"):
            await wire.next()


async def test_a_call_that_is_too_large_fails_alone() -> None:
    async with (
        serving(application=KIT, settings={"convex": True}, max_message_bytes=10_000) as running,
        convex_wire(running.port) as wire,
    ):
        await wire.follow()
        refused = await wire.mutate("values:echoMutation", {"value": "x" * 20_000})
        assert (refused["success"], "20," in refused["result"]) == (False, True)
        await wire.call("Action", "values:echoAction", {"value": "x" * 20_000})
        assert (await wire.until("ActionResponse"))["success"] is False
        assert (await wire.mutate("values:echoMutation", {"value": "x"}))["result"] == "x"


async def test_more_actions_than_may_run_wait_for_their_turn(running: Running) -> None:
    async with convex_wire(running.port) as wire:
        await wire.follow()
        for number in range(60):
            await wire.call("Action", "actions:add", {"a": number, "b": 0})
        answers = {
            answer["requestId"]: answer["result"] for answer in [await wire.until("ActionResponse") for _ in range(60)]
        }
        assert answers == {number: float(number) for number in range(60)}


async def test_a_silent_connection_is_told_a_ping(running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sockets, "PING_SECONDS", 0.1)
    async with convex_wire(running.port) as wire:
        await wire.follow()
        assert (await wire.next_of_any_kind())["type"] == "Ping"


async def test_a_client_that_gives_no_sign_of_life_is_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sockets, "PROBE_SECONDS", 0.05)
    monkeypatch.setattr(sockets, "SILENT_SECONDS", 0.1)
    monkeypatch.setattr("synovia.http.protocol._LET_GO_SECONDS", 0.2)  # the dead do not say goodbye
    async with (
        serving(application=KIT, settings={"convex": True}, connect_timeout=0.4) as running,
        convex_wire(running.port) as wire,
    ):
        await wire.follow()
        wire.play_dead()
        with pytest.raises(ConnectionClosed, match="timeout"):
            await wire.next()


async def test_a_client_that_answers_pings_of_the_websocket_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sockets, "PROBE_SECONDS", 0.05)
    monkeypatch.setattr(sockets, "SILENT_SECONDS", 0.5)
    monkeypatch.setattr(sockets, "PING_SECONDS", 0.8)
    async with (
        serving(application=KIT, settings={"convex": True}, idle_timeout=0.1, connect_timeout=0.4) as running,
        convex_wire(running.port) as wire,
    ):
        await wire.follow()
        assert (await wire.next_of_any_kind())["type"] == "Ping"
        await wire.follow(add(0, "hello"))
