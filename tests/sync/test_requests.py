from __future__ import annotations

import asyncio
from typing import Any

import pytest
from websockets.exceptions import InvalidStatus

from helpers.patience import PATIENCE
from helpers.sync_server import Running, client_of, fresh_board, serving, socket_to
from helpers.waiting import until
from synovia.engine.outcomes import Outcome
from synovia.store.base import Batch, StoreUnavailable
from synovia_protocol.client_session import ClientSession
from synovia_protocol.errors import ErrorInfo
from synovia_protocol.events import QueryErrored, TransitionApplied
from synovia_protocol.messages import MutationResponse, QueryAdd


async def test_mutations_of_a_connection_run_one_after_the_other() -> None:
    async with serving() as running, client_of(running) as client, client_of(running) as other:
        notes = fresh_board()
        first, frame = client.mutation("notes:post_when_open", {"board": "a", "text": "first"})
        second, next_frame = client.mutation("notes:post", {"board": "a", "text": "second"})
        await client.send(frame, next_frame)
        await until(lambda: notes.started == ["first"])
        assert (await other.mutate("notes:post", {"board": "a", "text": "other"})).error is None
        assert notes.started == ["first", "other"]
        notes.gate.set()
        earlier, later = await client.response(first), await client.response(second)
        assert earlier.ts < later.ts
        assert notes.started == ["first", "other", "second"]


async def test_actions_of_a_connection_run_at_once_up_to_a_limit() -> None:
    async with serving(max_actions=2) as running, client_of(running) as client:
        notes = fresh_board()
        waiting = [await client.act("notes:wait") for _ in range(2)]
        await until(lambda: len(notes.started) == 2)
        refused = await client.response(await client.act("notes:wait"))
        assert refused.error.code == "limit_exceeded"
        notes.gate.set()
        assert [(await client.response(request_id)).result for request_id in waiting[:1]] == ["waited"]
        await until(lambda: not running.hub.conversations[0].busy)
        assert (await client.response(await client.act("notes:wait"))).result == "waited"


async def test_subscriptions_are_limited() -> None:
    async with serving(max_subscriptions=2) as running, client_of(running) as client:
        for query_id in (1, 2):
            assert await client.subscribe(query_id, "notes:on_board", {"board": "a"}) == []
        assert (await client.subscribe(3, "notes:on_board", {"board": "a"})).code == "limit_exceeded"
        await client.send(client.session.modify(remove=[1]))
        assert await client.subscribe(4, "notes:on_board", {"board": "b"}) == []


async def test_connections_are_limited() -> None:
    async with serving(max_connections=1) as running:
        async with client_of(running):
            with pytest.raises(InvalidStatus) as refused:
                async with socket_to(running.url):
                    pass
            assert refused.value.response.status_code == 503
        await until(lambda: len(running.hub) == 0)
        async with client_of(running) as client:
            assert await client.subscribe(1, "notes:on_board", {"board": "a"}) == []


async def test_mutations_that_wait_are_bounded_by_not_reading_on() -> None:
    async with serving(max_waiting_bytes=100_000) as running, client_of(running) as client:
        notes = fresh_board()
        frames = [client.mutation("notes:post_when_open", {"board": "a", "text": f"{n}" * 30_000}) for n in range(40)]
        (conversation,) = running.hub.conversations
        async with asyncio.TaskGroup() as group:
            group.create_task(client.send(*[frame for _, frame in frames]))
            await until(lambda: conversation.waiting_mutations >= 2)
            assert conversation.waiting_mutations <= 4
            notes.gate.set()
            for request_id, _ in frames:
                assert (await client.response(request_id)).error is None


async def test_a_mutation_goes_on_when_its_client_goes_and_a_retry_gets_its_result() -> None:
    async with serving() as running:
        session = ClientSession(b"0123456789abcdef")
        async with client_of(running, session) as client:
            notes = fresh_board()
            request_id, frame = client.mutation("notes:post_when_open", {"board": "a", "text": "once"})
            await client.send(frame)
            await until(lambda: notes.started == ["once"])
        await until(lambda: len(running.hub) == 0)
        notes.gate.set()
        async with client_of(running, session.resume()) as client:
            await client.send(
                client.session.mutation(request_id, "notes:post_when_open", {"board": "a", "text": "once"}, retry=True)
            )
            assert (await client.response(request_id)).error is None
            (note,) = await client.subscribe(1, "notes:on_board", {"board": "a"})
            assert note["text"] == "once"


async def test_what_came_of_a_request_is_told_to_its_caller_alone() -> None:
    """Though somebody of another tenant has got hold of the session, and guesses the number."""

    async def asked(running: Running, number: int, token: str | None) -> object:
        session = ClientSession(b"0123456789abcdef")
        async with client_of(running, session) as client:
            await client.send(session.authenticate(token))
            await client.send(session.mutation(number, "notes:sign", {"board": "a"}, retry=True))
            answer = await client.response(number)
            return answer.result if answer.error is None else answer.error.code

    alice, bob = "dev:alice@example.org", "dev:bob@example.org"
    async with serving() as running:
        assert await asked(running, 1, alice) == await asked(running, 1, alice) == "alice@example.org"
        assert [await asked(running, 1, token) for token in (bob, None)] == ["request_reused"] * 2
        assert await asked(running, 2, None) == await asked(running, 2, alice) == "nobody", "who has signed in since"
        async with client_of(running) as client:
            assert len(await client.subscribe(1, "notes:on_board", {"board": "a"})) == 2, "each was done once"


async def test_one_session_on_two_connections_commits_a_request_once() -> None:
    async with serving() as running:
        sessions = [ClientSession(b"0123456789abcdef") for _ in range(2)]
        async with client_of(running, sessions[0]) as one, client_of(running, sessions[1]) as two:
            results = [await client.mutate("notes:post", {"board": "a", "text": "once"}) for client in (one, two)]
            assert results[0].result == results[1].result
            assert len(await one.subscribe(1, "notes:on_board", {"board": "a"})) == 1


async def test_a_client_that_comes_back_gets_only_what_it_missed() -> None:
    async with serving() as running, client_of(running) as writer:
        await writer.mutate("notes:post", {"board": "a", "text": "x" * 10_000})
        async with client_of(running) as client:
            (note,) = await client.subscribe(1, "notes:on_board", {"board": "a"})
            await client.subscribe(2, "notes:on_board", {"board": "b"})
            session = client.session
        await writer.mutate("notes:post", {"board": "a", "text": "missed"})
        async with client_of(running, session.resume()) as client:
            adds = [QueryAdd(n, "notes:on_board", {"board": board}) for n, board in ((1, "a"), (2, "b"))]
            await client.send(client.session.modify(adds))
            received = 0
            async with asyncio.timeout(PATIENCE):
                while len(client.session.held[1].value) < 2 or not client.session.is_current(2):
                    frame = await client.socket.recv()
                    received += len(frame)
                    client.session.receive(frame)
            assert received < 300
            assert {held["text"] for held in client.session.held[1].value} == {note["text"], "missed"}


async def test_an_error_of_one_query_leaves_the_others_alone() -> None:
    async with serving() as running, client_of(running) as client:
        adds = [QueryAdd(1, "notes:broken", {}), QueryAdd(2, "notes:on_board", {"board": "a"})]
        await client.send(client.session.modify(adds))
        await client.until(lambda event: isinstance(event, QueryErrored))
        await client.mutate("notes:post", {"board": "a", "text": "hello"})
        while 2 not in client.session.held:  # nobody waits for the first result of a query but who asked for it
            await client.until(lambda event: isinstance(event, TransitionApplied))
        assert [note["text"] for note in client.session.held[2].value] == ["hello"]


async def test_a_lost_acknowledgement_is_made_good_by_the_record() -> None:
    async with serving() as running, client_of(running) as client:
        commit = running.app.store.commit
        lost = 0

        async def lose_the_first_acknowledgement(batch: Batch) -> int:
            nonlocal lost
            ts = await commit(batch)
            lost += 1
            if lost == 1:
                raise StoreUnavailable("the connection broke")
            return ts

        running.app.store.commit = lose_the_first_acknowledgement  # type: ignore[method-assign]
        response = await client.mutate("notes:post", {"board": "a", "text": "once"})
        (note,) = await client.subscribe(1, "notes:on_board", {"board": "a"})
        assert (response.error, response.result) == (None, note["_id"])


async def test_a_mutation_whose_outcome_is_unknown_is_not_answered_and_its_retry_tells() -> None:
    async with serving() as running:
        session, mutate = ClientSession(b"0123456789abcdef"), running.app.engine.mutate

        async def not_know(*args: Any, **kwargs: Any) -> Outcome:
            await mutate(*args, **kwargs)
            return Outcome(error=ErrorInfo("overloaded", "the database cannot be reached"), unknown=True)

        running.app.engine.mutate = not_know  # type: ignore[method-assign]
        async with client_of(running, session) as client:
            request_id, frame = client.mutation("notes:post", {"board": "a", "text": "once"})
            await client.send(frame)
            fatal, _ = await client.end()
            assert fatal.retry_after is not None
            assert not [event for event in client.events if isinstance(event, MutationResponse)]
        running.app.engine.mutate = mutate  # type: ignore[method-assign]
        async with client_of(running, session.resume()) as client:
            await client.send(
                client.session.mutation(request_id, "notes:post", {"board": "a", "text": "once"}, retry=True)
            )
            response = await client.response(request_id)
            (note,) = await client.subscribe(1, "notes:on_board", {"board": "a"})
            assert (response.error, response.result) == (None, note["_id"])
