"""A hub that was stopped and started again on the embedded store: its clients come back with what they held."""

from __future__ import annotations

from pathlib import Path

import pytest

from helpers.sync_server import client_of, serving
from sync.returning import A, returning
from synovia_protocol.messages import QueryAdd, QueryPatch, QueryUnchanged


async def test_a_hub_that_was_restarted_patches_what_its_clients_hold(tmp_path: Path) -> None:
    store = f"sqlite:///{tmp_path / 'x.db'}"
    async with serving(store=store) as hub, client_of(hub) as client:
        for number in range(100):
            assert (await client.mutate("notes:post", {**A, "text": f"note {number}"})).error is None
        (note, *_) = await client.subscribe(1, "notes:on_board", A)
        held = client.session
    async with serving(store=store) as hub:
        async with returning(hub, held, {1: A}) as back:
            assert [type(update) for update in back.updates] == [QueryUnchanged]
        async with client_of(hub) as writer:
            assert (await writer.mutate("notes:edit", {"noteId": note["_id"], "text": "new"})).error is None
    async with serving(store=store) as hub, returning(hub, held, {1: A}) as back:
        assert [type(update) for update in back.updates] == [QueryPatch]
        assert back.value(1)[0]["text"] == "new"
        assert back.received < 200


@pytest.mark.slow
async def test_several_queries_are_looked_up_at_the_same_time(tmp_path: Path) -> None:
    store = f"sqlite:///{tmp_path / 'x.db'}"
    boards = {number: {"board": str(number)} for number in range(1, 9)}
    async with serving(store=store) as hub, client_of(hub) as client:
        for args in boards.values():
            for number in range(40):
                await client.mutate("notes:post", {**args, "text": f"note {number} " * 12})
        await client.send(
            client.session.modify([QueryAdd(id_, "notes:on_board", args) for id_, args in boards.items()])
        )
        for id_ in boards:
            if id_ not in client.session.held:
                await client.result(id_)
        held = client.session
    async with serving(store=store) as hub, client_of(hub) as writer:
        for args in boards.values():
            await writer.mutate("notes:post", {**args, "text": "new"})
        async with returning(hub, held, boards) as back:
            assert {type(update) for update in back.updates} == {QueryPatch}
            assert all("new" in [note["text"] for note in back.value(id_)] for id_ in boards)
            assert back.received < 8 * 200
