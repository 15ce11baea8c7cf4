"""How a hub is: each of its parts says it of itself, and all of that is one report.

The one place where parts are asked is ``Health``; what ``/health`` answers is its report.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any

logger = logging.getLogger("synovia")


class Level(IntEnum):
    """How bad it is; the worst of all parts is the hub's."""

    OK = 0
    DEGRADED = 1
    """Something does not work, and another hub would do no better: this one still takes clients."""
    FAILING = 2
    STOPPING = 3


@dataclass(frozen=True, slots=True)
class PartHealth:
    """What a part says of itself.

    Attributes:
        status: ``ok``, ``off``, or what is wrong, in words.
        permanent: Waiting does not mend it, somebody has to.
        figures: What else the report tells of the part, by the names it has in JSON.
    """

    status: str = "ok"
    level: Level = Level.OK
    permanent: bool = False
    figures: Mapping[str, Any] = field(default_factory=dict)


Part = Callable[[], Awaitable[PartHealth]]


class Health:
    """Asks the parts: the first, on whose word that of others may rest, and then all others at once.

    Args:
        timeout: Seconds that each of them may take.
    """

    def __init__(self, timeout: float) -> None:
        self._timeout = timeout
        self._parts: dict[str, Part] = {}

    def add(self, name: str, part: Part) -> None:
        """Let a part be asked; its status stands in the report under this name."""
        self._parts[name] = part

    async def report(self) -> dict[str, Any]:
        """Ask every part.

        Returns:
            ``status`` of the whole, ``faults`` with their parts, and the status and the figures of each part.
        """
        parts: dict[str, PartHealth] = {}
        for some in (list(self._parts.items())[:1], list(self._parts.items())[1:]):
            told = await asyncio.gather(*(self._ask(name, part) for name, part in some))
            parts |= dict(zip((name for name, _ in some), told, strict=True))
        worst = max((part.level for part in parts.values()), default=Level.OK)
        report: dict[str, Any] = {
            "status": worst.name.lower(),
            "faults": [
                {"part": name, "fault": part.status, "permanent": part.permanent}
                for name, part in parts.items()
                if part.level in (Level.DEGRADED, Level.FAILING)
            ],
        }
        for name, part in parts.items():
            report |= {name: part.status, **part.figures}
        return report

    async def _ask(self, name: str, part: Part) -> PartHealth:
        try:
            async with asyncio.timeout(self._timeout):
                return await part()
        except TimeoutError:
            return PartHealth(f"no answer within {self._timeout:g} s", Level.FAILING)
        except Exception as error:
            logger.exception("how %s is could not be found out", name)
            return PartHealth(f"{type(error).__name__}: {error}", Level.FAILING)
