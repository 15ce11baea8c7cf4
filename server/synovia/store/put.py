"""Something that is stored together with what others put at the same time, and who waits for it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field


@dataclass(slots=True, eq=False, kw_only=True)
class Put:
    """What several kinds of it have in common.

    Attributes:
        size: About how many bytes it has.
        done: Done when it is stored, or cannot be.
    """

    size: int
    done: asyncio.Future[None] = field(default_factory=lambda: asyncio.get_running_loop().create_future())

    def end(self, error: BaseException | None = None) -> None:
        """Tell whoever waits what has come of it."""
        if self.done.done():
            return
        if error is None:
            self.done.set_result(None)
        else:
            self.done.set_exception(error)
