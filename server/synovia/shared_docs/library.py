"""The library that reads updates, pycrdt, which is an extra."""

from __future__ import annotations

from typing import Final

from synovia.shared_docs.structure import InvalidUpdate

NOTHING: Final = b"\0\0"
"""The update that changes nothing."""


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
