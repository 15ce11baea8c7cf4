"""Chunks in an object store: each once, found again after a break, and swept with what nobody refers to."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest

from helpers.http_server import APPS, serving
from helpers.s3_server import BUCKET, S3Server, is_installed, s3_server
from helpers.uploading import ADA, address, begin, content, paper, send
from synovia.store import StoreUnavailable, open_store
from synovia.store.base import ObjectsUnavailable, Store
from synovia.store.objects import SMALL
from synovia.store.s3 import S3Objects
from synovia_protocol.arrays import CHUNK_BYTES, chunk_digest

obstore: Any = pytest.importorskip("obstore")
LARGE, NEVER = b"x" * (SMALL + 1), 1e12


class Kept(S3Objects):
    """The same library over its memory, which a test may hold up."""

    def __init__(self) -> None:
        super().__init__("s3://bucket/prefix")
        self._bucket = obstore.store.MemoryStore()
        self.chance: random.Random | None = None

    async def put(self, name: str, data: bytes) -> None:
        await self._pause()
        await super().put(name, data)
        await self._pause()

    async def delete(self, names: Sequence[str]) -> None:
        await self._pause()
        await super().delete(names)

    async def _pause(self) -> None:
        for _ in range(self.chance.randint(0, 4) if self.chance is not None else 0):
            await asyncio.sleep(0)

    async def names(self) -> list[str]:
        return [name async for page in self.older_than(datetime.now(UTC).replace(year=9999)) for name in page]


@pytest.fixture
async def scene() -> AsyncIterator[tuple[Store, Kept]]:
    store, objects = open_store("sqlite://:memory:"), Kept()
    store.arrays.keep_in(objects)  # type: ignore[attr-defined]
    await store.open([])
    yield store, objects
    await store.close()


async def test_a_large_chunk_is_an_object_once_and_a_small_one_stays(scene: tuple[Store, Kept]) -> None:
    store, objects = scene
    small, digest = b"small", chunk_digest(LARGE)
    for data in (LARGE, small, LARGE):
        await store.arrays.put_chunk(chunk_digest(data), data)
    assert len(await objects.names()) == 1
    assert await store.arrays.get_chunk(digest) == LARGE
    assert await store.arrays.get_chunk(chunk_digest(small)) == small
    assert (await store.arrays.delete_chunks([digest], NEVER))[0] == 1
    assert (await objects.names(), await store.arrays.get_chunk(digest)) == ([], None)


async def test_what_a_break_leaves_behind_is_mended_or_swept(scene: tuple[Store, Kept]) -> None:
    store, objects = scene
    digest = chunk_digest(LARGE)
    await store.arrays.put_chunk(digest, LARGE)
    [name] = await objects.names()
    await objects.delete([name])  # as if the hub had died before it was there
    assert await store.arrays.get_chunk(digest) is None
    await store.arrays.put_chunk(digest, LARGE)
    assert await store.arrays.get_chunk(digest) == LARGE
    await objects.put(f"{digest.hex()}-{'0' * 32}", LARGE)  # as if it had died before the database knew
    await objects.put("of another program", b"")
    assert await store.arrays.delete_abandoned(NEVER / 100) == 1  # type: ignore[attr-defined]
    assert sorted(await objects.names()) == sorted([name, "of another program"])


@pytest.mark.parametrize("seed", range(6))
async def test_a_sweep_at_the_same_time_takes_no_chunk_that_is_stored_after_it(
    seed: int, scene: tuple[Store, Kept]
) -> None:
    store, objects = scene
    digest, objects.chance = chunk_digest(LARGE), random.Random(seed)
    for _ in range(5):
        storing = [store.arrays.put_chunk(digest, LARGE) for _ in range(2)]
        sweeping = [store.arrays.delete_chunks([digest], NEVER) for _ in range(2)]
        await asyncio.gather(*storing, *sweeping, return_exceptions=True)
        await store.arrays.put_chunk(digest, LARGE)
        assert await store.arrays.get_chunk(digest) == LARGE
        await store.arrays.delete_abandoned(NEVER / 100)  # type: ignore[attr-defined]
        assert len(await objects.names()) == 1
        assert await store.arrays.get_chunk(digest) == LARGE


async def test_who_is_not_told_where_the_objects_are_says_so(scene: tuple[Store, Kept]) -> None:
    store, _ = scene
    await store.arrays.put_chunk(chunk_digest(LARGE), LARGE)
    store.arrays.keep_in(None)  # type: ignore[attr-defined]
    with pytest.raises(ObjectsUnavailable, match="SYNOVIA_FILES_STORE"):
        await store.arrays.get_chunk(chunk_digest(LARGE))
    for wrong in ("s3://", "http://bucket", "s3://key:secret@bucket", "bucket"):
        with pytest.raises(StoreUnavailable, match="names no bucket"):
            open_store("sqlite://:memory:", objects=wrong)


async def test_whoever_calls_hears_that_it_is_the_store_of_files(monkeypatch: pytest.MonkeyPatch) -> None:
    async with serving(APPS / "cabinet.py") as served:
        objects = Kept()
        served.app.store.arrays.keep_in(objects)  # type: ignore[attr-defined]
        monkeypatch.setattr(objects, "_bucket", obstore.store.LocalStore("/dev/null"))
        for headers in ({}, {"Idempotency-Key": f"{uuid4()}"}):
            args = {"size": SMALL + 1, "type": "text/plain"}
            made = await served.call("mutation", "cabinet:make", args, headers=headers)
            assert (made.status, made.code) == (503, "overloaded")
            assert "store of files" in made.json["error"]["message"]


# --- on a server ------------------------------------------------------------------------------------------------------


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Any:
    if not is_installed():
        pytest.skip("the server of moto is not installed")
    with s3_server() as found:
        for name, value in found.variables().items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("SYNOVIA_FILES_STORE", f"s3://{BUCKET}/synovia")
        yield found


@pytest.mark.slow
@pytest.mark.parametrize("mongodb", [False, pytest.param(True, marks=pytest.mark.mongodb)])
async def test_files_are_kept_in_a_bucket(server: S3Server, mongodb: bool, request: pytest.FixtureRequest) -> None:
    store = "sqlite://:memory:"
    if mongodb:
        store = f"{request.getfixturevalue('mongodb_uri')}".replace(
            "/?", f"/{request.getfixturevalue('database_name')}?"
        )
    objects, data = S3Objects(f"s3://{BUCKET}/synovia"), content(3 * CHUNK_BYTES + SMALL + 5)
    far = datetime.now(UTC).replace(year=9999)
    async with serving(APPS / "cabinet.py", store=store) as served:
        upload = (await begin(served, len(data))).json["upload"]
        assert (await send(served, upload, 0, data[: 2 * CHUNK_BYTES])).status == 204
        assert (await send(served, upload, 2 * CHUNK_BYTES, data[2 * CHUNK_BYTES :])).status == 204
        added = await served.call("mutation", "cabinet:add", {"title": "t", "scan": upload}, token=ADA)
        url = await address(served, added.json["result"])
        assert (await served.ask("GET", url)).body == data
        part = await served.ask("GET", url, headers={"Range": f"bytes={CHUNK_BYTES - 3}-{CHUNK_BYTES + 2}"})
        assert (part.status, part.body) == (206, data[CHUNK_BYTES - 3 : CHUNK_BYTES + 3])
        names = [name async for page in objects.older_than(far) for name in page]
        assert len(names) == 4
        await paper(served, data, title="the same again")
        assert sorted(names) == sorted([name async for page in objects.older_than(far) for name in page])
        server.stop()
        away = await served.ask("GET", url)
        assert (away.status, away.code) == (503, "overloaded")
        assert "store of files" in away.json["error"]["message"]
        upload = (await begin(served, len(data))).json["upload"]
        assert (await send(served, upload, 0, content(len(data), seed=2))).status == 503
        made = await served.call("mutation", "cabinet:make", {"size": SMALL + 1, "type": "text/plain"})
        assert (made.status, "store of files" in made.json["error"]["message"]) == (503, True)
        assert (await served.call("query", "cabinet:mine", token=ADA)).status == 200, "all else goes on"
