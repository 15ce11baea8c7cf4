"""How long a mutation may be retried, and that its record is there for so long."""

from __future__ import annotations

import pytest
from pydantic import ValidationError
from pymongo import AsyncMongoClient

from apps import board
from synovia.app import Synovia
from synovia.config import Settings
from synovia.engine.mutations import retry_window
from synovia.functions.registry import Registry, collect
from synovia.store import open_store
from synovia.store.sqlite import SQLiteStore
from synovia.store.sqlite.history import Retention
from synovia.testing import Clock, TestApp

SESSION = b"s" * 16
HOUR = 3_600


@pytest.fixture(scope="module")
def registry() -> Registry:
    return collect("board", [board])


@pytest.mark.parametrize("ttl", [60, HOUR, 86_400, 7 * 86_400, 366 * 86_400])
def test_retries_are_taken_for_less_time_than_their_records_are_kept(ttl: int) -> None:
    assert 0 < retry_window(ttl) <= ttl - 15
    assert retry_window(ttl) >= 0.75 * ttl


def test_the_time_is_a_setting(monkeypatch: pytest.MonkeyPatch, registry: Registry) -> None:
    assert Settings().request_ttl == 7 * 86_400
    monkeypatch.setenv("SYNOVIA_REQUEST_TTL", str(HOUR))
    assert Synovia(registry, store="sqlite://:memory:").store.request_ttl == HOUR
    monkeypatch.setenv("SYNOVIA_REQUEST_TTL", "59")  # less than MongoDB takes between two looks at what has expired
    with pytest.raises(ValidationError):
        Settings()


async def test_a_retry_in_the_window_finds_its_record_and_one_beyond_it_is_refused(registry: Registry) -> None:
    clock = Clock()
    store = SQLiteStore(clock=clock, retention=Retention(requests=HOUR))
    async with TestApp(registry, store, clock=clock) as app:
        await app.caller().mutation("board:add", {"slug": "x"})
        issued_at = int(app.clock() * 1000)

        async def bump(number: int) -> object:
            call = {"session": SESSION, "number": number, "retry": True, "issued_at": issued_at}
            outcome = await app.engine.mutate("board:bump", {"slug": "x"}, None, **call)  # type: ignore[arg-type]
            return outcome.error.code if outcome.error else outcome.value()

        assert await bump(1) == 1
        await app.advance(retry_window(HOUR))
        for number in range(8):
            await app.caller().mutation("board:add", {"slug": f"prunes what has expired {number}"})
        assert await bump(1) == 1, "the record is there until the end of the window"
        assert await bump(2) == 2, "and what was not committed yet may run until then"
        await app.advance(1)
        assert await bump(3) == "request_expired"
        await app.advance(HOUR)
        for number in range(8):
            await app.caller().mutation("board:add", {"slug": f"prunes it all {number}"})
        assert await app.store.find_request(SESSION, 1) is None
        assert await bump(1) == "request_expired", "its record is gone, and it is not run again"
        card = await app.caller().query("board:by_slug", {"slug": "x"})
        assert card["rank"] == 2


@pytest.mark.mongodb
async def test_mongodb_keeps_records_for_the_time_that_is_set(
    registry: Registry, mongodb_uri: str, database_name: str
) -> None:
    host, _, options = mongodb_uri.partition("/?")
    for ttl in (HOUR, 2 * HOUR):  # changed at the next start
        store = open_store(f"{host}/{database_name}?{options}", request_ttl=ttl)
        async with TestApp(registry, store), AsyncMongoClient[dict[str, object]](mongodb_uri) as outside:
            index = (await outside[database_name]["_requests"].index_information())["synovia_expiry"]
            assert index["expireAfterSeconds"] == store.request_ttl == ttl
