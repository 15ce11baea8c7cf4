"""Digests of chunks, computed beside the event loop: hashing lets Python's lock go."""

from __future__ import annotations

import asyncio
from typing import Final

from synovia import charges
from synovia_protocol.arrays import Bytes, chunk_digest

_IN_THREAD_BYTES: Final = 64 * 1024
"""Less is hashed at once: that takes no longer than to hand it to a thread."""


async def hashed(chunk: Bytes) -> bytes:
    """Give the digest of a chunk; who has caused it pays for the thread's time."""
    if len(chunk) < _IN_THREAD_BYTES:
        return chunk_digest(chunk)
    digest, seconds = await asyncio.to_thread(_timed, chunk)
    if (charge := charges.current()) is not None:
        charge.add(seconds)
    return digest


def _timed(chunk: Bytes) -> tuple[bytes, float]:
    began = charges.clock()
    return chunk_digest(chunk), charges.clock() - began
