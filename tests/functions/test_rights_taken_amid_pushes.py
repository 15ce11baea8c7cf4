"""Whoever loses a right amid pushes is shown nothing that was written after it, in no way of reading, at no hub."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, aclosing
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import pytest
from pydantic import SecretStr

from apps import wards
from helpers.running_hub import RunningHub, running_hub
from helpers.waiting import until
from synovia.functions.registry import collect
from synovia.hubs.settings import HubsSettings
from synovia_client import Client, FunctionError

REGISTRY = collect("wards", [wards])
READING = ["listed", "by_role", "searched", "nearest", "newest", "counted"]
PEOPLE = 5
EACH = 8
"""So many findings are written before the next one is dismissed."""


@pytest.fixture(params=["one hub", pytest.param("two hubs", marks=pytest.mark.mongodb)])
async def hubs(request: pytest.FixtureRequest) -> AsyncIterator[tuple[RunningHub, RunningHub]]:
    """Give the hub at which is written, and the one at which people look."""
    async with AsyncExitStack() as stack:
        if request.param == "one hub":
            hub = await stack.enter_async_context(running_hub("sqlite://:memory:", REGISTRY))
            yield hub, hub
            return
        uri, name = request.getfixturevalue("mongodb_uri"), request.getfixturevalue("database_name")
        store = urlsplit(uri)._replace(path=f"/{name}").geturl()
        secret = HubsSettings(secret=SecretStr("the secret of these hubs"))
        first, second = [await stack.enter_async_context(running_hub(store, REGISTRY, hubs=secret)) for _ in range(2)]
        yield first, second


def findings_in(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, list):
        for each in value:
            yield from findings_in(each)
    elif "dismissed" in value:
        yield value
    elif "document" in value:
        yield value["document"]


class Person:
    """Somebody who looks in every way, and notes what they are shown that they must not see."""

    def __init__(self, client: Client, name: str) -> None:
        self.client = client
        self.auth_id = f"dev|{name}"
        self.shown: set[str] = set()
        """In which ways they have been shown something."""
        self.wrong: list[Any] = []
        self.arrays: list[Any] = []
        self.most: int | None = None
        """How many findings there were when they were dismissed."""

    async def look(self, path: str) -> None:
        """Follow a query until it shows nothing any more."""
        async with self.client.subscribe(f"wards:{path}") as shown, aclosing(aiter(shown)) as values:
            try:
                async for value in values:
                    if any(value.values() if path == "counted" else value):
                        self._note(path, value)
                    elif path in self.shown:
                        return
            except FunctionError as error:
                if (path, error.code) != ("by_role", "forbidden"):
                    raise

    def _note(self, path: str, value: Any) -> None:
        self.shown.add(path)
        if path == "counted":
            one, *others = {*value.values()}
            if others or (self.most is not None and one > self.most):
                self.wrong.append((path, self.most, value))
            return
        for each in findings_in(value):
            if each.get("samples") is not None:
                self.arrays.append(each["samples"])
            if self.auth_id in each["dismissed"]:
                self.wrong.append((path, each["number"]))


async def test_nothing_that_is_written_afterwards_is_shown(hubs: tuple[RunningHub, RunningHub]) -> None:
    writing, looking = hubs
    application = writing.app
    async with AsyncExitStack() as stack, asyncio.TaskGroup() as group:
        people: list[Person] = []
        for number in range(PEOPLE):
            name = f"p{number}@example.org"
            await application.mutation("wards:admit", {"authId": f"dev|{name}"}, trusted=True)
            client = Client(f"ws://127.0.0.1:{looking.port}", token=f"dev:{name}")
            people.append(Person(await stack.enter_async_context(client), name))
        looks = {each: [group.create_task(each.look(path)) for path in READING] for each in people}
        for number in range(PEOPLE * EACH):
            if number % EACH == EACH - 1:
                person = people[number // EACH]
                person.most = await application.mutation("wards:dismiss", {"authId": person.auth_id}, trusted=True)
            samples = {"samples": np.arange(1000.0) + number} if number % EACH == 0 else {}
            await application.mutation("wards:find", {"number": number, **samples}, trusted=True)
            await until(lambda: all(len(each.shown) == len(READING) for each in people))
        for person in people:
            await asyncio.wait(looks[person])
            for ref in person.arrays[-2:]:
                with pytest.raises(FunctionError):
                    await person.client.array(ref)
    assert [each.wrong for each in people] == [[]] * PEOPLE
