"""Live queries follow a change of roles and a sign-out, over a real socket and in the engine."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from functions.access.ward_callers import REGISTRY, appoint, sign_in
from helpers.recording_subscriber import RecordingSubscriber
from helpers.running_hub import running_hub
from helpers.sync_server import Running, client_of
from synovia.app import Synovia
from synovia.auth.development import development_identity
from synovia.functions.access import CallOrigin
from synovia.testing import TestApp
from synovia_protocol.errors import ErrorInfo
from synovia_protocol.events import ClientEvent, QueryErrored


@pytest.fixture
async def running() -> AsyncIterator[Running]:
    async with running_hub("sqlite://:memory:", REGISTRY) as ward:
        yield Running(ward.app, None, ward.port)  # type: ignore[arg-type]


async def set_role(app: Synovia, role: str | None) -> None:
    args: dict[str, Any] = {"email": "ann@example.org"} | ({} if role is None else {"role": role})
    assert (await app.engine.mutate("ward:appoint", args, None, origin=CallOrigin.APPLICATION)).error is None


def code(result: Any) -> Any:
    return result.code if isinstance(result, ErrorInfo) else result


async def test_a_role_takes_queries_away_and_gives_them_back(running: Running) -> None:
    async with client_of(running) as client:
        await sign_in(client, "dev:ann@example.org")
        assert code(await client.subscribe(1, "ward:for_capability")) == "forbidden"
        await set_role(running.app, "nurse")
        assert code(await client.result(1)) == 0
        await set_role(running.app, "chief")
        assert code(await client.result(1)) == "forbidden"
        await set_role(running.app, "doctor")
        assert code(await client.result(1)) == 0
        await client.send(client.mutation("ward:write", {"text": "seen"})[1])
        assert code(await client.result(1)) == 1


async def test_signing_out_and_in_again(running: Running) -> None:
    await set_role(running.app, "doctor")
    async with client_of(running) as client:
        await sign_in(client, "dev:ann@example.org")
        assert await client.subscribe(1, "ward:for_role") == 0
        assert await client.subscribe(2, "ward:for_signed_in") == 0
        refused: dict[int, str] = {}

        def both(event: ClientEvent) -> bool:
            if isinstance(event, QueryErrored):
                refused[event.query_id] = event.error.code
            return len(refused) == 2

        await sign_in(client, None)
        await client.until(both)
        assert refused == {1: "unauthenticated", 2: "unauthenticated"}
        await sign_in(client, "dev:ann@example.org")
        assert await client.result(1) == 0


async def test_what_is_wrong_with_arguments_is_told_once_the_role_is_there(running: Running) -> None:
    async with client_of(running) as client:
        await sign_in(client, "dev:ann@example.org")
        assert code(await client.subscribe(1, "ward:for_role", {"nonsense": 1})) == "forbidden"
        await set_role(running.app, "doctor")
        assert code(await client.result(1)) == "invalid_arguments"


async def test_answers_are_shared_by_all_who_may_have_them() -> None:
    async with TestApp(REGISTRY) as app:
        holder = RecordingSubscriber(app.engine)
        people = [None, *(development_identity(f"{name}@example.org") for name in ("ann", "bob", "cho"))]
        for number, identity in enumerate(people):
            for path in ("for_all", "for_signed_in", "for_role", "who"):
                holder.subscribe(f"{path} {number}", f"ward:{path}", {}, identity)
        await holder.settled()

        def different(path: str) -> int:
            return len({id(holder.held[f"{path} {number}"]) for number in range(len(people))})

        assert different("for_all") == 1
        assert different("for_signed_in") == 2, "one for all who are signed in, one that refuses everybody else"
        assert different("for_role") == len(people)
        assert different("who") == len(people)


async def test_a_role_change_reruns_only_those_whose_role_it_is() -> None:
    async with TestApp(REGISTRY) as app:
        holder = RecordingSubscriber(app.engine)
        ann = holder.subscribe("ann", "ward:for_role", {}, development_identity("ann@example.org"))
        bob = holder.subscribe("bob", "ward:for_role", {}, development_identity("bob@example.org"))
        await holder.settled()
        before = bob.ran_at
        await appoint(app, "ann", "doctor")
        await holder.settled(app.engine.head)
        assert holder.value("ann") == 0
        assert ann.ran_at > before
        assert bob.ran_at == before
