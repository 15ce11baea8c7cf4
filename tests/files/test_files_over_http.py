"""Files over HTTP: uploads in parts, broken off and carried on; downloads whole and in part; what is refused."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import unquote, urlsplit

import numpy as np
import pytest

from helpers.http_server import APPS, Answer, Served, serving
from helpers.patience import PATIENCE
from helpers.uploading import ADA, BOB, BYTES, address, begin, content, paper, send, unlike, uploaded
from helpers.waiting import until
from synovia.http.uploads import BEGUN_BYTES
from synovia.limits.settings import HubLimits
from synovia_protocol.arrays import CHUNK_BYTES, ref_of

pytestmark = pytest.mark.same_tables

CABINET = APPS / "cabinet.py"
HELLO = b"hello, file"


@pytest.fixture(params=["sqlite", pytest.param("mongodb", marks=pytest.mark.mongodb)])
async def served(request: pytest.FixtureRequest) -> AsyncIterator[Served]:
    store = "sqlite://:memory:"
    if request.param == "mongodb":
        uri, name = request.getfixturevalue("mongodb_uri"), request.getfixturevalue("database_name")
        store = urlsplit(uri)._replace(path=f"/{name}").geturl()
    async with serving(CABINET, store=store) as found:
        yield found


@pytest.fixture
async def cabinet() -> AsyncIterator[Served]:
    async with serving(CABINET) as found:
        yield found


async def read(served: Served, url: str, **headers: str) -> Answer:
    return await served.ask("GET", url, headers={name.replace("_", "-"): value for name, value in headers.items()})


async def mine(served: Served, token: str = ADA) -> Any:
    return (await served.call("query", "cabinet:mine", token=token)).json["result"]


# --- in and out -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [0, 1, CHUNK_BYTES - 1, CHUNK_BYTES, 2 * CHUNK_BYTES + 7])
async def test_a_file_comes_back_to_the_last_bit(served: Served, size: int) -> None:
    data = content(size)
    url = await address(served, await paper(served, data))
    answer = await read(served, url)
    assert (answer.status, answer.body) == (200, data)
    (row,) = await mine(served)
    digest = ref_of(np.frombuffer(data, np.uint8)).digest.hex()
    told = row["file"]
    assert (told["name"], told["type"], told["size"], told["digest"]) == ("scan.pdf", "application/pdf", size, digest)
    assert answer.headers["etag"] == f'"{digest}"'


async def test_parts_come_in_one_after_the_other_and_whoever_was_cut_off_carries_on(served: Served) -> None:
    data = content(3 * CHUNK_BYTES + 100)
    begun = await begin(served, len(data), name="long.pdf")
    upload = begun.json["upload"]
    assert (begun.headers["upload-offset"], begun.headers["upload-length"]) == ("0", str(len(data)))
    await broken_off(served, upload, data, at=2 * CHUNK_BYTES + 50)
    there = await offset_once_moved(served, upload)
    assert there == 2 * CHUNK_BYTES  # whole chunks are kept
    twice = await send(served, upload, 0, data[:CHUNK_BYTES])
    assert (twice.status, twice.code, twice.json["error"]["data"]) == (409, "upload_offset_mismatch", {"offset": there})
    rest = await send(served, upload, there, data[there:])
    assert (rest.status, rest.headers["upload-offset"]) == (204, str(len(data)))
    added = await served.call("mutation", "cabinet:add", {"title": "t", "scan": upload}, token=ADA)
    assert (await read(served, await address(served, added.json["result"]))).body == data


async def broken_off(served: Served, upload: str, data: bytes, *, at: int) -> None:
    head = (
        f"PATCH /api/uploads/{upload} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {ADA}\r\nUpload-Offset: 0\r\n"
        f"Content-Type: application/octet-stream\r\nContent-Length: {len(data)}\r\n\r\n"
    )

    def write() -> None:
        with socket.create_connection(("127.0.0.1", served.port)) as line:
            line.sendall(head.encode() + data[:at])

    await asyncio.to_thread(write)


async def offset_once_moved(served: Served, upload: str) -> int:
    async with asyncio.timeout(PATIENCE):
        while True:
            told = await served.ask("HEAD", f"/api/uploads/{upload}", token=ADA)
            if (offset := int(told.headers["upload-offset"])) > 0:
                return offset
            await asyncio.sleep(0.01)  # what the server has noticed nobody tells


async def test_two_who_send_the_same_part_at_once_leave_one_upload_that_is_right(served: Served) -> None:
    data = content(2 * CHUNK_BYTES)
    upload = (await begin(served, len(data))).json["upload"]
    answers = await asyncio.gather(*(send(served, upload, 0, data) for _ in range(3)))
    assert sorted({answer.status for answer in answers} - {409}) == [204]
    added = await served.call("mutation", "cabinet:add", {"title": "t", "scan": upload}, token=ADA)
    assert (await read(served, await address(served, added.json["result"]))).body == data


async def test_equal_contents_are_stored_once(served: Served) -> None:
    data = content(CHUNK_BYTES + 5)
    for title in ("a", "b"):
        await paper(served, data, title=title, name=f"{title}.pdf")
    assert len(await served.app.store.arrays.manifests(b"", 100)) == 1
    assert {row["file"]["name"] for row in await mine(served)} == {"a.pdf", "b.pdf"}


async def test_uploads_are_noted_by_the_commits_of_mutations(cabinet: Served) -> None:
    committer, count = cabinet.app.engine.committer, 20
    begun = [begin(cabinet, 10, path="cabinet:keep", token=None) for _ in range(count)]
    written = [cabinet.call("mutation", "cabinet:put_anything", {"value": n}) for n in range(count)]
    answers = await asyncio.gather(*begun, *written)
    assert [answer.status for answer in answers] == [201] * count + [200] * count
    assert committer.counters["committed"] >= 2 * count
    assert committer.counters["conflicts"] == 0


async def test_an_upload_can_be_given_up(cabinet: Served) -> None:
    upload = await uploaded(cabinet, HELLO)
    path = f"/api/uploads/{upload}"
    assert (await cabinet.ask("DELETE", path, token=BOB)).status == 404
    assert (await cabinet.ask("DELETE", path, token=ADA)).status == 204
    for method in ("HEAD", "GET", "DELETE"):
        assert (await cabinet.ask(method, path, token=ADA)).status == 404
    added = await cabinet.call("mutation", "cabinet:add", {"title": "t", "scan": upload}, token=ADA)
    assert (added.status, added.code) == (404, "upload_not_found")


# --- what is refused --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wanted", "status", "code"),
    [
        ({"size": 3_000_001}, 413, "file_too_large"),
        ({"size": -1}, 400, "invalid_arguments"),
        ({"size": True}, 400, "invalid_arguments"),
        ({"size": 1.5}, 400, "invalid_arguments"),
        ({"size": 2**60}, 400, "invalid_arguments"),
        ({"type": "text/html"}, 415, "file_type_refused"),
        ({"type": "image"}, 400, "invalid_arguments"),
        ({"type": "image/png\r\nx: y"}, 400, "invalid_arguments"),
        ({"name": 5}, 400, "invalid_arguments"),
        ({"digest": "00"}, 400, "invalid_arguments"),
        ({"digest": 5}, 400, "invalid_arguments"),
        ({"other": 1}, 400, "invalid_arguments"),
        ({"argument": "title"}, 400, "invalid_arguments"),
        ({"argument": 3}, 400, "invalid_arguments"),
        ({"path": "cabinet:add_other"}, 400, "invalid_arguments"),
        ({"path": "cabinet:put_anything"}, 400, "invalid_arguments"),
        ({"path": "cabinet:mine"}, 400, "wrong_kind"),
        ({"path": "cabinet:nothing"}, 404, "unknown_function"),
        ({"path": "_uploads:forget"}, 404, "unknown_function"),
        ({"token": None}, 401, "unauthenticated"),
    ],
)
async def test_uploads_that_do_not_begin(cabinet: Served, wanted: dict[str, Any], status: int, code: str) -> None:
    answer = await begin(cabinet, wanted.pop("size", 10), **wanted)
    assert (answer.status, answer.code) == (status, code)
    assert (await cabinet.app.store.arrays.manifests(b"", 9)) == []


async def test_an_argument_is_named_where_there_are_several(cabinet: Served) -> None:
    upload = await uploaded(cabinet, HELLO, path="cabinet:add_other", argument="second", type="text/html")
    taken = await cabinet.call("mutation", "cabinet:add_other", {"first": upload}, token=ADA)
    assert (taken.status, taken.code) == (400, "invalid_arguments")  # the field does not take what the argument does
    assert "text/html is not taken here" in taken.json["error"]["message"]


async def test_bytes_that_are_not_taken(cabinet: Served) -> None:
    upload = (await begin(cabinet, len(HELLO))).json["upload"]
    too_many = await send(cabinet, upload, 0, HELLO + b"!")
    assert (too_many.status, too_many.code) == (413, "too_large")
    form = await send(cabinet, upload, 0, HELLO, headers={"Content-Type": "text/plain"})
    assert (form.status, form.code) == (415, "unsupported_media_type")
    packed = await send(cabinet, upload, 0, HELLO, headers={**BYTES, "Content-Encoding": "gzip"})
    assert packed.status == 415
    nowhere = await cabinet.ask("PATCH", f"/api/uploads/{upload}", HELLO, BYTES, token=ADA)
    assert (nowhere.status, nowhere.code) == (400, "bad_header")
    for token in (BOB, None):
        foreign = await send(cabinet, upload, 0, HELLO, token=token)
        assert (foreign.status, foreign.code) == (404, "upload_not_found")
    assert (await send(cabinet, upload, 0, HELLO)).status == 204
    assert (await send(cabinet, upload, len(HELLO), b"")).status == 409
    assert (await cabinet.ask("GET", "/health/live")).status == 200


async def test_other_bytes_than_were_announced_are_refused_and_forgotten(cabinet: Served) -> None:
    data = content(1_000)
    digest = ref_of(np.frombuffer(data, np.uint8)).digest.hex()
    wrong = (await begin(cabinet, len(data), digest=digest)).json["upload"]
    answer = await send(cabinet, wrong, 0, unlike(data))
    assert (answer.status, answer.code) == (422, "file_digest_mismatch")
    assert (await send(cabinet, wrong, 0, data)).status == 404
    right = (await begin(cabinet, len(data), digest=digest)).json["upload"]
    assert (await send(cabinet, right, 0, data)).status == 204


async def test_an_upload_is_its_callers_for_its_function_whole_and_once(cabinet: Served) -> None:
    half = (await begin(cabinet, 100)).json["upload"]
    await send(cabinet, half, 0, b"x" * 50)
    other = await uploaded(cabinet, HELLO, path="cabinet:add_other", argument="first")
    good = await uploaded(cabinet, HELLO)
    for upload, token in ((half, ADA), (other, ADA), (good, BOB), ("A" * 32, ADA)):
        answer = await cabinet.call("mutation", "cabinet:add", {"title": "t", "scan": upload}, token=token)
        assert (answer.status, answer.code) == (404, "upload_not_found")
    failed = await cabinet.call("mutation", "cabinet:add", {"title": "refused", "scan": good}, token=ADA)
    assert failed.code == "not_found"
    first = await cabinet.call("mutation", "cabinet:add", {"title": "t", "scan": good}, token=ADA)
    assert first.status == 200  # the one that failed has taken nothing
    again = await cabinet.call("mutation", "cabinet:add", {"title": "t", "scan": good}, token=ADA)
    assert again.code == "upload_not_found"


async def test_what_looks_like_a_file_is_none(cabinet: Served) -> None:
    """No map that a client sends is taken for a reference to contents, be it an argument or stored."""
    await paper(cabinet, HELLO)
    (row,) = await mine(cabinet)
    of_its_subtype = {**row["file"], "file": {"$binary": {"base64": "AAAA", "subType": "80"}}}
    for forged, code in ((row["file"], "invalid_arguments"), (of_its_subtype, "bad_json")):
        answer = await cabinet.call("mutation", "cabinet:add", {"title": "t", "scan": forged}, token=ADA)
        assert (answer.status, answer.code) == (400, code)
    digest = {"$binary": {"base64": "A" * 43 + "=", "subType": "00"}}
    map_of_a_document = {"file": digest, "name": "a", "type": "text/plain", "size": 1, "uploadedAt": 1}
    stored = await cabinet.call("mutation", "cabinet:put_anything", {"value": map_of_a_document})
    assert stored.status == 200  # nor does the answer tell whether there is such content
    by_digest = await cabinet.post("/api/array", {"path": "cabinet:mine", "digest": row["file"]["digest"]}, token=ADA)
    assert by_digest.code == "array_not_found"


async def test_what_waits_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SYNOVIA_FILES_MAX_WAITING_BYTES", "3000")
    monkeypatch.setenv("SYNOVIA_FILES_MAX_BYTES", "2500")
    async with serving(CABINET) as served:
        assert (await begin(served, 2_501)).code == "file_too_large"
        first = await uploaded(served, content(2_000))
        more = await begin(served, 1_001)
        assert (more.status, more.code) == (429, "limit_exceeded")
        assert (await begin(served, 1_001, token=BOB)).status == 201
        await served.call("mutation", "cabinet:add", {"title": "t", "scan": first}, token=ADA)
        assert (await begin(served, 1_001)).status == 201


async def test_who_has_not_signed_in_may_upload_where_they_may_call(cabinet: Served) -> None:
    upload = await uploaded(cabinet, HELLO, path="cabinet:keep", token=None, type="application/x-anything")
    assert (await cabinet.call("mutation", "cabinet:keep", {"upload": upload})).status == 200
    (url,) = (await cabinet.call("query", "cabinet:blobs")).json["result"]
    assert (await read(cabinet, url)).body == HELLO


async def test_without_signing_in_no_more_uploads_are_begun_than_an_address_may_send() -> None:
    async with serving(CABINET, limits=HubLimits(max_anonymous_upload_bytes_per_hour=3 * BEGUN_BYTES)) as served:
        wanted = {"path": "cabinet:keep", "type": "text/plain"}
        for _ in range(3):
            assert (await begin(served, 1, token=None, **wanted)).status == 201
        refused = await begin(served, 1, token=None, **wanted)
        assert (refused.status, refused.code) == (429, "limit_exceeded")
        assert (await begin(served, 1, **wanted)).status == 201


# --- downloads --------------------------------------------------------------------------------------------------------


async def test_ranges(cabinet: Served) -> None:
    data = content(2 * CHUNK_BYTES + 10)
    size = len(data)
    url = await address(cabinet, await paper(cabinet, data))
    parts = {
        "bytes=0-0": (0, 1), f"bytes={CHUNK_BYTES - 2}-{CHUNK_BYTES + 1}": (CHUNK_BYTES - 2, CHUNK_BYTES + 2),
        "bytes=-5": (size - 5, size), f"bytes={size - 1}-": (size - 1, size), "bytes=5-99999999": (5, size),
        f"bytes=-{size + 9}": (0, size), "BYTES=1-2": (1, 3),
    }  # fmt: skip
    for asked, (start, stop) in parts.items():
        answer = await read(cabinet, url, Range=asked)
        assert (answer.status, answer.body) == (206, data[start:stop]), asked
        assert answer.headers["content-range"] == f"bytes {start}-{stop - 1}/{size}"
    for whole in ("bytes=9-3", "bytes=a-b", "bytes=", "rows=0-1", "bytes=0-1,4-5", "bytes=--1", "bytes=-"):
        answer = await read(cabinet, url, Range=whole)
        assert (answer.status, len(answer.body)) == (200, size), whole
    for beyond in (f"bytes={size}-", "bytes=-0", f"bytes={size + 5}-{size + 9}", f"bytes={10**17}-"):
        answer = await read(cabinet, url, Range=beyond)
        assert (answer.status, answer.headers["content-range"]) == (416, f"bytes */{size}"), beyond


async def test_conditions_and_heads(cabinet: Served) -> None:
    url = await address(cabinet, await paper(cabinet, HELLO))
    whole = await read(cabinet, url)
    tag, modified = whole.headers["etag"], whole.headers["last-modified"]
    assert parsedate_to_datetime(modified).tzinfo is not None
    assert whole.headers["accept-ranges"] == "bytes"
    head = await cabinet.ask("HEAD", url)
    varying = {"date"}
    assert (head.status, head.body) == (200, b"")
    assert {k: v for k, v in head.headers.items() if k not in varying} == {
        k: v for k, v in whole.headers.items() if k not in varying
    }
    for headers, status in (
        ({"If-None-Match": tag}, 304), ({"If-None-Match": f'"x", W/{tag}'}, 304), ({"If-None-Match": "*"}, 304),
        ({"If-None-Match": '"x"'}, 200), ({"If-Modified-Since": modified}, 304), ({"If-Modified-Since": "never"}, 200),
        ({"If-None-Match": '"x"', "If-Modified-Since": modified}, 200), ({"If-Match": '"x"'}, 412),
        ({"If-Match": f"W/{tag}"}, 412), ({"If-Match": tag}, 200), ({"If-Unmodified-Since": modified}, 200),
        ({"If-Unmodified-Since": "Mon, 01 Jan 2001 00:00:00 GMT"}, 412),
        ({"Range": "bytes=0-1", "If-Range": tag}, 206), ({"Range": "bytes=0-1", "If-Range": '"x"'}, 200),
        ({"Range": "bytes=0-1", "If-Range": modified}, 206), ({"Range": "bytes=0-1", "If-None-Match": tag}, 304),
    ):  # fmt: skip
        answer = await read(cabinet, url, **headers)
        assert answer.status == status, headers
        assert answer.headers["etag"] == tag


@pytest.mark.parametrize(
    ("kind", "shown"),
    [("image/png", True), ("text/plain", True), ("image/svg+xml", False), ("application/pdf", False)],
)
async def test_nothing_that_was_uploaded_runs_here(cabinet: Served, kind: str, shown: bool) -> None:
    upload = await paper(cabinet, b"<script>alert(1)</script>", type=kind, name="x.html")
    answer = await read(cabinet, await address(cabinet, upload))
    assert answer.headers["content-type"].partition(";")[0] == kind
    assert answer.headers["content-disposition"].partition(";")[0] == ("inline" if shown else "attachment")
    assert answer.headers["x-content-type-options"] == "nosniff"
    policy = answer.headers["content-security-policy"].split("; ")
    assert {"sandbox", "default-src 'none'"} <= set(policy)
    saved = await read(cabinet, await address(cabinet, upload, download=True))
    assert saved.headers["content-disposition"].startswith("attachment")


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ('a "b".pdf', "a _b_.pdf"),
        ("../../etc/passwd", "passwd"),
        ("C:\\temp\\x.pdf", "x.pdf"),
        ("a\r\nSet-Cookie: x=1\n.pdf", "aSet-Cookie_ x=1.pdf"),
        ("gpj.\u202efdp.exe", "gpj.fdp.exe"),
        ("Zeugnis für Jürgen – 100%.pdf", "Zeugnis für Jürgen – 100%.pdf"),
        ("報告\U0001f600.pdf", "報告\U0001f600.pdf"),
        ("\u0000\u200b..", "file"),
        ("", "file"),
        ("x" * 400 + ".pdf", "x" * 196 + ".pdf"),
    ],
)
async def test_names_can_be_shown_and_saved(cabinet: Served, given: str, kept: str) -> None:
    url = await address(cabinet, await paper(cabinet, HELLO, name=given))
    assert unquote(url.rpartition("/")[2]) == kept
    told = (await read(cabinet, url)).headers["content-disposition"]
    assert told.isascii()
    assert told.count(chr(34)) == 2
    assert unquote(told.partition("filename*=UTF-8''")[2]) == kept


async def test_an_address_is_good_for_its_time_and_cannot_be_made_up(cabinet: Served) -> None:
    id_ = await paper(cabinet, HELLO)
    url = await address(cabinet, id_)
    _, _, _, token, name = url.split("/")
    changed = ("A" if token[40] != "A" else "B").join((token[:40], token[41:]))
    other = await paper(cabinet, b"other", token=BOB)
    assert (await cabinet.call("query", "cabinet:address", {"id": other}, token=ADA)).code == "not_found"
    for bad in (changed, token[:-1], token + "A", "A" * len(token), "x" * 4000, "%00", "é", token[:32]):
        answer = await read(cabinet, f"/api/files/{bad.encode().hex() if bad == 'é' else bad}/{name}")
        assert (answer.status, answer.code) == (404, "not_found"), bad
    whole = await read(cabinet, url)
    seconds = int(whole.headers["cache-control"].partition("max-age=")[2].partition(",")[0])
    assert 1_790 <= seconds <= 3_600
    assert whole.headers["cache-control"].startswith("private")


async def test_what_is_gone_has_the_same_answer_as_what_never_was(cabinet: Served) -> None:
    id_ = await paper(cabinet, HELLO)
    url = await address(cabinet, id_)
    await cabinet.call("mutation", "cabinet:remove", {"id": id_}, token=ADA)
    await cabinet.app.engine.sweep_arrays(-5.0)
    gone, never = await read(cabinet, url), await read(cabinet, "/api/files/AAAA/x")
    assert (gone.status, gone.body) == (never.status, never.body)


async def test_pages_of_other_origins_may_upload_if_they_are_let_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SYNOVIA_ORIGINS", "https://app.example.org")
    async with serving(CABINET) as served:
        preflight = {
            "Origin": "https://app.example.org",
            "Access-Control-Request-Method": "PATCH",
            "Access-Control-Request-Headers": "authorization,content-type,upload-offset",
        }
        answer = await served.ask("OPTIONS", "/api/uploads/x", headers=preflight)
        assert answer.status == 200
        refused = await served.ask("OPTIONS", "/api/uploads/x", headers={**preflight, "Origin": "https://evil.example"})
        assert refused.status == 403


async def test_a_hub_that_stops_keeps_what_has_come(cabinet: Served) -> None:
    data = content(3 * CHUNK_BYTES)
    upload = (await begin(cabinet, len(data))).json["upload"]
    head = (
        f"PATCH /api/uploads/{upload} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {ADA}\r\nUpload-Offset: 0\r\n"
        f"Content-Type: application/octet-stream\r\nContent-Length: {len(data)}\r\n\r\n"
    )
    reader, writer = await asyncio.open_connection("127.0.0.1", cabinet.port)
    writer.write(head.encode() + data[: 2 * CHUNK_BYTES])
    await writer.drain()
    await until(lambda: cabinet.app.hub.requests._working > 0)
    cabinet.app.hub.requests.stopping = True
    writer.write(data[2 * CHUNK_BYTES : -1])
    answer = await reader.readuntil(b"\r\n")
    writer.close()
    cabinet.app.hub.requests.stopping = False
    assert b" 503 " in answer
    told = await cabinet.ask("HEAD", f"/api/uploads/{upload}", token=ADA)
    assert int(told.headers["upload-offset"]) % CHUNK_BYTES == 0
