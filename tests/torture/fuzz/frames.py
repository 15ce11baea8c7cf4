"""Frames of every kind: well made ones with odd contents, damaged ones, and noise."""

from __future__ import annotations

import random
import struct
from collections.abc import Callable
from typing import Any

import numpy as np

from synovia_protocol import codec
from synovia_protocol import messages as m
from synovia_protocol.arrays import encode_frame, frames_of, ref_of

PATHS = (
    "counters:increment",
    "counters:all_of_them",
    "registers:transact",
    "accounts:transfer",
    "accounts:on_side",
    "guards:leave",
    "names:claim_seat",
    "no:such",
    "",
    "counters",
    ":",
    "x" * 300,
    "\u0000\uffff",
)
EXTREMES = (0, 1, 2, 127, 128, 2**31 - 1, 2**31, 2**32 - 1, 2**53, 2**63 - 1)


class Frames:
    """Draws frames from a seed."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self._ids = 0
        self._makers: list[Callable[[], m.ClientMessage]] = [
            self._ping,
            self._authenticate,
            self._modify,
            self._mutation,
            self._mutation,
            self._action,
            self._fetch,
            self._cancel,
        ]

    def connect(self) -> bytes:
        """Give a first frame that a hub accepts."""
        newest = self.random.choice([None, None, None, 0, 2**62])
        return codec.encode(m.Connect(self.random.randbytes(16), m.PROTOCOL_VERSION, newest, "fuzzer"))

    def frame(self) -> bytes:
        """Give any frame."""
        chance = self.random.random()
        if chance < 0.80:
            return self.message()
        if chance < 0.86:
            return self._samples()
        if chance < 0.97:
            return self.damaged(self.message() if chance < 0.94 else self._samples())
        return self.noise()

    def message(self) -> bytes:
        """Give a message that is one, whatever it says."""
        return codec.encode(self.random.choice(self._makers)())

    # --- messages

    def _id(self) -> int:
        if self.random.random() < 0.05:
            return self.random.choice(EXTREMES) % 2**31
        self._ids += 1
        return self._ids

    def _ping(self) -> m.Ping:
        return m.Ping(self.random.choice(EXTREMES) % 2**32)

    def _authenticate(self) -> m.Authenticate:
        return m.Authenticate(self.random.choice([None, "", "dev:eve@example.org", "x" * 5000, "\u202e"]))

    def _modify(self) -> m.ModifyQuerySet:
        adds = [self._add() for _ in range(self.random.randrange(4))]
        removes = [self._id()] if self.random.random() < 0.05 else []
        return m.ModifyQuerySet(tuple(adds), tuple(removes))

    def _add(self) -> m.QueryAdd:
        digest = self.random.choice([None, None, bytes(16)])
        journal = self.random.choice([None, None, None, b"", b"\xc1", self.random.randbytes(9)])
        return m.QueryAdd(self._id(), self.random.choice(PATHS), self._args(), digest, journal)

    def _mutation(self) -> m.Mutation:
        return m.Mutation(self._id(), self.random.choice(PATHS), self._args(), self.random.random() < 0.2)

    def _action(self) -> m.Action:
        return m.Action(self._id(), self.random.choice(PATHS), self._args())

    def _fetch(self) -> m.FetchArray:
        start = self.random.choice(EXTREMES)
        return m.FetchArray(self._id(), self._id(), self.random.randbytes(32), start, None, None)

    def _cancel(self) -> m.CancelFetch:
        return m.CancelFetch(self._id())

    def _args(self) -> dict[str, Any]:
        fitting: list[dict[str, Any]] = [
            {},
            {"name": f"fuzz{self.random.randrange(20)}"},
            {"side": self.random.randrange(100)},
            {"read": ["r0"], "append": [], "item": 1},
            {"ref": "f", "source": "a0", "target": "a0", "amount": self.random.choice([0, -5, 2**63 - 1])},
        ]
        if self.random.random() < 0.6:
            return self.random.choice(fitting)
        return {self._text(): self._value(3) for _ in range(self.random.randrange(4))}

    def _value(self, depth: int) -> Any:
        kinds: list[Callable[[], Any]] = [
            lambda: None,
            lambda: self.random.choice([True, False]),
            lambda: self.random.choice(EXTREMES) * self.random.choice([1, -1]),
            lambda: struct.unpack("<d", self.random.randbytes(8))[0],
            self._text,
            lambda: self.random.randbytes(self.random.randrange(20)),
            lambda: m.ArrayRef(self.random.randbytes(32), "float64", (self.random.randrange(5),)),
        ]
        if depth:
            kinds.append(lambda: [self._value(depth - 1) for _ in range(self.random.randrange(4))])
            kinds.append(lambda: {self._text(): self._value(depth - 1) for _ in range(self.random.randrange(3))})
        return self.random.choice(kinds)()

    def _text(self) -> str:
        return self.random.choice(["name", "side", "$where", "__proto__", "a.b", "", "\u0000", "é" * 40, "_id"])

    # --- arrays

    def _samples(self) -> bytes:
        array = np.frombuffer(self.random.randbytes(8 * self.random.randrange(1, 30)), dtype="<f8")
        (frame,) = frames_of(array, ref_of(array))
        return encode_frame(frame)

    # --- damage

    def damaged(self, frame: bytes) -> bytes:
        """Damage a frame as links and liars do."""
        ways = (self._flip, self._truncate, self._insert, self._stretch, self._splice, self._nest)
        for _ in range(self.random.randint(1, 3)):
            frame = self.random.choice(ways)(frame)
        return frame

    def _place(self, frame: bytes) -> int:
        return self.random.randrange(len(frame) + 1)

    def _flip(self, frame: bytes) -> bytes:
        changed = bytearray(frame)
        for _ in range(self.random.randint(1, 4)):
            if changed:
                changed[self.random.randrange(len(changed))] ^= 1 << self.random.randrange(8)
        return bytes(changed)

    def _truncate(self, frame: bytes) -> bytes:
        return frame[: self._place(frame)]

    def _insert(self, frame: bytes) -> bytes:
        place = self._place(frame)
        return frame[:place] + self.random.randbytes(self.random.randint(1, 9)) + frame[place:]

    def _stretch(self, frame: bytes) -> bytes:
        """Claim a length that is not there."""
        place = self._place(frame)
        kind = self.random.choice([b"\xdd", b"\xdf", b"\xdb", b"\xc6", b"\xc9", b"\xde", b"\xdc"])
        size = self.random.choice([2**32 - 1, 2**31, 2**24, 2**16 - 1])
        return frame[:place] + kind + struct.pack(">I", size) + frame[place + 1 :]

    def _splice(self, frame: bytes) -> bytes:
        other = self.message()
        return frame[: self._place(frame)] + other[self._place(other) :]

    def _nest(self, frame: bytes) -> bytes:
        place = self._place(frame)
        return (
            frame[:place]
            + self.random.choice([b"\x91", b"\x81\xa0"]) * self.random.choice([60, 70, 3000])
            + frame[place:]
        )

    def noise(self) -> bytes:
        """Give bytes that mean nothing."""
        return self.random.randbytes(self.random.choice([0, 1, 3, 20, 400]))
