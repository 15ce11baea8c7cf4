from __future__ import annotations

from helpers.sync_server import client_of, serving


async def test_a_note_posted_by_one_reaches_the_other_as_a_patch_before_the_response() -> None:
    async with serving() as running, client_of(running) as reader, client_of(running) as writer:
        assert await reader.subscribe(1, "notes:on_board", {"board": "a"}) == []
        assert await writer.subscribe(1, "notes:on_board", {"board": "a"}) == []
        response = await writer.mutate("notes:post", {"board": "a", "text": "hello"})
        assert response.error is None
        assert [note["text"] for note in writer.session.held[1].value] == ["hello"]
        assert [note["text"] for note in await reader.result(1)] == ["hello"]
