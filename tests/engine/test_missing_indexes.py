"""A query whose index somebody has dropped fails at once and says so; it is not retried as if the database were away."""

from __future__ import annotations

import pytest
from pymongo import AsyncMongoClient

from apps import board
from synovia.errors import FunctionError
from synovia.functions.registry import collect
from synovia.store.mongo import MongoStore
from synovia.testing import TestApp


@pytest.mark.mongodb
async def test_a_dropped_index_is_told_to_calls_and_to_subscribers(mongodb_uri: str, database_name: str) -> None:
    async with TestApp(collect("board", [board]), MongoStore(mongodb_uri, database_name)) as app:
        async with AsyncMongoClient[dict[str, object]](mongodb_uri) as outside:
            await outside[database_name]["cards"].drop_index("synovia_by_board")
        caller = app.caller()
        with pytest.raises(FunctionError, match="no index 'by_board' of the table 'cards'") as caught:
            await caller.query("board:on_board", {"board": "a"})
        assert caught.value.code == "unknown_index"
        async with caller.subscribe("board:on_board", {"board": "a"}) as following:
            assert following.error is not None
            assert following.error.code == "unknown_index"
