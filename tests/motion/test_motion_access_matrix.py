"""Every function × caller × relation: the hand-written table against the code's declarations and a real hub."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from itertools import count
from typing import Any

import numpy as np
import pytest

from apps import access_scene
from helpers.access_table import Row, rows
from helpers.read_recorder import ReadRecorder
from helpers.running_hub import MOTION, RunningHub, running_hub
from synovia.functions.access import CallOrigin
from synovia.functions.function import Function, Kind
from synovia.functions.registry import Registry, collect, load_application
from synovia.store.arrays import write_array
from synovia_client import Client, FunctionError

pytestmark = pytest.mark.slow
TABLE = rows()
SAMPLES = np.linspace(0.0, 60.0, 100)
NOTHING = dict.fromkeys(("recording", "session", "invite", "person"), "f" * 24)
_UNSEEN = ("not_found", "not_a_contact")
Args = Callable[[dict[str, Any]], dict[str, Any]]


def _recording(**more: Any) -> Args:
    return lambda scene: {"recordingId": scene["recording"], **more}


def _person(**more: Any) -> Args:
    return lambda scene: {"userId": scene["person"], **more}


def _saved(**more: Any) -> dict[str, Any]:
    return {"leftKnee": SAMPLES, "rightKnee": SAMPLES, "sampleRate": 100.0, **more}


def _session(**more: Any) -> Args:
    return lambda scene: {"sessionId": scene["session"], **more}


def _invite(scene: dict[str, Any]) -> dict[str, Any]:
    return {"inviteId": scene["invite"]}


def _token(scene: dict[str, Any]) -> dict[str, Any]:
    return {"token": scene["token"]}


ARGS: dict[str, Args] = {
    "users:register": lambda _: {"role": "patient"},
    "users:rename": lambda _: {"name": "Me"},
    "users:delete_account": lambda scene: {"email": scene["me"]},
    "contacts:add": lambda _: {"email": "somebody-else@example.org"},
    "invites:create": lambda _: {"email": "somebody-else@example.org"},
    "invites:resend": _invite,
    "invites:withdraw": _invite,
    "invites:look": _token,
    "invites:accept": _token,
    "invites:accept_received": _invite,
    "invites:decline": _invite,
    "live:start": lambda _: {"sampleRate": 100.0},
    "live:start of": lambda scene: {"sampleRate": 100.0, "subjectId": scene["person"]},
    "live:follow": _session(),
    "live:append": _session(position=SAMPLES.size, leftKnee=SAMPLES, rightKnee=SAMPLES),
    "live:finish": _session(),
    "live:discard": _session(),
    "admin:change_role": _person(role="patient"),
    "admin:archive_user": _person(),
    "admin:restore_user": _person(),
    "admin:delete_user": _person(),
    "admin:look_as": _person(reason="help"),
    "contacts:set_alias": _person(alias="friend"),
    "contacts:remove": _person(),
    "recordings:get": _recording(),
    "recordings:save": lambda _: _saved(),
    "recordings:save of": lambda scene: _saved(subjectId=scene["person"]),
    "recordings:rename": _recording(notes="mine now"),
    "recordings:update": _recording(notes="mine now"),
    "recordings:update of": lambda scene: {"recordingId": scene["recording"], "subjectId": scene["contact"]},
    "recordings:share": lambda scene: {"recordingId": scene["recording"], "userId": scene["contact"]},
    "recordings:unshare": lambda scene: {"recordingId": scene["recording"], "userId": scene["contact"]},
    "recordings:archive": _recording(),
    "recordings:restore": _recording(),
}


@pytest.fixture(scope="module")
def registry() -> Registry:
    motion = load_application(MOTION)
    scenes = collect("access_scene", [access_scene])
    return replace(motion, functions={**motion.functions, **scenes.functions})


@pytest.fixture
async def clinic(registry: Registry) -> AsyncIterator[RunningHub]:
    async with running_hub("sqlite://:memory:", registry) as clinic:
        yield clinic


class Cell:
    """One caller with a scene of their own."""

    _numbers = count(1)

    def __init__(self, clinic: RunningHub, row: Row, caller: str) -> None:
        self._clinic = clinic
        self._row = row
        self._caller = caller
        self.scene: dict[str, Any] = {}

    async def build(self) -> None:
        app = self._clinic.app
        ref = await write_array(app.store.arrays, SAMPLES)
        args = {"number": next(self._numbers), "caller": self._caller, "relation": self._row.relation, "samples": ref}
        outcome = await app.engine.mutate("access_scene:build", args, None, origin=CallOrigin.FUNCTION)
        await app.engine.wait_for(outcome.ts or 0)
        self.scene = outcome.value()
        self.scene["person"] = self.scene["contact" if self._row.relation == "contact" else "stranger"]

    async def connect(self) -> Client:
        if self._caller == "anonymous":
            return Client(self._url)
        if self._caller != "looking":
            return Client(self._url, token=f"dev:{self.scene['me']}")
        async with Client(self._url, token=f"dev:{self.scene['admin']}") as admin:
            return Client(
                self._url, token=await admin.mutation("admin:look_as", {"userId": self.scene["myId"], "reason": "help"})
            )

    @property
    def _url(self) -> str:
        return f"ws://127.0.0.1:{self._clinic.port}"

    async def try_it(self) -> str:
        """Call the function as the caller; tell what came of it, having looked for what must not be seen."""
        await self.build()
        async with await self.connect() as client:
            self._clinic.app.engine._executor.reads.cache.forget_all()  # what was just made need not be read, else
            asked = ReadRecorder(self._clinic.app.store)
            answer = await self.answer(client, self.scene)
            shown = [word for word in self.scene["hidden"] if word in repr(answer)]
            assert not shown, f"{self._caller} is shown {shown}"
            found = answer.code if isinstance(answer, FunctionError) else "yes"
            if found in _UNSEEN:
                # What does not exist gets the same answer, and costs the database the same questions.
                seen = repr(answer), asked.take()
                self._clinic.app.engine._executor.reads.cache.forget_all()
                nothing = repr(await self.answer(client, self.scene | NOTHING)), asked.take()
                assert seen == nothing, f"{self._caller} is told that there is one"
            return found

    async def answer(self, client: Client, scene: dict[str, Any]) -> Any:
        """Call the function; give its result, or its error."""
        function = self._clinic.app.registry.functions[self._row.function]
        calls: dict[Kind, Callable[..., Awaitable[Any]]] = {
            Kind.QUERY: client.query,
            Kind.MUTATION: client.mutation,
            Kind.ACTION: client.action,
        }
        make = ARGS.get(f"{self._row.function} {self._row.variant}".strip())
        args = make(scene) if make is not None else {}
        try:
            return await calls[function.kind](self._row.function, args)
        except FunctionError as error:
            return error


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row.name)
async def test_each_caller_gets_what_the_table_says(clinic: RunningHub, row: Row) -> None:
    found = {caller: await Cell(clinic, row, caller).try_it() for caller in row.cells}
    assert found == row.cells


_ROLES = {"patient": "patient", "physio": "physiotherapist", "admin": "admin"}


def _refusal(registry: Registry, function: Function, caller: str) -> str | None:
    """Tell with which code a declaration alone refuses a caller; None: it lets them in."""
    access, table = function.access, registry.roles
    if access.public:
        return None
    if caller == "anonymous":
        return "unauthenticated"
    if caller == "looking" and function.kind is not Kind.QUERY:
        return "forbidden"
    if access.signed_in:
        return None
    assert table is not None
    assert access.capability is not None, "the motion application asks for capabilities, not for roles"
    without = {"newcomer": "not_registered", "archived": "forbidden"}
    if caller in without:
        return without[caller]
    granted = table.grants[_ROLES.get(caller, "physiotherapist")]
    return None if access.capability in granted else "forbidden"


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row.name)
def test_the_declarations_in_the_code_say_the_same(registry: Registry, row: Row) -> None:
    function = registry.functions[row.function]
    for caller, cell in row.cells.items():
        refusal = _refusal(registry, function, caller)
        if refusal is not None:
            assert cell == refusal, f"{row.name} refuses {caller}"
        else:
            assert cell != "unauthenticated", f"{row.name} lets {caller} in"


def test_the_table_names_every_function(registry: Registry) -> None:
    callable_ = {path for path, function in registry.functions.items() if not function.internal}
    assert {row.function for row in TABLE} == callable_
