"""What a Convex client counts its state by: the version of its query set, a timestamp, the version of its identity."""

from __future__ import annotations

import base64
import re
import struct
from dataclasses import dataclass

from synovia.sync.ports import Ts

_CLIENT = re.compile(r"(?:(?P<name>.*?)-)?(?P<version>\d+\.\d+\.\d+(?:-[0-9A-Za-z.-]+)?(?:\+[0-9A-Za-z.-]+)?)\Z")
_CHUNKS_SINCE = (1, 28, 0)
_ENCODED_SINCE = {"npm": (1, 4, 1), "npm-cli": (1, 4, 1), "actions": (1, 4, 1), "python": (0, 5, 0)}


def ts_text(ts: Ts) -> str:
    """Write a timestamp as clients read it: eight bytes, the lowest first, in base64."""
    return base64.b64encode(struct.pack("<Q", ts)).decode()


def ts_of(text: object) -> Ts:
    """Read a timestamp.

    Raises:
        ValueError: It is none.
    """
    if not isinstance(text, str):
        raise ValueError("a timestamp is a text")
    data = base64.b64decode(text, validate=True)
    if len(data) != 8:
        raise ValueError("a timestamp has eight bytes")
    ts: int = struct.unpack("<Q", data)[0]
    return ts


@dataclass(frozen=True, slots=True)
class StateVersion:
    """How far a client is."""

    query_set: int = 0
    ts: Ts = 0
    identity: int = 0

    @property
    def json(self) -> str:
        return f'{{"querySet":{self.query_set},"ts":"{ts_text(self.ts)}","identity":{self.identity}}}'


@dataclass(frozen=True, slots=True)
class ClientVersion:
    """Which client this is, as ``npm-1.48.0``."""

    name: str
    version: tuple[int, int, int]

    @property
    def takes_chunks(self) -> bool:
        """Whether it puts the pieces of a large transition together; others take that for an error."""
        return self.name == "npm" and self.version >= _CHUNKS_SINCE

    @property
    def reads_encoded(self) -> bool:
        """Whether it expects ``convex_encoded_json`` where it does not say a format."""
        since = _ENCODED_SINCE.get(self.name)
        return since is not None and self.version >= since

    @classmethod
    def of(cls, text: str, name: str = "unknown") -> ClientVersion:
        """Read what a client calls itself; a version alone is that of the client ``name``."""
        found = _CLIENT.match(text)
        if found is None:
            return cls(text[:64], (0, 0, 0))
        numbers = re.findall(r"\d{1,9}", found["version"])
        return cls(found["name"] or name, (int(numbers[0]), int(numbers[1]), int(numbers[2])))
