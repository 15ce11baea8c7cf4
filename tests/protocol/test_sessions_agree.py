"""Random walks of both ends: whatever one session lets out, the other takes, however late it comes."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable

import numpy as np
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from helpers.examples import examples
from protocol.session_pair import Pair, patch_of, unchanged, value_of
from synovia_protocol import messages as m
from synovia_protocol.arrays import ref_of
from synovia_protocol.codec import pack, pack_update
from synovia_protocol.errors import ErrorInfo
from synovia_protocol.sessions import ClientSession, ResyncNeeded, ServerEvent, ServerSession, SessionError

ERROR = ErrorInfo("forbidden", "not yours")
DIGEST = bytes(range(32))
SAMPLES = np.arange(3.0)
ids = st.integers(1, 2)
openings = st.sampled_from(["open", "open", "asked", "new"])


class Walk(RuleBasedStateMachine):
    """Both ends try whatever comes to mind, and frames wait on the way; what a session refuses to send is not sent."""

    def __init__(self) -> None:
        super().__init__()
        self.next_query = 1
        self.connected(Pair())

    def connected(self, pair: Pair) -> None:
        self.pair = pair
        self.to_server: deque[bytes] = deque()
        self.to_client: deque[bytes] = deque()
        self.followed: set[int] = set()
        self.left: set[int] = set()
        self.told: dict[int, int | None] = {}
        self.from_the_start = False

    @property
    def client(self) -> ClientSession:
        return self.pair.client

    @property
    def server(self) -> ServerSession:
        return self.pair.server

    def ask(self, call: Callable[[], bytes | Iterable[bytes]]) -> bool:
        return send(call, self.to_server)

    def tell(self, call: Callable[[], bytes]) -> bool:
        return send(call, self.to_client)

    @initialize(how_far=openings)
    def begin(self, how_far: str) -> None:
        self.open(Pair(), how_far)

    def open(self, pair: Pair, how_far: str = "open") -> None:
        self.connected(pair)
        if how_far == "asked":
            self.connect()
            self.deliver_to_the_server(1)
        elif how_far == "open":
            pair.open()

    # --- the way between them

    @precondition(lambda self: self.to_server)
    @rule(frames=st.integers(1, 9))
    def deliver_to_the_server(self, frames: int) -> None:
        while self.to_server and frames and not self.server.is_over:  # then nobody reads any more
            frames -= 1
            for event in self.pair.to_server(self.to_server.popleft()):
                self.heed(event)

    def heed(self, event: ServerEvent) -> None:
        if isinstance(event, m.ModifyQuerySet):
            self.followed -= set(event.remove)
            self.followed |= {added.query_id for added in event.add}

    @precondition(lambda self: self.to_client)
    @rule(frames=st.integers(1, 9))
    def deliver_to_the_client(self, frames: int) -> None:
        while self.to_client and frames:
            frames -= 1
            try:
                self.pair.to_client(self.to_client.popleft())
            except ResyncNeeded:
                assert self.from_the_start
                self.open(Pair(self.client.restart()))

    @rule(told=st.booleans(), how_far=openings)
    def reconnect(self, told: bool, how_far: str) -> None:
        """End the connection, with a word or without; the next one opens at once or step by step."""
        if told and self.tell(lambda: self.server.send(m.FatalError(ERROR))):
            self.deliver_to_the_client(len(self.to_client))
        self.client.close()
        self.open(Pair(self.client.resume()), how_far)

    # --- what clients do

    @rule()
    def connect(self) -> None:
        self.ask(self.client.connect)

    @rule()
    def add_a_query(self) -> None:
        if self.ask(lambda: self.client.modify([m.QueryAdd(self.next_query, "a:b", {})])):
            self.next_query += 1

    @rule()
    def add_what_is_held(self) -> None:
        self.ask(lambda: self.client.modify([m.QueryAdd(query_id, "a:b", {}) for query_id in self.client.held]))

    @rule(query_id=ids)
    def remove_a_query(self, query_id: int) -> None:
        if self.ask(lambda: self.client.modify(remove=[query_id])):
            self.left.add(query_id)

    @rule(request_id=ids)
    def mutate(self, request_id: int) -> None:
        self.ask(lambda: self.client.mutation(request_id, "a:b", {}))

    @rule(request_id=ids)
    def act(self, request_id: int) -> None:
        self.ask(lambda: self.client.action(request_id, "a:b", {}))

    @rule(request_id=ids)
    def fetch(self, request_id: int) -> None:
        self.ask(lambda: self.client.fetch_array(request_id, 1, DIGEST))

    @rule(request_id=ids)
    def cancel(self, request_id: int) -> None:
        self.ask(lambda: self.client.cancel_fetch(request_id))

    @rule()
    def ping_and_sign_in(self) -> None:
        self.ask(self.client.ping)
        self.ask(lambda: self.client.authenticate("token"))

    @rule()
    def upload(self) -> None:
        self.ask(lambda: list(self.client.upload(SAMPLES, ref_of(SAMPLES))))

    # --- what servers do

    @rule()
    def welcome(self) -> None:
        self.tell(lambda: self.server.send_welcome(30))

    @rule(step=st.integers(-1, 3), queries=st.sets(ids), how=st.sampled_from(["value", "patch", "unchanged", "failed"]))
    def move(self, step: int, queries: set[int], how: str) -> None:
        now = self.server.ts + step
        told = dict(self.told)
        updates = [self.update(query_id, now, how, told) for query_id in sorted(queries & self.followed)]
        if self.tell(lambda: self.server.send_transition(now, updates)):
            self.told = told

    def update(self, query_id: int, now: int, how: str, told: dict[int, int | None]) -> bytes:
        old = told.get(query_id)
        if how == "failed":
            told[query_id] = None
            return pack_update(m.QueryFailed(query_id, ERROR))
        if how == "unchanged" and old is not None:
            return unchanged(query_id)
        told[query_id] = now
        return (
            patch_of(query_id, old, now)
            if how == "patch" and old is not None and now > self.server.ts
            else value_of(query_id, now)
        )

    @rule()
    def start_over(self) -> None:
        before = self.server.ts
        try:
            self.server.start_over()
        except SessionError:
            return
        self.from_the_start |= before > 0

    @rule(request_id=ids, failed=st.booleans())
    def answer_a_mutation(self, request_id: int, failed: bool) -> None:
        if failed:
            self.tell(lambda: self.server.send(m.MutationResponse(request_id, None, error=ERROR)))
        else:
            self.tell(lambda: self.server.send_mutation_result(request_id, 5, pack(None)))

    @rule(request_id=ids, failed=st.booleans())
    def answer_an_action(self, request_id: int, failed: bool) -> None:
        if failed:
            self.tell(lambda: self.server.send(m.ActionResponse(request_id, error=ERROR)))
        else:
            self.tell(lambda: self.server.send_action_result(request_id, pack(None)))

    @rule(request_id=ids, length=st.sampled_from([None, 0, 2, 2]))
    def answer_a_fetch(self, request_id: int, length: int | None) -> None:
        if length is None:
            self.tell(lambda: self.server.send(m.ArrayResponse(request_id, error=ERROR)))
        else:
            self.tell(lambda: self.server.send(m.ArrayResponse(request_id, "int8", (length,))))

    @rule(request_id=ids, position=st.integers(0, 1), count=st.integers(0, 2))
    def send_elements(self, request_id: int, position: int, count: int) -> None:
        frame = m.ArrayFrame(request_id, "int8", DIGEST, position, 2, memoryview(bytes(count)))
        self.tell(lambda: self.server.send_array_frame(frame))

    @rule(request_id=ids, parts=st.lists(st.tuples(st.integers(0, 1), st.integers(0, 2)), max_size=3))
    def fetch_and_answer(self, request_id: int, parts: list[tuple[int, int]]) -> None:
        self.fetch(request_id)
        self.deliver_to_the_server(len(self.to_server))
        self.answer_a_fetch(request_id, 2)
        for position, count in parts:
            self.send_elements(request_id, position, count)

    @rule(message=st.sampled_from([m.Pong(), m.AuthError(ERROR), m.Authenticated("own")]))
    def say(self, message: m.ServerMessage) -> None:
        self.tell(lambda: self.server.send(message))

    # --- what must always be so

    @invariant()
    def nothing_under_way_means_the_same_at_both_ends(self) -> None:
        if self.to_client or self.from_the_start or self.client.welcome is None:
            return
        assert (self.client.ts or 0) == self.server.ts
        for query_id in self.told.keys() - self.left:
            assert self.client.is_current(query_id)
            held = self.client.held.get(query_id)
            assert (held.value if held else None) == self.told[query_id]


def send(call: Callable[[], bytes | Iterable[bytes]], way: deque[bytes]) -> bool:
    """Put what a session lets out on its way; tell whether it did."""
    try:
        frames = call()
    except SessionError:
        return False
    way.extend([frames] if isinstance(frames, bytes) else frames)
    return True


TestWalk = Walk.TestCase
TestWalk.settings = examples(100, steps=60)
