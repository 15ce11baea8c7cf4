"""A school, and what its database holds."""

from __future__ import annotations

from itertools import count
from typing import Any

from pydantic import SecretStr

from synovia import Settings
from synovia.keys import BY_ID, between
from synovia.schema import Document
from synovia.sealing.settings import EncryptionSettings
from synovia.store.base import Batch, Write
from synovia.testing import Caller, Subscription, TestApp
from synovia.testing.app import settings_for_tests

BIRTH, OTHER = "2011-04-05", "2012-12-31"
NUMBERS = count(100)


async def enrolled(caller: Caller, name: str = "Ann", birth: str = BIRTH, **more: Any) -> str:
    given = {"name": name, "dateOfBirth": birth, "number": next(NUMBERS), **more}
    row = await caller.mutation("school:enrol", given)
    assert row["dateOfBirth"] == birth
    return str(row["_id"])


async def seen(subscription: Subscription) -> Any:
    await subscription.current()
    return subscription.value


async def stored(app: TestApp, table: str = "students") -> dict[str, Document]:
    ts, _ = await app.store.newest()
    found = await app.store.snapshot(ts).scan(table, BY_ID, between(()), limit=100)
    return {str(each["_id"]): each for each in found}


async def overwrite(app: TestApp, table: str, id_: str, **changes: Any) -> None:
    """Write into the database as somebody does who has it and no keys."""
    before = (await stored(app, table))[id_]
    await app.store.commit(Batch([Write(table, before["_id"], before, {**before, **changes})]))
    newest, _ = await app.store.newest()
    await app.engine.wait_for(newest)


def with_keys(*entries: str) -> Settings:
    keys = EncryptionSettings(keys=SecretStr(" ".join(entries)))
    return settings_for_tests().model_copy(update={"encryption": keys})
