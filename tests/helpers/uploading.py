"""Files sent to a server over HTTP, request by request."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from helpers.http_server import Answer, Served

ADA, BOB = "dev:ada@example.org", "dev:bob@example.org"
BYTES = {"Content-Type": "application/octet-stream"}


def content(size: int, seed: int = 1) -> bytes:
    """Give bytes that no two chunks of have in common, the same for the same seed."""
    block = bytes((seed * 31 + each) % 251 for each in range(1021))
    return b"".join(number.to_bytes(4) + block for number in range(size // 1025 + 1))[:size]


async def begin(served: Served, size: int, *, token: str | None = ADA, **wanted: Any) -> Answer:
    """Begin an upload for ``cabinet:add``, unless something else is wanted."""
    asked = {"path": "cabinet:add", "name": "scan.pdf", "type": "application/pdf", "size": size, **wanted}
    return await served.post("/api/uploads", asked, token=token)


async def send(
    served: Served,
    upload: str,
    offset: int,
    data: bytes,
    *,
    token: str | None = ADA,
    headers: Mapping[str, str] = BYTES,
) -> Answer:
    """Send bytes of an upload."""
    sent = {**headers, "Upload-Offset": str(offset)}
    return await served.ask("PATCH", f"/api/uploads/{upload}", data, sent, token=token)


async def uploaded(served: Served, data: bytes, *, token: str | None = ADA, **wanted: Any) -> str:
    """Upload a file whole, and give the upload."""
    begun = await begin(served, len(data), token=token, **wanted)
    assert begun.status == 201, begun.body
    upload = str(begun.json["upload"])
    if data:
        assert (await send(served, upload, 0, data, token=token)).status == 204
    return upload


async def paper(served: Served, data: bytes, *, token: str = ADA, title: str = "one", **wanted: Any) -> str:
    """Upload a file and put it into a document, whose id this gives."""
    upload = await uploaded(served, data, token=token, **wanted)
    added = await served.call("mutation", "cabinet:add", {"title": title, "scan": upload}, token=token)
    assert added.status == 200, added.body
    return str(added.json["result"])


async def address(served: Served, id_: str, *, token: str = ADA, **args: Any) -> str:
    """Give the address of a document's file."""
    told = await served.call("query", "cabinet:address", {"id": id_, **args}, token=token)
    assert told.status == 200, told.body
    return str(told.json["result"])


def unlike(data: bytes) -> bytes:
    """Give as many other bytes."""
    return os.urandom(len(data))
