"""A server that offers nothing beyond ASGI is slower to let go of stalled clients; everything else is the same."""

from __future__ import annotations

import numpy as np

from helpers.sync_server import client_of, serving
from helpers.waiting import until
from synovia_protocol.arrays import ref_of
from synovia_protocol.errors import CloseCode
from synovia_protocol.events import ArrayFetched


async def test_notes_arrays_and_errors_travel_through_plain_asgi() -> None:
    samples = np.random.default_rng(1).random(200_000)
    ref = ref_of(samples)
    options = {"ws": "websockets-sansio"}
    async with serving(options=options) as running, client_of(running) as reader, client_of(running) as writer:
        assert await reader.subscribe(1, "notes:on_board", {"board": "a"}) == []
        await writer.upload(samples, ref)
        assert (await writer.mutate("notes:plot", {"board": "a", "samples": ref})).error is None
        assert [note["samples"] for note in await reader.result(1)] == [ref]
        await reader.send(reader.session.fetch_array(1, 1, ref.digest))
        fetched = await reader.until(lambda event: isinstance(event, ArrayFetched))
        assert fetched.to_numpy().tobytes() == samples.tobytes()
        await writer.send("text")
        fatal, closed_with = await writer.end()
        assert (fatal.error.code, closed_with) == ("text_frame", CloseCode.PROTOCOL_ERROR)


async def test_a_stalled_client_is_given_up_through_plain_asgi() -> None:
    async with (
        serving(options={"ws": "websockets-sansio"}, stall_timeout=0.3) as running,
        client_of(running, reads_ahead=False) as stalled,
        client_of(running) as writer,
    ):
        await stalled.subscribe(1, "notes:on_board", {"board": "a"})
        note_id = (await writer.mutate("notes:post", {"board": "a", "text": "first"})).result
        for number in range(60):
            await writer.mutate("notes:edit", {"noteId": note_id, "text": f"{number:04d}" * 75_000})
        await until(lambda: len(running.hub) == 1)
        assert (await writer.mutate("notes:post", {"board": "b", "text": "on"})).error is None
        stalled.socket.transport.abort()
