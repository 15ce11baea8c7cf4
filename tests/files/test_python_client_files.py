"""Files with the Python client, on a real hub over real sockets."""

from __future__ import annotations

import asyncio
import io
import urllib.request
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from helpers.cutting_proxy import cutting_proxy
from helpers.http_server import APPS, Served, serving
from helpers.uploading import ADA, content
from synovia.functions.files import UPLOADS
from synovia.store.contents import all_documents
from synovia_client import BlockingClient, Client, FunctionError, RequestTimeout
from synovia_protocol.arrays import CHUNK_BYTES

CABINET = APPS / "cabinet.py"
TEXT: dict[str, Any] = {"name": "a.txt", "type": "text/plain"}


@pytest.fixture
async def served() -> AsyncIterator[Served]:
    async with serving(CABINET, development=True) as found:
        yield found


def client_of(port: int, token: Any = ADA) -> Client:
    return Client(f"ws://127.0.0.1:{port}", token=token)


async def read(url: str) -> bytes:
    def get() -> bytes:
        with urllib.request.urlopen(url) as answer:
            return bytes(answer.read())

    return await asyncio.to_thread(get)


async def stored(ada: Client, upload: str) -> bytes:
    id_ = await ada.mutation("cabinet:add", {"title": "t", "scan": upload})
    return await read(ada.file_url(await ada.query("cabinet:address", {"id": id_})))


async def test_a_path_bytes_and_an_open_file(served: Served, tmp_path: Path) -> None:
    data = content(2 * CHUNK_BYTES + 9)
    path = tmp_path / "scan 1.pdf"
    path.write_bytes(data)
    async with client_of(served.port) as ada:
        told: list[tuple[int, int]] = []
        upload = await ada.upload_file("cabinet:add", path, on_progress=lambda sent, size: told.append((sent, size)))
        assert told[0] == (0, len(data))
        assert told[-1] == (len(data), len(data))
        assert await stored(ada, upload) == data
        with path.open("rb") as file:
            file.read(100)  # wherever it stands, all of it is sent
            assert await stored(ada, await ada.upload_file("cabinet:add", file)) == data
        assert await stored(ada, await ada.upload_file("cabinet:add", b"", **TEXT)) == b""
        names = [row["file"]["name"] for row in await ada.query("cabinet:mine")]
        assert names == ["scan 1.pdf", "scan 1.pdf", "a.txt"]


@pytest.mark.slow
async def test_what_was_cut_off_goes_on_from_there(served: Served) -> None:
    data = content(11 * CHUNK_BYTES + 77)
    async with cutting_proxy(served.port, 3 * CHUNK_BYTES, 2 * CHUNK_BYTES, CHUNK_BYTES) as proxy:
        async with client_of(proxy.port) as ada:
            assert await stored(ada, await ada.upload_file("cabinet:add", data, **TEXT)) == data
        assert proxy.done == 3


async def test_refusals_say_why(served: Served, tmp_path: Path) -> None:
    async with client_of(served.port) as ada, client_of(served.port, None) as nobody:
        cases: list[tuple[dict[str, Any], str]] = [
            ({"name": "a.html"}, "file_type_refused"),
            ({**TEXT, "argument": "title"}, "invalid_arguments"),
        ]
        for wanted, code in cases:
            with pytest.raises(FunctionError) as refused:
                await ada.upload_file("cabinet:add", b"<p>", **wanted)
            assert refused.value.code == code
        with pytest.raises(FunctionError) as refused:
            await ada.upload_file("cabinet:add", bytes(3_000_001), **TEXT)
        assert (refused.value.code, refused.value.data) == ("file_too_large", {"limit": 3_000_000})
        with pytest.raises(FunctionError) as refused:
            await nobody.upload_file("cabinet:add", b"", **TEXT)
        assert refused.value.code == "unauthenticated"
        with pytest.raises(FileNotFoundError):
            await ada.upload_file("cabinet:add", tmp_path / "nothing")
        with pytest.raises(ValueError, match="any place"):
            await ada.upload_file("cabinet:add", _Pipe())


class _Pipe(io.BytesIO):
    def seekable(self) -> bool:
        return False


async def test_who_gives_up_leaves_nothing(served: Served) -> None:
    began = asyncio.Event()
    async with client_of(served.port) as ada:
        task = asyncio.create_task(
            ada.upload_file("cabinet:add", content(3_000_000), **TEXT, on_progress=lambda sent, size: began.set())
        )
        await began.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert await all_documents(served.app.store, UPLOADS.name) == []


async def test_without_progress_it_ends_in_time(served: Served) -> None:
    class Away(io.BytesIO):
        """A file after whose first bytes the hub stops to take any."""

        def read(self, size: int | None = -1, /) -> bytes:
            served.app.hub.requests.stopping = True
            return super().read(size)

    async with client_of(served.port) as ada:
        with pytest.raises(RequestTimeout):
            await ada.upload_file("cabinet:add", Away(content(100)), **TEXT, timeout=0.2)
        served.app.hub.requests.stopping = False


async def test_programs_without_a_loop_upload_too(served: Served, tmp_path: Path) -> None:
    path = tmp_path / "x.txt"
    path.write_bytes(b"hello")

    def program() -> str:
        with BlockingClient(f"ws://127.0.0.1:{served.port}", token=ADA) as ada:
            first = ada.upload_file("cabinet:add", path)
            ada.mutation("cabinet:add", {"title": "one", "scan": first})
            second = ada.submit_file("cabinet:add", path).result()
            id_ = ada.mutation("cabinet:add", {"title": "two", "scan": second})
            return ada.file_url(ada.query("cabinet:address", {"id": id_}))

    assert await read(await asyncio.to_thread(program)) == b"hello"


PAGE = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 5\r\n\r\nhello"
BEGUN = b'HTTP/1.1 201 Created\r\nContent-Length: 14\r\n\r\n{"upload":"u"}'


def _moved(offset: bytes) -> bytes:
    return b"HTTP/1.1 204 No Content\r\nUpload-Offset: " + offset + b"\r\n\r\n"


def _elsewhere(offset: bytes) -> bytes:
    body = b'{"error": {"code": "upload_offset_mismatch", "message": "not there", "data": {"offset": ' + offset + b"}}}"
    return b"HTTP/1.1 409 Conflict\r\nContent-Length: %d\r\n\r\n" % len(body) + body


def _failed(body: bytes) -> bytes:
    return b"HTTP/1.1 400 Bad Request\r\nContent-Length: %d\r\n\r\n" % len(body) + body


@pytest.mark.parametrize(
    ("answers", "message"),
    [
        ([PAGE], "HTTP status 200, but no answer of a hub"),
        ([_failed(b'{"error": "a text"}')], "HTTP status 400"),
        ([_failed(b"null")], "HTTP status 400"),
        ([BEGUN, PAGE], "HTTP status 200, but no answer of a hub"),
        ([BEGUN, _moved(b"12")], "HTTP status 204, but no answer of a hub"),
        ([BEGUN, _moved(b"-1")], "HTTP status 204, but no answer of a hub"),
        ([BEGUN, _moved(b"9" * 5000)], "HTTP status 204, but no answer of a hub"),
        ([BEGUN, _elsewhere(b"-1")], "not there"),
        ([BEGUN, _elsewhere(b"6")], "not there"),
        ([BEGUN, _elsewhere(b"true")], "not there"),
    ],
)
async def test_what_answers_in_place_of_a_hub_ends_the_upload(answers: list[bytes], message: str) -> None:
    left = list(answers)

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        writer.write(left.pop(0) if left and head.startswith((b"POST", b"PATCH")) else PAGE)
        await writer.drain()
        writer.close()

    async with (
        await asyncio.start_server(answer, "127.0.0.1", 0) as server,
        Client(f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}") as client,
    ):
        with pytest.raises(FunctionError, match=message) as caught:
            await client.upload_file("cabinet:add", b"hello", **TEXT)
    assert caught.value.code in ("http_error", "upload_offset_mismatch")


async def test_a_hub_that_keeps_nothing_is_asked_less_and_less_often() -> None:
    asked = 0

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal asked
        head = await reader.readuntil(b"\r\n\r\n")
        asked += head.startswith(b"PATCH")
        writer.write(BEGUN if head.startswith(b"POST") else [_moved(b"0"), _elsewhere(b"0"), _moved(b"1")][asked % 3])
        await writer.drain()
        writer.close()

    async with (
        await asyncio.start_server(answer, "127.0.0.1", 0) as server,
        Client(f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}") as client,
    ):
        with pytest.raises(RequestTimeout):
            await client.upload_file("cabinet:add", b"hello", timeout=1.5, **TEXT)
    assert asked <= 8
