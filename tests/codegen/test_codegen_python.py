"""mypy finds every wrong call of a generated Python client, nothing wrong with right ones, and those work on a hub."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import numpy as np
import pytest

from codegen.golden.everything_api import mail_box, shop, things
from helpers.compiling import EVERYTHING, GOLDEN, ROOT, check_python, expected
from helpers.running_hub import running_hub
from synovia.codegen import generate
from synovia.functions.registry import load_application
from synovia_client import BlockingClient, Client

PROGRAM = """
from __future__ import annotations

import datetime as dt

import numpy as np
from everything_api import Part, PartInput, Thing, ThingId, mail_box, shop, things
from everything_api.shop.orders import new
from synovia_client import ArrayRef, BlockingClient, Client


async def calls(client: Client, blocking: BlockingClient, id_: ThingId) -> None:
    thing: Thing | None = await client.query(things.get(thing_id=id_), timeout=5)
    every: list[Thing] = blocking.query(things.list(limit=3))
    (await client.query(things.page(cursor=None)))["items"][0]["count"] + 1
    part: PartInput = {"owner": id_, "parts": [{"owner": id_}]}
    samples = np.zeros(3)
    call = things.save(
        flag=True, big=1, ratio=1, raw=b"", at=dt.datetime.now(dt.timezone.utc), role="reader", series=samples,
        pictures=[np.zeros((2, 2), "int8")], parts=[part], table={"a": [1, None]}, plain={"snake_case": 1},
    )
    saved: ThingId = await client.mutation(call, on_progress=print)
    sent: bool = await client.action(mail_box.send(to="ada@example.org"))
    made: list[ThingId] = await client.mutation(shop.orders.new.create(thing_id=id_))
    parts: list[Part] = blocking.query(new.list(owner=made[0]))
    counted: int = blocking.query(shop.count()) + len(parts)
    shop.orders.create()  # wrong: attr-defined
    shop.orders.new.create(thing_id=3)  # wrong: arg-type
    async with client.subscribe(things.list()) as shown:
        shown.value[0]["series"].length + 1
        async for value in shown:
            value[0]["part"]["parts"][0]["owner"].upper()
    blocking.subscribe(things.list(), None, lambda found: print(found[0]["name"], every, sent, saved, counted))
    if thing is not None:
        ref: ArrayRef = await_ref(thing)
        await client.array(ref, points=100)
        thing["odd key"] + thing["for"] + thing["twice"]
        thing["nme"]  # wrong: typeddict-item
        thing["count"].upper()  # wrong: attr-defined
        thing["series"][0]  # wrong: index
    await client.query("any:path", {"what": 1})

    things.lst()  # wrong: attr-defined
    things.hidden()  # wrong: attr-defined
    things.get()  # wrong: call-arg
    things.get(id=id_)  # wrong: call-arg
    things.get(thing_id="65f0c0ffee65f0c0ffee65f0")  # wrong: arg-type
    things.list(limit="3")  # wrong: arg-type
    things.list(3)  # wrong: call-arg
    things.list(limits=3)  # wrong: call-arg
    things.nothing_needed(some=1)  # wrong: call-arg
    things.animals(kept=[{"lives": 9}])  # wrong: list-item
    await client.query(call)  # wrong: call-overload
    await client.mutation(things.list())  # wrong: call-overload
    await client.query(things.list(), {"limit": 3})  # wrong: call-overload
    blocking.mutation(things.list())  # wrong: call-overload
    wrong: list[str] = await client.query(things.list())  # wrong: arg-type
    narrow = np.zeros(3, np.float32)
    things.save(flag=True, big=1, ratio=1, raw=b"", at=dt.datetime.now(), role="owner", series=samples, pictures=[], parts=[], table={})  # wrong: arg-type
    things.save(flag=True, big=1, ratio=1, raw=b"", at=dt.datetime.now(), role="reader", series=narrow, pictures=[], parts=[], table={})  # wrong: arg-type
    things.save(flag=True, big=1.5, ratio=1, raw=b"", at=dt.datetime.now(), role="reader", series=samples, pictures=[], parts=[], table={})  # wrong: arg-type


def await_ref(thing: Thing) -> ArrayRef:
    return thing["series"]
"""  # noqa: E501

MOTION = """
from motion_api import Recording, RecordingId, recordings
from synovia_client import Client


async def rename(client: Client, recording_id: RecordingId) -> list[Recording]:
    await client.mutation(recordings.rename(recording_id=recording_id, notes="left knee"))
    recordings.rename(recording_id=recording_id)  # wrong: call-arg
    return await client.query(recordings.list_mine(limit=20))
"""


@pytest.mark.slow
def test_wrong_calls_do_not_pass_and_right_ones_do(tmp_path: Path) -> None:
    assert check_python(PROGRAM, tmp_path, GOLDEN / "everything_api") == expected(PROGRAM)


@pytest.mark.slow
def test_the_motion_application_has_a_client_that_passes(tmp_path: Path) -> None:
    package = tmp_path / "motion_api"
    (found,) = generate(load_application(ROOT / "apps" / "motion"), py=package)
    found.apply()
    assert check_python(MOTION, tmp_path, package) == expected(MOTION)


async def test_calls_are_answered_with_what_the_types_say() -> None:
    samples = np.array([1.5, -0.0, np.nan])
    at = dt.datetime(2026, 2, 3, tzinfo=dt.UTC)
    async with running_hub("sqlite://:memory:", EVERYTHING) as clinic:
        client = await clinic.connect("ada")
        async with client.subscribe(things.list()) as shown:
            assert shown.value == []
            call = things.save(
                flag=True, big=2**60, ratio=1, raw=b"\x00", at=at, role="reader", series=samples,
                pictures=[], parts=[], table={}, anything={"x": [None]},
            )  # fmt: skip
            thing_id = await client.mutation(call)
            thing = await client.query(things.get(thing_id=thing_id))
            assert thing is not None
            assert [each["_id"] for each in shown.value] == [thing_id]
        assert (thing["big"], thing["at"], thing["role"], thing["odd key"], thing["twice"]) == (
            2**60,
            at,
            "reader",
            2,
            2,
        )
        assert "maybe" not in thing
        assert (await client.array(thing["series"])).tobytes() == samples.tobytes()
        page = await client.query(things.page(limit=1))
        assert page["items"] == [thing]
        assert await client.action(mail_box.send(to="ada@example.org")) is False
        await client.query(things.nothing_needed())
        assert await client.mutation(shop.orders.new.create(thing_id=thing_id, how_many=2)) == [thing_id] * 2
        assert (await client.query(shop.orders.new.list(owner=thing_id)))[0]["owner"] == thing_id
        assert await client.query(shop.count()) == 3


async def test_a_call_given_as_another_kind_or_with_more_arguments_is_refused() -> None:
    async with Client("ws://127.0.0.1:1") as client:
        with pytest.raises(TypeError, match="things:list is called as a query, not as mutation"):
            await client.mutation(things.list())  # type: ignore[call-overload]
        with pytest.raises(TypeError, match="has its arguments already"):
            client.subscribe(things.list(), {"limit": 3})  # type: ignore[call-overload]


def test_the_blocking_client_takes_calls_too() -> None:
    with BlockingClient("ws://127.0.0.1:1") as client, pytest.raises(TypeError, match="called as an action"):
        client.query(mail_box.delete())  # type: ignore[call-overload]
