"""A program that keeps its mutations in an outbox, to be killed: ``outbox_program.py URL FILE PATH ARGS [SAMPLES]``.

It prints a line when the mutation is on the disk, and one with the result.
"""

from __future__ import annotations

import asyncio
import json
import sys
from typing import Any

import numpy as np

from synovia_client import Backoff, Client


async def main(url: str, file: str, path: str, args: dict[str, Any]) -> None:
    if "samples" in args:
        args["samples"] = np.arange(args["samples"], dtype=np.float64)
    async with Client(url, outbox=file, proxy=None, backoff=Backoff(0.05, 0.2)) as client:
        call = asyncio.create_task(client.mutation(path, args, timeout=None))
        while not client.in_outbox and not call.done():  # noqa: ASYNC110 (nothing tells when it is there)
            await asyncio.sleep(0.005)
        print("kept", flush=True)
        print(await call, flush=True)


if __name__ == "__main__":
    url, file, path, args = sys.argv[1:]
    asyncio.run(main(url, file, path, json.loads(args)))
