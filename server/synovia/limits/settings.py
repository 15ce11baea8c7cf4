"""How much one connection may ask for, and how long things may take."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

MIB = 1024 * 1024
Count = Annotated[int, Field(ge=1)]
Bytes = Annotated[int, Field(ge=1024)]
Seconds = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Delay = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class HubLimits(BaseModel):
    """Limits of the hub and of each of its connections. Sizes are in bytes, times in seconds.

    Attributes:
        max_connections: Connections of the whole hub; one more is refused at its handshake.
        max_connections_per_address: Connections from one address (IPv6: one /64), likewise.
        max_requests_per_address: HTTP requests of one address that are answered at once.
        max_messages_per_second: Messages of a connection in the long run, a mutation as three, each query as one; twice
            as many at once. Mutations and array frames beyond it are not read on; other calls fail with ``rate_limited``.
        max_messages_per_second_per_address: The same for all connections and HTTP requests of an address.
        max_bytes_per_second, max_bytes_per_second_per_address: The same for the bytes of messages and array frames.
        max_authentications_per_minute: Tokens of a connection to verify; one more fails with ``rate_limited``.
        max_authentications_per_minute_per_address: The same for an address.
        max_message_bytes: The largest message a client may send; larger ones end the connection.
        max_subscriptions: Queries in one query set; one more fails with ``limit_exceeded``.
        max_subscriptions_per_address: Queries in all query sets of an address, likewise.
        max_rooms: Rooms in which a connection is present; one more fails with ``limit_exceeded``.
        max_room_members: Clients that are shown in one room; the presence of one more ends with ``limit_exceeded``.
        max_presence_bytes: The largest state that a client shows in a room, encoded; a larger one ends its presence there
            with ``too_large``.
        max_result_bytes: The largest result of a function, encoded; a larger one fails with ``too_large``.
        max_result_elements: The most elements of a result, with all that they hold; likewise.
        max_running_queries: Queries that run at the same time; others wait, by address and connection in turn.
        max_running_queries_per_address: Those of one address.
        max_mutation_documents: Documents that one mutation writes; with one more it fails with ``mutation_too_large``.
        max_mutation_bytes: Their bytes, each time that they are written; likewise.
        max_mutation_entries: Entries of indexes that they begin and end: one for each word of a searched text; likewise.
        mutation_timeout: For a run of a mutation; then it fails with ``timeout``.
        query_timeout: For a run of a query; then it fails with ``timeout``, and a live one is tried again less often.
        max_held_bytes: What the hub keeps of the results of live queries that somebody holds, about; beyond it a query fails
            with ``limit_exceeded``, unless its address has less than an equal share.
        max_held_bytes_per_address: Those that are held by one address, likewise.
        max_remembered_bytes: What live queries keep of their last runs, about; those beyond it read all of it each time.
        max_remembered_bytes_per_address: Those that are held by one address, likewise.
        max_vector_bytes: What vector indexes keep in memory, about; searches of those beyond it read the database each time.
        max_exact_vectors: Among more vectors with the same filters than these a graph is looked through, if there is the
            library for that.
        max_lingering_bytes: What queries that nobody holds any more leave behind in memory, about; the oldest goes first.
        max_lingering_bytes_per_address: Those that were left by one address, likewise.
        max_actions: Actions running at once; one more fails with ``limit_exceeded``.
        max_running_per_address: Mutations and actions of an address running at once; another action fails with
            ``limit_exceeded``, another mutation waits.
        max_fetches: Array downloads at once; one more fails with ``limit_exceeded``.
        max_waiting_bytes: Mutations that wait for their turn; beyond it nothing more is read until one is done.
        max_waiting_mutations: The same, counted.
        max_outbox_bytes: Responses that wait to be sent; beyond it the connection ends as too slow.
        max_outbox_bytes_per_address: All that waits for slow connections of an address, in the buffers of their sockets too;
            beyond it the one for which most waits ends as too slow.
        max_outbox_bytes_of_all: The same for all connections of the hub.
        max_upload_bytes: Samples of uploads that are not complete; beyond it the connection ends.
        max_upload_bytes_per_address: The same for all connections of an address.
        max_anonymous_upload_bytes_per_hour: Samples from one address by those who have not signed in; likewise.
        max_chunks_per_address: Chunks of arrays (256 KiB) on their way to the store; beyond it nothing more is read.
        request_timeout: For the head of an HTTP request, or of a handshake, to arrive; and for each 10 KiB of its body.
        connect_timeout: From the handshake to the message Connect.
        authenticate_timeout: For a token to be verified.
        idle_timeout: Without any frame from the client, after which it is taken for gone.
        stall_timeout: For the client to take anything of what is being sent.
        resume_timeout: For the hub to catch up with the ts that a returning client has seen elsewhere.
        shutdown_delay: Between the signal to stop and the stop: at ``/health`` it says that nobody should be sent here,
            and still serves everybody.
        drain_timeout: For running requests to finish when the hub stops.
        farewell_timeout: For clients to take what waits for them when the hub stops.
        retry_spread: When the hub stops, its clients are told to come back at random within this time.
        log_timeout: For the log to bring what is committed; after that ``/health`` reports it as behind.
        health_timeout: For each part to answer ``/health``.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    max_connections: Count = 20_000
    max_connections_per_address: Count = 500
    max_requests_per_address: Count = 100
    max_messages_per_second: Count = 500
    max_messages_per_second_per_address: Count = 2_000
    max_bytes_per_second: Bytes = 16 * MIB
    max_bytes_per_second_per_address: Bytes = 32 * MIB
    max_authentications_per_minute: Count = 30
    max_authentications_per_minute_per_address: Count = 600
    max_message_bytes: Bytes = MIB
    max_subscriptions: Count = 1_000
    max_subscriptions_per_address: Count = 10_000
    max_rooms: Count = 100
    max_room_members: Count = 1_000
    max_presence_bytes: Count = 4096
    max_result_bytes: Bytes = 16 * MIB
    max_result_elements: Count = 1_000_000
    max_running_queries: Count = 64
    max_running_queries_per_address: Count = 8
    max_mutation_documents: Count = 5_000
    max_mutation_bytes: Bytes = 32 * MIB
    max_mutation_entries: Count = 200_000
    mutation_timeout: Seconds = 15.0
    query_timeout: Seconds = 8.0
    max_held_bytes: Bytes = 512 * MIB
    max_held_bytes_per_address: Bytes = 256 * MIB
    max_remembered_bytes: Bytes = 256 * MIB
    max_remembered_bytes_per_address: Bytes = 128 * MIB
    max_vector_bytes: Bytes = 512 * MIB
    max_exact_vectors: Count = 50_000
    max_lingering_bytes: Bytes = 64 * MIB
    max_lingering_bytes_per_address: Bytes = 32 * MIB
    max_actions: Count = 16
    max_running_per_address: Count = 100
    max_fetches: Count = 8
    max_waiting_bytes: Bytes = 4 * MIB
    max_waiting_mutations: Count = 256
    max_outbox_bytes: Bytes = 16 * MIB
    max_outbox_bytes_per_address: Bytes = 256 * MIB
    max_outbox_bytes_of_all: Bytes = 1024 * MIB
    max_upload_bytes: Bytes = 1024 * MIB
    max_upload_bytes_per_address: Bytes = 4096 * MIB
    max_anonymous_upload_bytes_per_hour: Bytes = 256 * MIB
    max_chunks_per_address: Count = 64
    request_timeout: Seconds = 10.0
    connect_timeout: Seconds = 10.0
    authenticate_timeout: Seconds = 10.0
    idle_timeout: Seconds = 30.0
    stall_timeout: Seconds = 20.0
    resume_timeout: Seconds = 5.0
    shutdown_delay: Delay = 0.0
    drain_timeout: Seconds = 10.0
    farewell_timeout: Seconds = 5.0
    retry_spread: Seconds = 3.0
    log_timeout: Seconds = 30.0
    health_timeout: Seconds = 2.0

    @property
    def watch_interval(self) -> float:
        """How often deadlines are looked at: often enough to be late by a quarter at most."""
        shortest = min(self.connect_timeout, self.idle_timeout, self.stall_timeout, self.resume_timeout)
        return min(1.0, shortest / 4)

    @property
    def stop_timeout(self) -> float:
        """How long a stop may take at most, the end of the process included."""
        return self.shutdown_delay + self.drain_timeout + self.farewell_timeout + 5.0

    @property
    def max_frame_bytes(self) -> int:
        """The largest frame that is read at all; up to this, a client whose message is too large is told so."""
        return 4 * self.max_message_bytes + MIB
