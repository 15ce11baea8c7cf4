"""The library that reads updates, pycrdt, which is an extra."""

from __future__ import annotations

from typing import Final

from anyio import BrokenWorkerProcess

from synovia.processes import to_process
from synovia.shared_docs.structure import InvalidUpdate

NOTHING: Final = b"\0\0"
"""The update that changes nothing."""
SMALL: Final = 64 * 1024
"""Bytes that are merged in a few milliseconds, whatever is in them."""


async def merging(*updates: bytes) -> bytes:
    """Make one update of several, large ones in a process beside the hub's: the library keeps Python's lock meanwhile.

    Raises:
        InvalidUpdate: One of them is none.
    """
    if sum(map(len, updates)) <= SMALL:
        return merged(*updates)
    try:
        return await to_process(merged, *updates)
    except BrokenWorkerProcess as error:
        raise InvalidUpdate("it cannot be merged") from error


def merged(*updates: bytes) -> bytes:
    """Make one update of several.

    It neither needs nor applies what they build on, so nothing in them is lost, and nothing in them is followed.

    Raises:
        InvalidUpdate: One of them is none.
    """
    from pycrdt import merge_updates  # it takes as long to import as all the rest of a function

    try:
        return bytes(merge_updates(*updates))
    except ValueError as error:
        raise InvalidUpdate(str(error)) from None
    except BaseException as error:
        if not is_panic(error):
            raise
        raise InvalidUpdate("it cannot be merged") from None


def is_panic(error: BaseException) -> bool:
    """Tell whether the library has met what it did not expect; its exception has no name that could be imported."""
    return type(error).__name__ == "PanicException"
