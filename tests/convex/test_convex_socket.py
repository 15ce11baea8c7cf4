from __future__ import annotations

import asyncio
import uuid

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

from helpers.convex_wire import KIT, ZERO, add, convex_wire, remove, ts_of, ts_text
from helpers.sync_server import Running, serving
from synovia.convex import resends

pytestmark = pytest.mark.alike

NPM, PYTHON = "/api/1.48.0/sync", "/api/sync"


def message(channel: str, body: str) -> dict[str, str]:
    return {"channel": channel, "author": "ann", "body": body}


@pytest.mark.parametrize(
    ("path", "headers"),
    [(NPM, {}), ("/api/1.20.0/sync", {}), (PYTHON, {"Convex-Client": "python-0.8.1"}), (PYTHON, {})],
)
async def test_an_empty_query_set_is_answered(running: Running, path: str, headers: dict[str, str]) -> None:
    async with convex_wire(running.port, path, headers) as wire:
        transition = await wire.follow()
        assert transition["startVersion"] == ZERO
        assert transition["modifications"] == []


async def test_every_version_is_answered_also_if_nothing_changed(running: Running) -> None:
    async with convex_wire(running.port) as wire:
        await wire.follow()
        await wire.follow(add(0, "messages:list", {"channel": "a"}))
        assert wire.results == {0: []}
        transition = await wire.follow(remove(0))
        assert transition["modifications"] == [{"type": "QueryRemoved", "queryId": 0}]
        await wire.authenticate("dev:ann@example.org")
        await wire.reach(identity=1)
        await wire.authenticate(None)
        await wire.reach(identity=2)


async def test_a_transition_follows_each_response(running: Running) -> None:
    async with convex_wire(running.port) as wire:
        await wire.follow(add(0, "messages:list", {"channel": "a"}))
        sent = await wire.mutate("messages:send", message("a", "x"))
        assert [(row["_id"], row["body"]) for row in wire.results[0]] == [(sent["result"], "x")]
        assert type(wire.results[0][0]["_creationTime"]) is float
        assert (await wire.mutate("values:echoMutation", {"value": 1}))["result"] == 1.0
        failed = await wire.mutate("errors:failMutation", {"data": {"a": 1}})
        assert failed["errorData"] == {"a": 1.0}
        assert failed["ts"] is None
        assert "errorData" not in await wire.mutate("errors:crashMutation")
        assert "errorData" not in await wire.mutate("no:such")


async def test_the_response_comes_before_what_it_has_changed_is_shown(running: Running) -> None:
    async with convex_wire(running.port) as wire, convex_wire(running.port) as noise:
        await wire.follow(add(0, "messages:list", {"channel": "a"}), add(1, "counter:get", {"name": "n"}))
        await noise.follow()
        for number in range(20):
            await wire.call("Mutation", "messages:send", message("a", str(number)))
            await noise.call("Mutation", "counter:increment", {"name": "n"})
        answered: set[str] = set()
        while len(answered) < 20 or len(wire.results[0]) < 20:
            each = await wire.next()
            if each["type"] == "MutationResponse":
                answered.add(each["result"])
            assert {row["_id"] for row in wire.results[0]} <= answered


async def test_a_slow_mutation_holds_up_nothing_else(running: Running) -> None:
    async with convex_wire(running.port) as wire, convex_wire(running.port) as other:
        await wire.follow(add(0, "messages:count", {"channel": "a"}))
        await other.follow()
        slow = await wire.call("Mutation", "slow:increment", {"name": "n", "ms": 300_000})
        await other.mutate("messages:send", message("a", "x"))
        while wire.results[0] == 0:
            assert (await wire.next())["type"] == "Transition"
        assert slow == 0


async def test_a_request_of_a_session_is_committed_once(running: Running) -> None:
    session = str(uuid.uuid4())
    async with convex_wire(running.port, sessionId=session) as one:
        await one.follow()
        await one.call("Mutation", "counter:increment", {"name": "n"}, 7)
        first = await one.until("MutationResponse")
    again = {"sessionId": session, "connectionCount": 1, "maxObservedTimestamp": first["ts"]}
    async with convex_wire(running.port, **again) as two:
        await two.follow(add(0, "counter:get", {"name": "n"}))
        assert (await two.mutate("counter:increment", {"name": "n"}, 7))["result"] == 1.0
        assert two.results == {0: 1.0}


async def test_a_request_that_comes_again_is_told_the_same_instant(running: Running) -> None:
    session = str(uuid.uuid4())
    async with convex_wire(running.port, sessionId=session) as one, convex_wire(running.port) as other:
        await one.follow()
        await other.follow()
        first = await one.mutate("counter:increment", {"name": "n"}, 3)
        await other.mutate("counter:increment", {"name": "other"})
        async with convex_wire(running.port, sessionId=session, connectionCount=1) as two:
            await two.follow()
            assert await two.mutate("counter:increment", {"name": "n"}, 3) == first


async def test_what_is_sent_again_is_answered_before_it_is_shown(running: Running) -> None:
    session, channel = str(uuid.uuid4()), {"channel": "a"}
    async with convex_wire(running.port, sessionId=session) as one:
        await one.follow(add(0, "messages:list", channel))
        await one.mutate("messages:send", message("a", "x"))
        await one.mutate("counter:increment", {"name": "n"})
        async with convex_wire(running.port, sessionId=session, connectionCount=1) as two:
            await two.authenticate("dev:ann@example.org")
            await two.modify(add(0, "messages:list", channel))
            await two.call("Mutation", "messages:send", message("a", "x"), 0)
            await two.call("Mutation", "counter:increment", {"name": "n"}, 1)
            first = [await two.next() for _ in range(3)]
            assert [each["type"] for each in first] == ["MutationResponse", "MutationResponse", "Transition"]
            assert [row["body"] for row in two.results[0]] == ["x"]
            assert (two.version["querySet"], two.version["identity"]) == (1, 1)


async def test_a_slow_mutation_that_is_sent_again_holds_up_the_rest_for_a_while_only(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resends, "MOST_SECONDS", 0.1)
    async with convex_wire(running.port, connectionCount=1) as wire:
        await wire.modify(add(0, "messages:count", {"channel": "a"}))
        await wire.call("Mutation", "slow:increment", {"name": "n", "ms": 300_000})
        assert (await wire.next())["type"] == "Transition"
        assert wire.results == {0: 0.0}


async def test_mutations_run_in_order_and_actions_beside_each_other(running: Running) -> None:
    async with convex_wire(running.port) as wire:
        await wire.follow()
        for number in range(10):
            await wire.call("Mutation", "slow:increment", {"name": "n", "ms": 9 - number})
        assert [(await wire.until("MutationResponse"))["result"] for _ in range(10)] == [n + 1.0 for n in range(10)]
        later = await wire.call("Action", "actions:sendLater", {**message("a", "x"), "delayMs": 300_000})
        added = await wire.call("Action", "actions:add", {"a": 1, "b": 2})
        answer = await wire.until("ActionResponse")
        assert (later, answer["requestId"], answer["result"]) == (10, added, 3.0)


async def test_what_cannot_be_held_fails_one_query_and_not_the_others(running: Running) -> None:
    async with convex_wire(running.port) as wire:
        await wire.follow(add(0, "values:unheld"), add(1, "hello"), add(2, "no:such"), add(3, "messages:send"))
        assert wire.results[1] == "hello, world"
        assert "größe" in wire.results[0]["errorMessage"]
        assert {wire.results[number]["type"] for number in (0, 2, 3)} == {"QueryFailed"}
        assert not any("errorData" in wire.results[number] for number in (0, 2, 3))


async def test_paths_with_js_and_without_a_name(running: Running) -> None:
    async with convex_wire(running.port) as wire:
        await wire.follow(
            add(0, "hello"), add(1, "hello.js"), add(2, "hello.js:default"), add(3, "queries/deep/folder.js:answer")
        )
        assert wire.results == {0: "hello, world", 1: "hello, world", 2: "hello, world", 3: 42.0}


@pytest.mark.parametrize(
    "bad",
    [
        "{nope",
        "[]",
        '{"type": "NoSuch"}',
        '{"type": "ModifyQuerySet", "baseVersion": 7, "newVersion": 8, "modifications": []}',
        '{"type": "Authenticate", "baseVersion": 7, "tokenType": "None"}',
        '{"type": "Mutation", "requestId": -1, "udfPath": "a:b", "args": []}',
        '{"type": "Connect", "sessionId": "x", "connectionCount": 0}',
        "[" * 100_000,
    ],
)
async def test_what_is_no_message_ends_the_connection_for_good(running: Running, bad: str) -> None:
    async with convex_wire(running.port) as wire:
        await wire.send(bad)
        assert isinstance((await wire.until("FatalError"))["error"], str)
        await wire.ended()


async def test_a_timestamp_that_is_never_reached_ends_the_connection_not_for_good() -> None:
    async with (
        serving(application=KIT, settings={"convex": True}, resume_timeout=0.2) as running,
        convex_wire(running.port, maxObservedTimestamp=ts_text(2**63 - 1)) as wire,
    ):
        await wire.modify()
        with pytest.raises(ConnectionClosed, match="TooManyConcurrentRequests"):
            await wire.next()


async def test_events_and_nulls_are_passed_over(running: Running) -> None:
    async with convex_wire(running.port, lastCloseReason=None, maxObservedTimestamp=None, clientTs=0) as wire:
        await wire.send({"type": "Event", "eventType": "ClientConnect", "event": {"marks": []}})
        await wire.follow(add(0, "hello:default", journal=None))
        assert wire.results == {0: "hello, world"}


@pytest.mark.parametrize(("path", "headers"), [(NPM, {}), ("/api/1.20.0/sync", {}), (PYTHON, {})])
async def test_a_large_transition(running: Running, path: str, headers: dict[str, str]) -> None:
    async with convex_wire(running.port, path, headers) as wire:
        await wire.follow(add(0, "big:text", {"length": 6_000_000}))
        assert wire.results[0] == "å" * 6_000_000


async def test_a_token_that_is_refused_ends_the_connection(running: Running) -> None:
    async with convex_wire(running.port) as wire:
        await wire.follow()
        await wire.authenticate("nonsense")
        refused = await wire.until("AuthError")
        assert (refused["baseVersion"], refused["authUpdateAttempted"]) == (0, True)
        await wire.ended()


async def test_who_is_calling(running: Running) -> None:
    async with convex_wire(running.port) as wire:
        await wire.follow(add(0, "users:me"))
        assert wire.results == {0: None}
        await wire.authenticate("dev:ann@example.org")
        await wire.reach(identity=1)
        assert wire.results[0]["subject"] == "ann@example.org"
        assert (await wire.mutate("users:meMutation"))["result"] == wire.results[0]
        await wire.authenticate("dev:ann@example.org")
        assert (await wire.reach(identity=2))["modifications"] == []
        await wire.authenticate(None)
        await wire.reach(identity=3)
        assert wire.results == {0: None}


async def test_a_thousand_queries_of_one_client(running: Running) -> None:
    async with convex_wire(running.port) as wire:
        await wire.follow(*(add(number, "messages:count", {"channel": str(number)}) for number in range(1_000)))
        assert wire.results == dict.fromkeys(range(1000), 0.0)
        await wire.mutate("messages:send", message("7", "x"))
        assert wire.results == {number: float(number == 7) for number in range(1_000)}


async def test_two_queries_are_of_one_instant(running: Running) -> None:
    async with convex_wire(running.port) as wire, convex_wire(running.port) as other:
        await other.follow()
        await wire.follow(add(0, "messages:count", {"channel": "a"}), add(1, "messages:list", {"channel": "a"}))
        async with asyncio.TaskGroup() as tasks:
            for number in range(20):
                tasks.create_task(other.call("Mutation", "messages:send", message("a", str(number))))
        while wire.results[0] < 20:
            await wire.until("Transition")
            assert len(wire.results[1]) == wire.results[0]


async def test_a_hub_that_does_not_serve_them_refuses_the_handshake() -> None:
    async with serving() as running:
        with pytest.raises(InvalidStatus, match="HTTP 403"):
            async with convex_wire(running.port):
                pass


def test_timestamps_are_written_as_they_are_read() -> None:
    assert ts_of(ts_text(2**63)) == 2**63
