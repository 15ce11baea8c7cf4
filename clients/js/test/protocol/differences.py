"""Print random pairs of values with the patch between them, packed, in hexadecimal: what the server would send.

``python differences.py SEED COUNT``
"""

from __future__ import annotations

import json
import random
import sys
from typing import Any

from synovia_protocol.codec import pack
from synovia_protocol.digest import digest
from synovia_protocol.patch import diff

KEYS = ["_id", "a", "b", "notes", "__proto__", "é"]


def scalar(rng: random.Random) -> Any:
    """Make something that nests nothing."""
    kinds = [
        None,
        True,
        False,
        rng.randint(-300, 300),
        rng.random(),
        float(rng.randint(-3, 3)),
        -0.0,
        2**62,
        "text",
        "",
        b"\xc1\x00",
    ]
    return rng.choice(kinds)


def value(rng: random.Random, depth: int) -> Any:
    """Make a value that nests at most ``depth`` levels."""
    kind = rng.random()
    if depth <= 0 or kind < 0.3:
        return scalar(rng)
    if kind < 0.6:
        return {key: value(rng, depth - 1) for key in rng.sample(KEYS, rng.randint(0, 4))}
    if kind < 0.8:
        return [
            {"_id": str(number), "field": value(rng, depth - 1)} for number in rng.sample(range(20), rng.randint(0, 8))
        ]
    return [value(rng, depth - 1) for _ in range(rng.randint(0, 6))]


def changed(rng: random.Random, old: Any, depth: int) -> Any:
    """Change some of a value."""
    if rng.random() < 0.1:
        return value(rng, depth)
    if isinstance(old, dict):
        return {key: changed(rng, item, depth - 1) if rng.random() < 0.3 else item for key, item in old.items()}
    if isinstance(old, list):
        items = [changed(rng, item, depth - 1) if rng.random() < 0.2 else item for item in old]
        if rng.random() < 0.3:
            rng.shuffle(items)
        return items[: rng.randint(0, len(items))] if rng.random() < 0.2 else items
    return old if rng.random() < 0.5 else scalar(rng)


def main(seed: int, count: int) -> None:
    rng = random.Random(seed)
    for _ in range(count):
        old = value(rng, 4)
        new = changed(rng, old, 4)
        case = {"old": pack(old), "patch": pack(diff(old, new)), "new": pack(new), "digest": digest(new)}
        print(json.dumps({name: packed.hex() for name, packed in case.items()}))


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
