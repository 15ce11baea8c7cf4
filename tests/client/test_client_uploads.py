"""Arrays in arguments: any dtype, shape and layout arrives bit for bit, and is in nobody's way."""

from __future__ import annotations

import asyncio
from typing import Any

import numpy as np
import pytest

from client.manual_clock import ManualClock
from client.peer import Peer, PeerConnection, eventually
from synovia_client import ArrayRef, Client, FunctionError
from synovia_client.uploads import frozen, prepare
from synovia_protocol.arrays import CHUNK_BYTES, DTYPES, ChunkReceived, ref_of, to_numpy
from synovia_protocol.messages import Action, ModifyQuerySet, Mutation


async def uploaded(connection: PeerConnection, ref: ArrayRef) -> Any:
    """Take the upload of this array and give it as numpy."""
    received, data = await connection.expect_array()
    assert (received.digest, received.dtype, received.length) == (ref.digest, ref.dtype, ref.length)
    return to_numpy(data, ref.dtype, ref.shape)


async def sent_through(client: Client, connection: PeerConnection, array: Any) -> Any:
    """Send an array as an argument and give what the server got."""
    asked = asyncio.create_task(client.mutation("save", {"samples": array}))
    received, data = await connection.expect_array()
    mutation = await connection.expect(Mutation)
    ref = mutation.args["samples"]
    assert (received.digest, received.dtype, received.length) == (ref.digest, ref.dtype, ref.length)
    await connection.answer(mutation)
    await asked
    return to_numpy(data, ref.dtype, ref.shape)


@pytest.mark.parametrize("dtype", sorted(DTYPES))
async def test_every_dtype_arrives(client: Client, peer: Peer, dtype: str) -> None:
    connection = await peer.welcome()
    raw = np.random.default_rng(1).integers(0, 2 if dtype == "bool" else 256, 480, dtype=np.uint8)
    array = raw.view(dtype).reshape(-1, 3, 2) if dtype != "bool" else raw.astype(bool).reshape(-1, 3, 2)
    got = await sent_through(client, connection, array)
    assert got.dtype == array.dtype
    assert got.shape == array.shape
    assert got.tobytes() == array.tobytes()


SPECIAL = np.array([0.0, -0.0, np.inf, -np.inf, np.nan, 5e-324, 1.7976931348623157e308])
SPECIAL.view(np.uint64)[4] = 0x7FF4_DEAD_BEEF_0001  # a signalling NaN with a payload


@pytest.mark.parametrize(
    "array",
    [
        SPECIAL,
        np.arange(24.0).reshape(4, 6)[::2, ::-1],
        np.asfortranarray(np.arange(12.0).reshape(3, 4)),
        np.arange(7, dtype=">f8"),
        np.arange(7, dtype=">i2").reshape(7, 1),
        np.array(3.5),
        np.empty(0),
        np.empty((0, 3), dtype=np.int32),
        np.frombuffer(b"\0" + np.arange(3.0).tobytes(), np.uint8)[1:].view(np.float64),
        np.arange(3 * CHUNK_BYTES // 8 + 5, dtype=np.float64),
        np.arange(2 * CHUNK_BYTES // 8, dtype=np.float64),
    ],
)
async def test_every_layout_arrives(client: Client, peer: Peer, array: Any) -> None:
    connection = await peer.welcome()
    got = await sent_through(client, connection, array)
    assert got.shape == array.shape
    assert got.dtype == array.dtype.newbyteorder("<")
    assert got.tobytes() == np.ascontiguousarray(array, array.dtype.newbyteorder("<")).tobytes()


async def test_arrays_anywhere_in_the_arguments(client: Client, peer: Peer) -> None:
    one, two = np.arange(3.0), np.arange(4, dtype=np.int16)
    args = {"list": [1, {"deep": one}], "pair": (two, one), "plain": "x"}
    asked = asyncio.create_task(client.action("save", args))
    connection = await peer.welcome()
    await uploaded(connection, ref_of(one))
    await uploaded(connection, ref_of(two))
    action = await connection.expect(Action)
    assert action.args == {"list": [1, {"deep": ref_of(one)}], "pair": [ref_of(two), ref_of(one)], "plain": "x"}
    assert args["pair"] == (two, one), "the caller's arguments stay as they were"
    asked.cancel()


async def test_equal_bytes_of_different_dtypes_are_different_arrays(client: Client, peer: Peer) -> None:
    asked = asyncio.create_task(client.mutation("save", {"a": np.zeros(2), "b": np.zeros(2, np.int64)}))
    connection = await peer.welcome()
    dtypes = [(await connection.expect_array())[0].dtype for _ in range(2)]
    assert dtypes == ["float64", "int64"]
    await connection.expect(Mutation)
    asked.cancel()


@pytest.mark.parametrize("array", [np.array([1j]), np.array(["x"]), np.array([None]), np.zeros(2, "M8[ms]")])
async def test_other_dtypes_are_refused_here(client: Client, array: Any) -> None:
    with pytest.raises(FunctionError) as caught:
        await client.mutation("save", {"samples": array})
    assert caught.value.code == "invalid_arguments"


async def test_a_query_takes_no_arrays(client: Client) -> None:
    with pytest.raises(FunctionError) as caught:
        await client.query("similar", {"to": np.zeros(3)})
    assert caught.value.code == "invalid_arguments"


async def test_changing_an_array_after_the_call_changes_nothing(client: Client, peer: Peer) -> None:
    array = np.arange(200_000.0)
    whole = array.copy()
    asked = asyncio.create_task(client.mutation("save", {"samples": array}))
    connection = await peer.welcome()
    first = await connection.expect(ChunkReceived)
    array[:] = -1
    rest, data = await connection.expect_array()
    assert rest.digest == ref_of(whole).digest
    assert bytes(first.data) + data == whole.tobytes()
    asked.cancel()


async def test_only_what_can_change_is_copied() -> None:
    array = np.arange(4.0)
    assert frozen(array) is not array
    array.flags.writeable = False
    assert frozen(array) is array
    assert frozen(array[1:3]).base is array
    view = np.arange(4.0)[1:]
    view.flags.writeable = False
    assert frozen(view) is not view, "its base can be written to"
    mapped = np.frombuffer(b"12345678", np.float64)
    assert frozen(mapped) is mapped


async def test_the_same_array_twice_is_one_upload() -> None:
    array = np.arange(3.0)
    args, arrays = await prepare({"a": array, "b": [array, array.copy()]})
    assert len(arrays) == 1
    assert args == {"a": ref_of(array), "b": [ref_of(array)] * 2}


async def test_arrays_that_are_hashed_by_several_threads_keep_their_names() -> None:
    random = np.random.default_rng(1)
    many: list[Any] = [
        random.random((3, CHUNK_BYTES // 8)),
        np.empty(0),
        random.random(CHUNK_BYTES // 8 + 1),
        random.integers(0, 9, (5, 7), dtype=np.int16),
        np.arange(40_000, dtype=">i4"),
        np.empty((0, 3), dtype=np.float32),
    ]
    assert sum(array.nbytes for array in many) >= 1 << 20, "fewer are hashed at once"
    args, arrays = await prepare({"many": many})
    assert args == {"many": [ref_of(array) for array in many]}
    assert [(ref, sent.tobytes()) for ref, sent in arrays] == [
        (ref_of(array), array.astype(array.dtype.newbyteorder("<")).tobytes()) for array in many
    ]


async def test_small_messages_overtake_an_upload(client: Client, peer: Peer) -> None:
    connection = await peer.welcome()
    saving = asyncio.create_task(client.mutation("save", {"samples": np.arange(4_000_000.0)}))
    await connection.expect(ChunkReceived)  # 121 more are to come
    quick = asyncio.create_task(client.mutation("quick"))
    watching = asyncio.create_task(client.query("list"))
    chunks = 0
    others: list[Any] = []
    while len(others) < 2:
        event = await connection.next()
        chunks += isinstance(event, ChunkReceived)
        if not isinstance(event, ChunkReceived):
            others.append(event)
    assert chunks < 60
    assert {type(event) for event in others} == {Mutation, ModifyQuerySet}
    mutation = next(event for event in others if isinstance(event, Mutation))
    assert mutation.path == "quick"
    await connection.answer(mutation, "overtook")
    assert await quick == "overtook"
    watching.cancel()
    saving.cancel()


async def test_progress_is_told(client: Client, peer: Peer) -> None:
    told: list[tuple[int, int]] = []
    array = np.arange(100_000.0)
    asked = asyncio.create_task(
        client.mutation("save", {"a": array, "b": array[:10]}, on_progress=lambda *numbers: told.append(numbers))
    )
    connection = await peer.welcome()
    for _ in range(2):
        await connection.expect_array()
    await connection.answer(await connection.expect(Mutation))
    await asked
    total = 800_080
    assert told == [(min(n * CHUNK_BYTES, 800_000), total) for n in range(1, 5)] + [(total, total)]


async def test_a_progress_callback_that_fails_harms_nobody(client: Client, peer: Peer) -> None:
    complaints: list[Any] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: complaints.append(context["exception"]))

    def fail(sent: int, total: int) -> None:
        raise RuntimeError("no bar")

    asked = asyncio.create_task(client.mutation("save", {"a": np.arange(3.0)}, on_progress=fail))
    connection = await peer.welcome()
    await connection.expect_array()
    await connection.answer(await connection.expect(Mutation), "fine")
    assert await asked == "fine"
    assert [str(complaint) for complaint in complaints] == ["no bar"]


async def test_a_cut_in_the_middle_of_an_array_sends_it_again_from_the_start(client: Client, peer: Peer) -> None:
    array = np.arange(2_000_000.0)  # more than the sockets between them hold: the message behind it stays here
    told: list[int] = []
    asked = asyncio.create_task(
        client.mutation("save", {"samples": array}, on_progress=lambda sent, _: told.append(sent))
    )
    first = await peer.welcome()
    for _ in range(3):
        await first.expect(ChunkReceived)
    first.cut()
    second = await peer.welcome()
    assert (await uploaded(second, ref_of(array))).tobytes() == array.tobytes()
    mutation = await second.expect(Mutation)
    assert not mutation.retry, "the first connection never had the message"
    await second.answer(mutation, "saved")
    assert await asked == "saved"
    assert told[-1] == array.nbytes


async def test_a_retried_mutation_brings_its_arrays_again_and_keeps_its_place(client: Client, peer: Peer) -> None:
    array = np.arange(100_000.0)
    saving = asyncio.create_task(client.mutation("save", {"samples": array}))
    first = await peer.welcome()
    await uploaded(first, ref_of(array))
    await first.expect(Mutation)
    renaming = asyncio.create_task(client.mutation("rename"))
    await first.expect(Mutation)
    first.cut()
    second = await peer.welcome()
    await uploaded(second, ref_of(array))
    again = [await second.expect(Mutation) for _ in range(2)]
    assert [(m.path, m.request_id, m.retry) for m in again] == [("save", 1, True), ("rename", 2, True)]
    for mutation in again:
        await second.answer(mutation, mutation.path)
    assert await saving == "save"
    assert await renaming == "rename"


async def test_a_cancelled_upload_ends_with_its_array_so_that_it_can_be_sent_again(client: Client, peer: Peer) -> None:
    array = np.arange(400_000.0)
    saving = asyncio.create_task(client.mutation("save", {"one": array, "two": np.arange(3.0)}))
    connection = await peer.welcome()
    await connection.expect(ChunkReceived)
    saving.cancel()
    await asyncio.gather(saving, return_exceptions=True)
    again = asyncio.create_task(client.mutation("save", {"one": array}))
    first, _ = await connection.expect_array()
    second, _ = await connection.expect_array()
    assert first.digest == second.digest == ref_of(array).digest
    mutation = await connection.expect(Mutation)
    assert mutation.request_id == 2
    await connection.answer(mutation, "saved")
    assert await again == "saved"
    await connection.silence()


async def test_a_slow_upload_does_not_time_out_while_it_moves(client: Client, peer: Peer, clock: ManualClock) -> None:
    sent = 0

    def note(now: int, total: int) -> None:
        nonlocal sent
        sent = now
        clock.advance(2)

    array = np.arange(200_000.0)
    asked = asyncio.create_task(client.mutation("save", {"samples": array}, timeout=3, on_progress=note))
    connection = await peer.welcome()
    await connection.expect_array()
    await eventually(lambda: sent == array.nbytes)
    await connection.answer(await connection.expect(Mutation), "slow")
    assert await asked == "slow"
    assert clock.now >= 14
