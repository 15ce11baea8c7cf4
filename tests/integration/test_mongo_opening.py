"""Opening: servers that cannot serve are refused with what mends it, indexes follow the declarations."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from typing import Any

import pytest
from pymongo import AsyncMongoClient
from pymongo.database import Database

from helpers.log_reader import reading_log
from helpers.mongod import NoMongod, free_port, running_standalone
from synovia.keys import IndexSpec
from synovia.schema.specs import TableSpec
from synovia.store import open_store
from synovia.store.base import Batch, StoreUnavailable, StoreUnusable, UniqueViolation, Write
from synovia.store.mongo import MongoStore

pytestmark = pytest.mark.mongodb

Outside = Database[dict[str, Any]]


@pytest.fixture
def standalone_uri() -> Iterator[str]:
    try:
        with running_standalone() as uri:
            yield uri
    except NoMongod as error:
        if os.environ.get("CI") == "true":
            raise
        pytest.skip(str(error))


async def test_a_standalone_is_refused_with_the_command_that_mends_it(standalone_uri: str) -> None:
    store = MongoStore(standalone_uri, "app")
    with pytest.raises(StoreUnavailable, match=r"--replSet.*rs\.initiate\(\)"):
        await store.open([])
    await store.close()


async def test_an_address_where_nobody_answers_is_refused_in_time() -> None:
    store = MongoStore(f"mongodb://127.0.0.1:{free_port()}/", "app", timeout=1.0)
    with pytest.raises(StoreUnavailable, match="no MongoDB primary answers") as refused:
        await store.open([])
    assert "Topology" not in str(refused.value)
    await store.close()


async def test_a_user_whom_the_database_refuses_is_told_as_that(mongodb_uri: str) -> None:
    store = MongoStore(mongodb_uri.replace("mongodb://", "mongodb://me:wrong@"), "app", timeout=5.0)
    with pytest.raises(StoreUnusable, match=r"refuses the user or the password.*authSource") as refused:
        await store.open([])
    assert "wrong" not in str(refused.value)
    assert "rs.initiate" not in str(refused.value)
    await store.close()


async def test_a_database_that_no_hub_has_served_is_told_once(
    mongodb_uri: str, database_name: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "synovia")
    for _ in range(2):
        store = MongoStore(mongodb_uri, database_name)
        await store.open([])
        await store.close()
    assert caplog.text.count(f"{database_name}: no hub has served this database of MongoDB before") == 1


@pytest.mark.parametrize("uri", ["mongodb://", "mongodb://127.0.0.1:99999/app", "postgres://127.0.0.1/app"])
def test_an_address_that_is_none_is_refused(uri: str) -> None:
    with pytest.raises(StoreUnavailable):
        MongoStore(uri)


def test_a_single_connection_is_refused(mongodb_uri: str) -> None:
    with pytest.raises(StoreUnusable, match=r"^maxPoolSize=1 leaves no connection to commits.* let it be 2 or more"):
        MongoStore(f"{mongodb_uri}&maxPoolSize=1")
    with pytest.raises(StoreUnusable, match="maxPoolSize=1"):
        MongoStore(AsyncMongoClient[dict[str, Any]](mongodb_uri, maxPoolSize=1))


async def test_two_connections_are_enough_for_commits_while_the_log_waits(mongodb_uri: str, database_name: str) -> None:
    store = MongoStore(f"{mongodb_uri}&maxPoolSize=2", database_name)
    await store.open([TableSpec("notes")])
    ts, _ = await store.newest()
    async with reading_log(store, ts) as log:
        for id_ in range(20):
            ts = await store.commit(Batch([Write("notes", id_, None, {"_id": id_})]))
            await log.reach(ts)
        found = await asyncio.gather(*(store.snapshot(ts).get("notes", [id_]) for id_ in range(20)))
    assert found == [[{"_id": id_}] for id_ in range(20)]
    await store.close()


async def test_a_url_opens_the_database_that_it_names(mongodb_uri: str, database_name: str, outside: Outside) -> None:
    host, _, options = mongodb_uri.partition("/?")
    store = open_store(f"{host}/{database_name}?{options}")
    await store.open([TableSpec("users")])
    await store.commit(Batch([Write("users", 1, None, {"_id": 1})]))
    assert outside.users.find_one() == {"_id": 1}
    await store.close()


async def test_a_client_that_was_handed_over_stays_open(mongodb_uri: str, database_name: str) -> None:
    async with AsyncMongoClient[dict[str, Any]](mongodb_uri) as client:
        store = MongoStore(client, database_name)
        await store.open([])
        await store.close()
        assert (await client.admin.command("ping"))["ok"] == 1


# --- indexes ----------------------------------------------------------------------------------------------------------


async def reopen(uri: str, database: str, *indexes: IndexSpec) -> None:
    store = MongoStore(uri, database)
    try:
        await store.open([TableSpec("users", indexes)])
    finally:
        await store.close()


async def test_indexes_are_added_and_none_is_taken_away(mongodb_uri: str, database_name: str, outside: Outside) -> None:
    outside.users.create_index([("foreign", 1)])
    await reopen(mongodb_uri, database_name, IndexSpec("by_name", ("name",)), IndexSpec("by_age", ("age",)))
    await reopen(
        mongodb_uri, database_name, IndexSpec("by_name", ("name", "first")), IndexSpec("by_mail", ("mail",), True)
    )
    found = {name: dict(index["key"]) for name, index in outside.users.index_information().items()}
    assert found == {
        "_id_": {"_id": 1},
        "foreign_1": {"foreign": 1},
        "synovia_by_age": {"age": 1, "_id": 1},
        "synovia_by_name": {"name": 1, "_id": 1},
        "synovia_by_name_b13c1a1e": {"name": 1, "first": 1, "_id": 1},
        "synovia_by_mail": {"mail": 1, "_id": 1},
        "synovia_by_mail_unique": {"mail": 1},
    }


async def test_opening_again_changes_nothing(mongodb_uri: str, database_name: str, outside: Outside) -> None:
    indexes = [IndexSpec("by_name", ("name",)), IndexSpec("by_mail", ("mail",), unique=True)]
    await reopen(mongodb_uri, database_name, *indexes)
    before = outside.client.local["oplog.rs"].count_documents({"ns": {"$regex": f"^{database_name}\\."}})
    await reopen(mongodb_uri, database_name, *indexes)
    after = outside.client.local["oplog.rs"].count_documents({"ns": {"$regex": f"^{database_name}\\."}})
    assert after == before


async def test_an_index_of_somebody_else_over_the_same_fields_is_used(
    mongodb_uri: str, database_name: str, outside: Outside
) -> None:
    outside.users.create_index([("mail", 1)], unique=True, name="theirs")
    outside.users.create_index([("mail", 1), ("_id", 1)], name="theirs_too")
    store = MongoStore(mongodb_uri, database_name)
    by_mail = IndexSpec("by_mail", ("mail",), unique=True)
    await store.open([TableSpec("users", (by_mail,))])
    assert set(outside.users.index_information()) == {"_id_", "theirs", "theirs_too"}
    await store.commit(Batch([Write("users", 1, None, {"_id": 1, "mail": "a"})]))
    with pytest.raises(UniqueViolation, match="'by_mail'"):
        await store.commit(Batch([Write("users", 2, None, {"_id": 2, "mail": "a"})]))
    await store.close()


async def test_documents_against_a_unique_index_are_named(
    mongodb_uri: str, database_name: str, outside: Outside
) -> None:
    outside.users.insert_many([{"mail": "same@example.org"}, {"mail": "same@example.org"}])
    with pytest.raises(StoreUnavailable, match=r"same@example\.org"):
        await reopen(mongodb_uri, database_name, IndexSpec("by_mail", ("mail",), unique=True))


async def test_a_collection_from_before_gets_images(mongodb_uri: str, database_name: str, outside: Outside) -> None:
    outside.users.insert_one({"_id": 1})
    await reopen(mongodb_uri, database_name)
    [options] = [each["options"] for each in outside.list_collections(filter={"name": "users"})]
    assert options["changeStreamPreAndPostImages"] == {"enabled": True}


async def test_request_records_expire(mongodb_uri: str, database_name: str, outside: Outside) -> None:
    await reopen(mongodb_uri, database_name)
    index = outside["_requests"].index_information()["synovia_expiry"]
    assert index["expireAfterSeconds"] == 7 * 24 * 3600


async def test_a_view_is_no_table(mongodb_uri: str, database_name: str, outside: Outside) -> None:
    outside.command({"create": "users", "viewOn": "others", "pipeline": []})
    with pytest.raises(StoreUnavailable, match="view"):
        await reopen(mongodb_uri, database_name)


async def test_options_of_the_url_that_would_spoil_the_store_do_not(
    mongodb_uri: str, database_name: str, outside: Outside
) -> None:
    """A transaction may only read the primary, and a long ``timeoutMS`` would hold up other programs' transactions."""
    store = MongoStore(f"{mongodb_uri}&readPreference=secondaryPreferred&timeoutMS=60000&w=1", database_name)
    await store.open([TableSpec("users")])
    ts, fence = await store.newest()
    async with reading_log(store, ts) as log:
        await store.commit(Batch([Write("users", 1, None, {"_id": 1})], fence=fence))
        with outside.client.start_session() as session, session.start_transaction():
            outside.users.insert_one({"_id": 2}, session=session)
        assert [write.id for _ in range(2) for write in (await log.commit()).writes] == [1, 2]
    await store.close()
