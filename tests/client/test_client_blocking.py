"""The synchronous face: a client on a thread of its own, against a hub on another."""

from __future__ import annotations

import asyncio
import gc
import queue
import threading
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from client.peer import PeerConnection
from client.peer_thread import PeerThread
from helpers.patience import PATIENCE
from synovia_client import BlockingClient, ClientClosed, FunctionError, RequestTimeout, SynoviaError
from synovia_protocol.arrays import ref_of
from synovia_protocol.errors import ErrorInfo
from synovia_protocol.messages import (
    Action,
    ActionResponse,
    FetchArray,
    ModifyQuerySet,
    Mutation,
    QueryFailed,
    QueryValue,
)


@pytest.fixture
def hub() -> Iterator[PeerThread]:
    hub = PeerThread()
    yield hub
    hub.stop()


def test_calls_wait_for_their_answers(hub: PeerThread) -> None:
    samples = np.arange(5.0)

    async def script(connection: PeerConnection) -> None:
        await connection.give("list", [ref_of(samples)], 5)
        await connection.expect(ModifyQuerySet)
        await connection.answer(await connection.expect(Mutation), 1)
        action = await connection.expect(Action)
        await connection.send(connection.session.send(ActionResponse(action.request_id, error=ErrorInfo("no", "no"))))
        await connection.give("list", [ref_of(samples)], 6)
        await connection.send_array(await connection.expect(FetchArray), samples)

    played = hub.play(script)
    with BlockingClient(hub.url, proxy=None) as client:
        client.connected()
        assert client.state == "connected"
        (ref,) = client.query("list")
        assert client.mutation("m", {"a": 1}) == 1
        with pytest.raises(FunctionError):
            client.action("a")
        assert client.array(ref).tolist() == samples.tolist()
    played.result(PATIENCE)
    with pytest.raises(ClientClosed):
        client.query("list")
    client.close()
    assert not any(thread.name == "synovia-client" for thread in threading.enumerate())


def test_a_subscription_that_is_iterated_over_says_how_it_is_used(hub: PeerThread) -> None:
    with (
        BlockingClient(hub.url, proxy=None) as client,
        pytest.raises(TypeError, match=r"calls back, as subscribe\(path, args, print\), .* as \.value"),
    ):
        list(client.subscribe("list", {}))  # type: ignore[call-overload]


def test_a_subscription_calls_back_until_it_is_closed(hub: PeerThread) -> None:
    async def script(connection: PeerConnection) -> list[int]:
        await connection.give("list", 1, 5)
        query_id = connection.queries["list"].query_id
        await connection.transition(6, QueryFailed(query_id, ErrorInfo("forbidden", "no")))
        await acknowledged.wait()
        await connection.transition(7, QueryValue(query_id, 2))
        return [*(await connection.expect(ModifyQuerySet)).remove]

    acknowledged = asyncio.Event()
    values: queue.Queue[Any] = queue.Queue()
    played = hub.play(script)
    with BlockingClient(hub.url, proxy=None) as client:
        handle = client.subscribe("list", None, values.put, values.put)
        got = values.get(timeout=PATIENCE)
        if got == 1:  # a slow subscriber may miss the first value
            got = values.get(timeout=PATIENCE)
        assert isinstance(got, FunctionError)
        hub.run(_set(acknowledged))
        assert values.get(timeout=PATIENCE) == 2
        handle.close()
        handle.close()
        assert played.result(PATIENCE) == [1]
    assert values.empty()


async def _set(event: asyncio.Event) -> None:
    event.set()


def test_callbacks_run_where_the_program_wants_them(hub: PeerThread) -> None:
    async def script(connection: PeerConnection) -> None:
        await connection.give("list", "value", 5)
        await connection.answer(await connection.expect(Mutation), "from the callback")

    gui: queue.Queue[Callable[[], None]] = queue.Queue()
    got: list[Any] = []
    hub.play(script)
    with BlockingClient(hub.url, proxy=None, call=gui.put) as client:

        def show(value: Any) -> None:
            got.append((value, threading.current_thread(), client.mutation("m")))

        handle = client.subscribe("list", None, show)
        gui.get(timeout=PATIENCE)()
        assert got == [("value", threading.current_thread(), "from the callback")]
        handle.close()


def test_a_callback_that_would_wait_for_itself_is_told_so(hub: PeerThread) -> None:
    async def script(connection: PeerConnection) -> None:
        await connection.give("list", "value", 5)

    errors: queue.Queue[Exception] = queue.Queue()
    hub.play(script)
    with BlockingClient(hub.url, proxy=None) as client:

        def show(value: Any) -> None:
            try:
                client.query("other")
            except Exception as error:
                errors.put(error)

        client.subscribe("list", None, show)
        assert "cannot wait" in str(errors.get(timeout=PATIENCE))


def test_a_callback_that_fails_does_not_end_the_subscription(hub: PeerThread, caplog: pytest.LogCaptureFixture) -> None:
    async def script(connection: PeerConnection) -> None:
        await connection.give("list", 1, 5)
        await failed.wait()
        await connection.give("list", 2, 6)

    failed = asyncio.Event()
    values: queue.Queue[Any] = queue.Queue()
    hub.play(script)
    with BlockingClient(hub.url, proxy=None) as client:

        def show(value: Any) -> None:
            values.put(value)
            if value == 1:
                raise RuntimeError("no window")

        client.subscribe("list", None, show)
        assert values.get(timeout=PATIENCE) == 1
        hub.run(_set(failed))
        assert values.get(timeout=PATIENCE) == 2
    assert "no window" in caplog.text


def test_closing_ends_calls_of_other_threads_and_subscriptions(hub: PeerThread) -> None:
    async def script(connection: PeerConnection) -> None:
        await connection.expect_query("list")
        await connection.expect(Mutation)

    ends: queue.Queue[Any] = queue.Queue()
    played = hub.play(script)
    client = BlockingClient(hub.url, proxy=None)
    client.subscribe("list", None, ends.put, ends.put)

    def call() -> None:
        try:
            client.mutation("m")
        except SynoviaError as error:
            ends.put(error)

    caller = threading.Thread(target=call)
    caller.start()
    played.result(PATIENCE)
    client.close()
    caller.join(PATIENCE)
    assert isinstance(ends.get(timeout=PATIENCE), ClientClosed)


def test_a_time_limit(hub: PeerThread) -> None:
    with BlockingClient(hub.url, proxy=None) as client, pytest.raises(RequestTimeout):
        client.query("slow", timeout=0.01)


def test_a_bad_address_starts_no_thread() -> None:
    before = threading.active_count()
    with pytest.raises(ValueError, match="address"):
        BlockingClient("nowhere")
    assert threading.active_count() == before


def test_what_cannot_be_reached_is_reported() -> None:
    with BlockingClient("ws://127.0.0.1:9", proxy=None) as client, pytest.raises(RequestTimeout, match="reached"):
        client.mutation("m", timeout=0.05)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_the_loop_is_a_plain_one_whatever_policy_is_set(hub: PeerThread) -> None:
    async def script(connection: PeerConnection) -> None:
        await connection.give("list", 1, 5)

    class ForeignPolicy(asyncio.DefaultEventLoopPolicy):
        """Gives loops that turn on the thread of the GUI only, as the policy of a Qt program does."""

        def new_event_loop(self) -> asyncio.AbstractEventLoop:
            raise AssertionError("a loop of the GUI, for another thread")

    hub.play(script)
    asyncio.set_event_loop_policy(ForeignPolicy())
    try:
        with BlockingClient(hub.url, proxy=None) as client:
            assert client.query("list") == 1
    finally:
        asyncio.set_event_loop_policy(None)


def test_submitted_mutations_go_out_in_the_order_of_the_calls(hub: PeerThread) -> None:
    async def script(connection: PeerConnection) -> list[int]:
        mutations = [await connection.expect(Mutation) for _ in range(50)]
        for mutation in reversed(mutations):
            await connection.answer(mutation, mutation.args["n"])
        return [mutation.args["n"] for mutation in mutations]

    played = hub.play(script)
    with BlockingClient(hub.url, proxy=None) as client:
        futures = [client.submit_mutation("m", {"n": n}) for n in range(50)]
        assert [future.result(PATIENCE) for future in futures] == list(range(50))
        assert played.result(PATIENCE) == list(range(50))


def test_queries_actions_and_arrays_can_be_submitted_too(hub: PeerThread) -> None:
    samples = np.arange(5.0)

    async def script(connection: PeerConnection) -> None:
        await connection.give("list", [ref_of(samples)], 5)
        await connection.expect(ModifyQuerySet)
        action = await connection.expect(Action)
        await connection.send(connection.session.send(ActionResponse(action.request_id, 3)))
        await connection.give("list", [ref_of(samples)], 6)
        await connection.send_array(await connection.expect(FetchArray), samples)

    hub.play(script)
    with BlockingClient(hub.url, proxy=None) as client:
        (ref,) = client.submit_query("list").result(PATIENCE)
        assert client.submit_action("a").result(PATIENCE) == 3
        assert client.submit_array(ref).result(PATIENCE).tolist() == samples.tolist()


def test_an_error_says_where_its_call_was_made(hub: PeerThread) -> None:
    with BlockingClient(hub.url, proxy=None) as client:
        future = client.submit_mutation("m", timeout=0.01)
        with pytest.raises(RequestTimeout) as submitted:
            future.result(PATIENCE)
        with pytest.raises(RequestTimeout) as called:
            client.query("slow", timeout=0.01)
    for error in (submitted.value, called.value):
        assert [__file__ in note for note in error.__notes__] == [True]


def test_a_call_does_not_wait_for_ever_for_a_thread_that_is_held_up(hub: PeerThread) -> None:
    async def script(connection: PeerConnection) -> None:
        await connection.give("list", "value", 5)

    held, go_on = threading.Event(), threading.Event()
    hub.play(script)
    with BlockingClient(hub.url, proxy=None, stall_timeout=0.5) as client:

        def hold(value: Any) -> None:
            held.set()
            go_on.wait(PATIENCE)

        client.subscribe("list", None, hold)
        assert held.wait(PATIENCE)
        with pytest.raises(RequestTimeout, match="a callback holds it up") as error:
            client.query("other", timeout=None)
        assert __file__ in error.value.__notes__[0]
        go_on.set()


def test_what_is_cancelled_before_it_begins_is_no_warning(hub: PeerThread, recwarn: pytest.WarningsRecorder) -> None:
    begin = threading.Event()
    with BlockingClient(hub.url, proxy=None) as client:
        client._thread.call(lambda: begin.wait(PATIENCE))
        futures = [client.submit_query("list"), client.submit_mutation("m"), client.submit_action("a")]
        assert all(future.cancel() for future in futures)
        begin.set()
    gc.collect()
    assert not recwarn.list


def test_closing_with_open_subscriptions_is_no_warning_and_calls_nothing(
    hub: PeerThread, caplog: pytest.LogCaptureFixture
) -> None:
    async def script(connection: PeerConnection) -> None:
        await connection.expect_query("list")
        listed.set()

    listed = threading.Event()
    told: list[Any] = []
    hub.play(script)
    client = BlockingClient(hub.url, proxy=None)
    client.subscribe("list", None, told.append)
    client.subscribe("list", None, told.append, told.append)
    assert listed.wait(PATIENCE)
    client.close()
    assert not told
    assert not [record for record in caplog.records if record.levelname in ("WARNING", "ERROR")]
