"""A document that nobody can decode, which mongod takes from clients: reads go on beside it, and it is named by its id."""

from __future__ import annotations

from typing import Any

import pytest
from pymongo.database import Database

from apps import board
from helpers.spoilt_documents import undecodable
from integration.tables import USERS
from synovia import FunctionError
from synovia.functions.registry import collect
from synovia.keys import BY_ID, Order, prefix
from synovia.schema.specs import Undecodable
from synovia.store.mongo import MongoStore
from synovia.testing import TestApp

pytestmark = pytest.mark.mongodb

Outside = Database[dict[str, Any]]
BY_OWNER = USERS.indexes[0]


async def test_scans_give_as_many_others_as_they_are_asked_for(store: MongoStore, outside: Outside) -> None:
    for id_ in range(12):
        fields = {"owner": "a", "n": id_, "email": f"{id_}"}
        outside.users.insert_one(undecodable(id_, **fields) if id_ in (0, 1, 2, 7) else {"_id": id_, **fields})
    ts, _ = await store.newest()
    snapshot = store.snapshot(ts)
    good = [3, 4, 5, 6, 8, 9, 10, 11]
    for limit in (None, 1, 2, 5, 8, 9, 100):
        found = await snapshot.scan("users", BY_OWNER, prefix(["a"]), limit=limit)
        assert [each["_id"] for each in found] == good[:limit]
        found = await snapshot.scan("users", BY_OWNER, prefix(["a"]), Order.DESC, limit=limit)
        assert [each["_id"] for each in found] == good[::-1][:limit]
    found = await snapshot.scan("users", BY_ID, prefix(()), limit=4)
    assert [(each["_id"], isinstance(each, Undecodable)) for each in found] == [
        (0, True), (1, True), (2, True), (3, False),
    ]  # fmt: skip
    first, second, third = await snapshot.get("users", [7, 8, 99])
    assert isinstance(first, Undecodable)
    assert second == {"_id": 8, "owner": "a", "n": 8, "email": "8"}
    assert third is None
    [alone] = await snapshot.get("users", [7])
    assert isinstance(alone, Undecodable)
    assert await snapshot.count("users", BY_OWNER, prefix(["a"])) == 12


async def test_functions_list_the_others_and_name_it(
    mongodb_uri: str, database_name: str, outside: Outside, caplog: pytest.LogCaptureFixture
) -> None:
    async with TestApp(collect("board", [board]), MongoStore(mongodb_uri, database_name, patience=0.1)) as app:
        caller = app.caller()
        await caller.mutation("board:add", {"slug": "good"})
        outside.cards.insert_one(undecodable("spoilt", board="a", rank=0, slug="bad", tags=[]))
        ts, _ = await app.store.newest()
        await app.engine.wait_for(ts)
        for path, args in (("board:on_board", {"board": "a"}), ("board:newest", {"limit": 5})):
            assert [card["slug"] for card in await caller.query(path, args)] == ["good"]
        with pytest.raises(FunctionError) as caught:
            await caller.query("board:get", {"cardId": "spoilt"})
        assert caught.value.code == "unreadable_document"
        assert "the document spoilt of cards cannot be read: as a whole: " in caplog.text
        [message] = await app.check_documents()
        assert "spoilt of cards" in message
