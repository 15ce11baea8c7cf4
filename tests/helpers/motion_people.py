"""People of the motion application in a ``TestApp``, and what they do most in tests."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import pytest

from motion.gait import walk
from synovia import FunctionError, Identity
from synovia.functions.access import CallOrigin
from synovia.functions.registry import Registry, load_application
from synovia.testing import Caller as AppCaller
from synovia.testing import TestApp
from synovia_protocol.messages import ArrayRef

WALK = walk(2.0, seed=7)
MISSING_ID = "0123456789abcdef01234567"


@cache
def motion() -> Registry:
    """Give the application: loaded once, as nothing of it changes while hubs run."""
    return load_application(Path(__file__).parents[2] / "apps" / "motion")


class Caller(Protocol):
    """Whoever calls functions: in this process, or through a socket."""

    async def query(self, path: str, args: dict[str, Any], /) -> Any: ...
    async def mutation(self, path: str, args: dict[str, Any], /) -> Any: ...
    async def array(self, ref: ArrayRef, /) -> np.ndarray[Any, Any]: ...


@dataclass
class Person:
    """A registered person and what they do most in these tests."""

    caller: Caller
    id: str
    email: str

    async def query(self, path: str, **args: Any) -> Any:
        return await self.caller.query(path, args)

    async def mutation(self, path: str, **args: Any) -> Any:
        return await self.caller.mutation(path, args)

    async def save(self, **more: Any) -> str:
        args = {"leftKnee": WALK.left_knee, "rightKnee": WALK.right_knee, "sampleRate": 100.0, **more}
        recording_id: str = await self.caller.mutation("recordings:save", args)
        return recording_id

    async def ids(self, path: str, **args: Any) -> list[str]:
        return [recording["_id"] for recording in await self.query(path, **args)]

    async def contacts(self) -> list[str]:
        """The names in this person's list, as it shows them."""
        return [view.get("alias", view["name"]) for view in await self.query("contacts:list_mine")]


async def register(app: TestApp, name: str, role: str) -> Person:
    email = f"{name.lower()}@example.org"
    caller = app.caller(email)
    user_id = await caller.mutation("users:register", {"role": role, "name": name})
    return Person(caller, user_id, email)


async def make_admin(app: TestApp, name: str) -> Person:
    """Make an admin as the operator does."""
    email = f"{name.lower()}@example.org"
    outcome = await app.engine.mutate("admin:appoint", {"email": email}, None, origin=CallOrigin.APPLICATION)
    await app.engine.wait_for(outcome.ts or 0)
    account = outcome.value()
    return Person(app.caller(email), account["_id"], email)


async def befriend(one: Person, other: Person, alias: str = "") -> None:
    """Make two people contacts: one asks, the other does too, which is consent."""
    await one.mutation("contacts:add", email=other.email, alias=alias)
    await other.mutation("contacts:add", email=one.email)


def signed_in_elsewhere(app: TestApp, email: str | None, subject: str = "42", name: str | None = None) -> AppCaller:
    """Give somebody who signs in by another issuer, which vouches for an address or for none."""
    return AppCaller(app, Identity("https://accounts.example.org", subject, email, name))


@asynccontextmanager
async def refused(code: str, data: Any = None) -> AsyncIterator[None]:
    """Expect the error that a client would get; its data is looked at if some is given."""
    with pytest.raises(FunctionError) as caught:
        yield
    assert caught.value.code == code, caught.value.message
    if data is not None:
        assert caught.value.data == data


async def refusal(call: Awaitable[Any]) -> tuple[str, str, Any]:
    """Give the whole error that a client gets."""
    with pytest.raises(FunctionError) as caught:
        await call
    return caught.value.code, caught.value.message, caught.value.data


async def later(app: TestApp, seconds: float) -> None:
    """Let time pass in one step; what runs by itself every minute runs once."""
    app.clock.advance(seconds)
    await app.advance(0)


async def mailed_token(app: TestApp) -> str:
    """Deliver what is due and give the token in the link of the newest mail."""
    before = len(app.mails)
    await app.advance(0)
    assert len(app.mails) > before, "no mail went out"
    found = re.search(r"https://synovia\.invalid/#/invite/(\S+)", app.mails[-1].get_content())
    assert found is not None
    return found[1]
