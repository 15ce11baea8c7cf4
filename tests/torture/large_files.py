"""``python -m torture.large_files``: a large file into a hub that is killed on the way, and out again; on both stores.

The Python client uploads a file of random bytes; when half of it is there the hub is killed and started again on the same
port, and the client goes on by itself. Then the file is read by its address, and has to be the same. What is printed of
memory is the most that each process of the hub had (``VmHWM``; Linux only). Exit code 1 if something is not so.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import os
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path
from urllib.parse import urlsplit

from helpers.mongod import free_port, running_mongod
from synovia_client import Client
from torture.large_export import MEGABYTE, peak_of
from torture.processes import UNLIMITED

CABINET = Path(__file__).parents[1] / "apps" / "cabinet.py"
STARTING_SECONDS = 300.0


def started(store: str, port: int) -> subprocess.Popen[bytes]:
    """Start a hub; clients wait for it by themselves."""
    command = [sys.executable, "-m", "synovia.cli", "dev", str(CABINET), "--port", str(port), "--store", store]
    return subprocess.Popen(
        [*command, "--no-reload"], env={**os.environ, **UNLIMITED}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )


def written(path: Path, megabytes: int) -> str:
    """Write a file of random bytes, and give its digest."""
    digest = hashlib.sha256()
    with path.open("wb") as file:
        for _ in range(megabytes):
            block = os.urandom(MEGABYTE)
            digest.update(block)
            file.write(block)
    return digest.hexdigest()


def digest_at(url: str) -> str:
    """Read what is at an address, and give its digest."""
    digest = hashlib.sha256()
    with urllib.request.urlopen(url) as answer:
        while block := answer.read(MEGABYTE):
            digest.update(block)
    return digest.hexdigest()


async def over(store: str, file: Path, size: int, expected: str) -> None:
    """Upload a file to a hub that is killed on the way, and read it again."""
    port = free_port()
    hubs = [started(store, port)]
    peaks: list[int] = []
    half = asyncio.Event()
    try:
        async with Client(f"ws://127.0.0.1:{port}") as client:
            await client.connected(STARTING_SECONDS)
            began = time.monotonic()
            uploading = asyncio.create_task(
                client.upload_file(
                    "cabinet:keep", file, type="video/mp4", timeout=STARTING_SECONDS,
                    on_progress=lambda sent, size: half.set() if sent > size / 2 else None,
                )
            )  # fmt: skip
            await half.wait()
            seconds = time.monotonic() - began
            peaks.append(peak_of(hubs[-1].pid))
            hubs[-1].kill()
            hubs[-1].wait()
            hubs.append(started(store, port))
            upload = await uploading
            await client.mutation("cabinet:keep", {"upload": upload})
            [address] = await client.query("cabinet:blobs")
            peaks.append(peak_of(hubs[-1].pid))
            began = time.monotonic()
            if await asyncio.to_thread(digest_at, client.file_url(address)) != expected:
                sys.exit("what has come back is not what was sent")
            reading = time.monotonic() - began
            peaks.append(peak_of(hubs[-1].pid))
    finally:
        for hub in hubs:
            hub.kill()
            hub.wait()
    half_size = size / 2 / MEGABYTE
    print(
        f"{urlsplit(store).scheme}: {size / MEGABYTE:,.0f} MB, the first half at {half_size / seconds:,.0f} MB/s,"
        f" all of it read at {size / MEGABYTE / reading:,.0f} MB/s; the hub's memory at most {peaks[0] / MEGABYTE:,.0f} MB"
        f" until it was killed, {peaks[1] / MEGABYTE:,.0f} MB with the rest, {peaks[2] / MEGABYTE:,.0f} MB at the end",
        flush=True,
    )


def main() -> None:
    """Do it, and print what it took."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--megabytes", type=int, default=2_000)
    parser.add_argument("--store", choices=["mongodb", "sqlite"], help="by default one after the other")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="synovia-files-") as name:
        folder, size = Path(name), given.megabytes * MEGABYTE
        expected = written(folder / "film.mp4", given.megabytes)
        if given.store != "mongodb":
            asyncio.run(over(f"sqlite:///{folder / 'hub.db'}", folder / "film.mp4", size, expected))
            (folder / "hub.db").unlink()
        if given.store != "sqlite":
            with running_mongod() as uri:
                url = urlsplit(uri)._replace(path=f"/files_{os.getpid()}").geturl()
                asyncio.run(over(url, folder / "film.mp4", size, expected))


if __name__ == "__main__":
    main()
