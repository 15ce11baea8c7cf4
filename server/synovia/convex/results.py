"""Results of live queries as Convex clients read them, written once for all who are told the same."""

from __future__ import annotations

from synovia.convex.functions import ConvexFunction
from synovia.convex.messages import Result
from synovia.sync.ports import Version

_ENTRY_BYTES = 300  # what an entry costs beside its text, roughly


class ResultCache:
    """The last few written results, by their version.

    Keys are the addresses of versions; entries keep the versions, so that no other object can have them meanwhile,
    and count what these keep.

    Args:
        max_bytes: What is kept; beyond it everything is dropped, as what is written again costs little.
    """

    def __init__(self, max_bytes: int = 16 * 1024 * 1024) -> None:
        self._max_bytes = max_bytes
        self._bytes = 0
        self._known: dict[int, tuple[Version, Result]] = {}

    def result(self, function: ConvexFunction, version: Version) -> Result:
        """Write the result of a query."""
        known = self._known.get(id(version))
        if known is not None:
            return known[1]
        result = Result(function.result(version.packed, version.error), function.logged(version.log_lines))
        size = _ENTRY_BYTES + version.size + (len(result.value) if isinstance(result.value, str) else 0)
        if self._bytes + size > self._max_bytes:
            self._known.clear()
            self._bytes = 0
        self._known[id(version)] = version, result
        self._bytes += size
        return result
