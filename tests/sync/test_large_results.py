"""A result beyond the limit fails its own call, with its size; nobody is disconnected and nothing is committed."""

from __future__ import annotations

from typing import Any

import pytest

from helpers.http_server import serving as serving_http
from helpers.sync_server import BOARD, client_of, serving
from synovia.limits.settings import HubLimits
from synovia.sync import query_set
from synovia_protocol.errors import ErrorCode, ErrorInfo
from synovia_protocol.events import TransitionApplied
from synovia_protocol.messages import QueryAdd

LIMIT = 100_000


def names_its_size(error: Any, size: int) -> bool:
    assert isinstance(error, ErrorInfo)
    assert error.code == ErrorCode.TOO_LARGE
    assert error.data["limit"] == LIMIT
    assert f"{error.data['size']:,}" in error.message
    return bool(size <= error.data["size"] < size + 100)


async def test_a_query_that_grows_too_large_fails_and_comes_back_when_it_shrinks() -> None:
    async with serving(max_result_bytes=LIMIT) as running, client_of(running) as client:
        await client.mutate("notes:post", {"board": "a", "text": "one"})
        assert len(await client.subscribe(1, "notes:lines", {"board": "a", "length": 60_000})) == 1
        number, frame = client.mutation("notes:post", {"board": "a", "text": "two"})
        await client.send(frame)
        assert names_its_size(await client.result(1), 120_000)
        posted = await client.response(number)
        _, frame = client.mutation("notes:move", {"board": "b", "noteId": posted.result})
        await client.send(frame)
        assert len(await client.result(1)) == 1


async def test_a_first_result_that_is_too_large_fails_only_its_query() -> None:
    async with serving(max_result_bytes=LIMIT) as running, client_of(running) as client:
        await client.mutate("notes:post", {"board": "a", "text": "one"})
        frame = client.session.modify(
            [QueryAdd(n, "notes:lines", {"board": "a", "length": length}) for n, length in ((1, 200_000), (2, 50))]
        )
        await client.send(frame)
        assert names_its_size(await client.result(1), 200_000)
        assert len(await client.subscribe(3, "notes:lines", {"board": "a", "length": 5})) == 1
        assert len(running.hub) == 1


async def test_first_results_that_are_too_large_together_come_one_after_the_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(query_set, "MOST_FIRST_BYTES", LIMIT)
    async with serving() as running, client_of(running) as client:
        await client.mutate("notes:post", {"board": "a", "text": "one"})
        lines = {number: {"board": "a", "length": 40_000 + number} for number in range(1, 6)}
        await client.send(client.session.modify([QueryAdd(number, "notes:lines", lines[number]) for number in lines]))
        transitions: list[TransitionApplied] = []

        def complete(event: Any) -> bool:
            transitions.extend([event] if isinstance(event, TransitionApplied) else [])
            return client.session.held.keys() == lines.keys() and isinstance(event, TransitionApplied)

        await client.until(complete)
        assert max(len(each.changed) for each in transitions) <= 2, (
            "what is there at the same time is not told together"
        )
        assert sum(len(each.changed) for each in transitions) == 5, "each comes once"


async def test_mutations_and_actions_fail_likewise_and_commit_nothing() -> None:
    async with serving(max_result_bytes=LIMIT) as running, client_of(running) as client:
        response = await client.mutate("notes:post_and_tell", {"board": "a", "length": LIMIT})
        assert names_its_size(response.error, LIMIT)
        number = await client.act("notes:long_text", {"length": 2 * LIMIT})
        assert names_its_size((await client.response(number)).error, 2 * LIMIT)
        assert await client.subscribe(1, "notes:on_board", {"board": "a"}) == []
        response = await client.mutate("notes:post_and_tell", {"board": "a", "length": LIMIT - 5})
        assert response.error is None, "the limit itself is allowed"


@pytest.mark.parametrize(("kind", "path"), [("query", "lines"), ("mutation", "post_and_tell"), ("action", "long_text")])
async def test_over_http_it_is_a_413(kind: str, path: str) -> None:
    async with serving_http(BOARD, limits=HubLimits(max_result_bytes=LIMIT)) as served:
        await served.call("mutation", "notes:post", {"board": "a", "text": "one"})
        args = {"length": 2 * LIMIT} | ({} if kind == "action" else {"board": "a"})
        answer = await served.call(kind, f"notes:{path}", args)
        assert (answer.status, answer.code) == (413, "too_large")
        assert answer.json["error"]["data"] == {"size": 2 * LIMIT + (6 if kind == "query" else 5), "limit": LIMIT}
