"""The synchronous face tells what changed together in one go, the newest only, and nothing after the end."""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from client.peer import PeerConnection
from client.peer_thread import PeerThread
from helpers.patience import PATIENCE
from synovia_client import (
    BlockingClient,
    Change,
    ConnectionFailed,
    ItemEdits,
    OptimisticStore,
    SubscriptionHandle,
    SynoviaError,
    Transition,
)
from synovia_client.changes import Outcome
from synovia_client.delivery import Delivery
from synovia_protocol.errors import ErrorInfo
from synovia_protocol.messages import Mutation, QueryPatch, QueryValue
from synovia_protocol.patch import diff

ROWS = [{"_id": name, "text": "a longer text than an edit"} for name in "abc"]


@pytest.fixture
def hub() -> Iterator[PeerThread]:
    hub = PeerThread()
    yield hub
    hub.stop()


class Gui:
    """The loop of a user interface: callbacks wait here until it turns."""

    def __init__(self) -> None:
        self.calls: queue.Queue[Callable[[], None]] = queue.Queue()

    def turn(self) -> None:
        """Run one call, once there is one."""
        self.calls.get(timeout=PATIENCE)()


async def changing_together(connection: PeerConnection, rounds: int) -> None:
    """Give two queries their rows, turn both lists round in each of some transitions, and answer a mutation at the end."""
    queries = [await connection.expect_query(path) for path in ("first", "second")]
    await connection.transition(5, *[QueryValue(query.query_id, ROWS) for query in queries])
    mutation = await connection.expect(Mutation)
    old = ROWS
    for number in range(rounds):
        new = [*old[1:], old[0]]
        await connection.transition(6 + number, *[QueryPatch(q.query_id, (diff(old, new),)) for q in queries])
        old = new
    await connection.answer(mutation, "done", 5 + rounds)


def test_a_busy_program_is_told_once_of_the_newest_and_of_all_of_it(hub: PeerThread) -> None:
    gui = Gui()
    transitions: list[Transition] = []
    seen: list[tuple[Any, Any]] = []
    hub.play(lambda connection: changing_together(connection, 200))
    with BlockingClient(hub.url, proxy=None, call=gui.calls.put) as client:
        handles: list[SubscriptionHandle] = []
        changes: list[Change[Any]] = []
        client.on_transition(transitions.append)  # before anything may come
        first = client.subscribe("first", None, lambda value: seen.append((value, handles[1].value)))
        second = client.subscribe("second", None, on_change=changes.append)
        handles += [first, second]
        gui.turn()
        assert seen == [(ROWS, ROWS)]
        assert client.submit_mutation("m").result(PATIENCE) == "done"
        gui.turn()
        assert gui.calls.empty(), "200 transitions while the interface was busy are one call"
        last = ROWS[200 % 3 :] + ROWS[: 200 % 3]
        assert seen == [(ROWS, ROWS), (last, last)]
        edits = changes[-1].edits
        assert isinstance(edits, ItemEdits)
        assert (edits.went, edits.came, edits.changed, len(edits.moved)) == ([], {}, {}, 1)
        assert [sorted(path for path, _, _ in each.changes) for each in transitions] == [["first", "second"]] * 2
        assert transitions[-1].ts == 205


def test_what_waits_to_be_told_is_not_told_after_the_end(hub: PeerThread) -> None:
    gui = Gui()
    told: list[Any] = []
    hub.play(lambda connection: changing_together(connection, 1))
    client = BlockingClient(hub.url, proxy=None, call=gui.calls.put)
    client.on_state_change(told.append)
    client.on_auth_change(told.append)
    client.on_transition(told.append)
    client.subscribe("first", None, told.append, told.append, on_change=told.append)
    client.subscribe("second", None, told.append, told.append)
    client.mutation("m")
    assert not gui.calls.empty()
    client.close()
    while not gui.calls.empty():
        gui.turn()
    assert told == []


def test_a_closed_handle_is_told_nothing_that_waits(hub: PeerThread) -> None:
    gui = Gui()
    told: list[Any] = []
    hub.play(lambda connection: changing_together(connection, 1))
    with BlockingClient(hub.url, proxy=None, call=gui.calls.put) as client:
        handle = client.subscribe("first", None, told.append)
        client.subscribe("second", None, told.append)
        client.mutation("m")
        handle.close()
        gui.turn()
        assert told == [[*ROWS[1:], ROWS[0]]]


def test_states_trouble_and_the_end_for_good_are_told(hub: PeerThread) -> None:
    async def script(connection: PeerConnection) -> None:
        await connection.expect_query("list")
        await connection.dismiss(ErrorInfo("unsupported", "this server is too old for you"))

    states: list[str] = []
    errors: queue.Queue[SynoviaError] = queue.Queue()
    hub.play(script)
    with BlockingClient(hub.url, proxy=None) as client:
        client.on_state_change(states.append)
        client.subscribe("list", None, None, errors.put)
        assert isinstance(errors.get(timeout=PATIENCE), ConnectionFailed)
        assert states[-1] == "failed"
        assert client.trouble is not None
        assert "too old" in client.trouble
        assert client.unanswered == client.in_outbox == 0
        client.subscribe("list", None, None, errors.put)
        assert isinstance(errors.get(timeout=PATIENCE), ConnectionFailed)


def test_pages_are_read_from_another_thread(hub: PeerThread) -> None:
    async def script(connection: PeerConnection) -> None:
        await connection.give("page", {"items": [1, 2], "nextCursor": "next"}, 5)
        while "cursor" not in connection.queries["page"].args:
            await connection.next()
        await connection.give("page", {"items": [3], "nextCursor": None}, 6)

    gui = Gui()
    told: list[Any] = []
    hub.play(script)
    with BlockingClient(hub.url, proxy=None, call=gui.calls.put) as client:
        pages = client.subscribe_pages("page", {}, told.append, page_size=2)
        gui.turn()
        assert (told, pages.status) == ([[1, 2]], "CanLoadMore")
        pages.load_more()
        while pages.status != "Exhausted":
            gui.turn()
        assert pages.value == [1, 2, 3]


def test_an_optimistic_update_is_shown_until_the_mutation_fails(hub: PeerThread) -> None:
    async def script(connection: PeerConnection) -> None:
        await connection.give("list", [1], 5)
        await connection.expect(Mutation)
        await shown.wait()
        connection.cut()

    def append(store: OptimisticStore, args: dict[str, Any]) -> None:
        store.set_query("list", None, [*store.get_query("list"), args["item"]])

    shown = asyncio.Event()
    values: queue.Queue[Any] = queue.Queue()
    hub.play(script)
    with BlockingClient(hub.url, proxy=None) as client:
        client.subscribe("list", None, values.put)
        assert values.get(timeout=PATIENCE) == [1]
        future = client.submit_mutation("add", {"item": 2}, optimistic_update=append)
        assert values.get(timeout=PATIENCE) == [1, 2]
        hub.run(_set(shown))
        future.cancel()
        assert values.get(timeout=PATIENCE) == [1]


async def _set(event: asyncio.Event) -> None:
    event.set()


def test_a_callback_on_the_clients_thread_cannot_close_the_client(hub: PeerThread) -> None:
    errors: queue.Queue[Exception] = queue.Queue()
    hub.play(lambda connection: connection.give("list", 1, 5))
    with BlockingClient(hub.url, proxy=None) as client:

        def close(value: Any) -> None:
            try:
                client.close()
            except Exception as error:
                errors.put(error)

        client.subscribe("list", None, close)
        assert "cannot end that thread" in str(errors.get(timeout=PATIENCE))
    assert not any(thread.name == "synovia-client" for thread in threading.enumerate())


def test_a_call_that_runs_amid_a_transition_tells_nothing_of_it() -> None:
    calls: list[Callable[[], None]] = []
    delivery = Delivery(calls.append)
    handles = [SubscriptionHandle(delivery, lambda value: None, None, None) for _ in range(2)]
    first, second, third = Outcome(1), Outcome(2), Outcome(3)
    for before, after in ((first, second), (second, third)):
        handles[0].take(Change(before, after))
        if after is third:
            calls.pop()()
            assert [handle.value for handle in handles] == [2, 2], "the third is on its way, and half of it is here"
        handles[1].take(Change(before, after))
        delivery.flush()
    calls.pop()()
    assert [handle.value for handle in handles] == [3, 3]
    assert not calls
