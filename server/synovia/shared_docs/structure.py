"""The structure of an update of Yjs (encoding v1), looked at before anything else reads it.

What reads updates is fast and goes as deep as they do: values nested a hundred thousand deep, in an update of 200 kB, would
end the process. So the bytes are walked here without recursion, and only what every editor knows is let through.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

MOST_DEPTH: Final = 64
"""Lists and maps inside each other in one value."""
_MOST_CLOCK: Final = 1 << 53
_OFTEN: Final = 32
_GC, _SKIP = 0, 10
_HAS_LEFT, _HAS_RIGHT, _HAS_KEY = 0x80, 0x40, 0x20
_NAMED_TYPES: Final = (3, 5)
_TYPES: Final = range(7)
_FIXED: Final = {127: 0, 126: 0, 124: 4, 123: 8, 122: 8, 121: 0, 120: 0}
_INTEGER, _TEXT, _MAP, _LIST, _BYTES = 125, 119, 118, 117, 116


class InvalidUpdate(ValueError):
    """Some bytes are no update that editors know."""


def walk(update: bytes) -> Iterator[None]:
    """Walk through an update, a few structs at a time.

    Raises:
        InvalidUpdate: It is none, nests deeper than ``MOST_DEPTH``, or has something behind its end.
    """
    walker = _Walker(update)
    try:
        yield from walker.structs()
        yield from walker.deletions()
    except IndexError:
        raise InvalidUpdate("it ends too early") from None
    if walker.at != len(update):
        raise InvalidUpdate("it goes on behind its end")


def only_deletes(update: bytes) -> bool:
    """Tell whether an update brings nothing new, and at most deletes something."""
    return update[:1] == b"\0"


class _Walker:
    def __init__(self, data: bytes) -> None:
        self._data = data
        self.at = 0

    def number(self) -> int:
        """Read a number of seven bits a byte, the least first."""
        data, at = self._data, self.at
        value, shift = data[at] & 0x7F, 0
        while data[at] & 0x80:
            at += 1
            shift += 7
            value |= (data[at] & 0x7F) << shift
            if shift > 49:
                break
        self.at = at + 1
        if value >= _MOST_CLOCK or data[at] & 0x80:
            raise InvalidUpdate("a number is too large")
        return value

    def byte(self) -> int:
        self.at += 1
        return self._data[self.at - 1]

    def skip(self, length: int) -> None:
        self.at += length
        if self.at > len(self._data):
            raise IndexError

    def text(self) -> None:
        self.skip(self.number())

    def structs(self) -> Iterator[None]:
        for _ in range(self.number()):
            count, _client, clock = self.number(), self.number(), self.number()
            for number in range(count):
                clock += self.struct()
                if clock >= _MOST_CLOCK:
                    raise InvalidUpdate("a clock is too large")
                if number % _OFTEN == 0:
                    yield

    def struct(self) -> int:
        """Read a struct; give how far it moves the clock of its client."""
        info = self.byte()
        kind = info & 31
        if kind in (_GC, _SKIP):
            return self.number()
        self.place(info)
        return self.content(kind)

    def place(self, info: int) -> None:
        for flag in (_HAS_LEFT, _HAS_RIGHT):
            if info & flag:
                self.number()
                self.number()
        if info & (_HAS_LEFT | _HAS_RIGHT):
            return
        if self.number() == 1:
            self.text()
        else:
            self.number()
            self.number()
        if info & _HAS_KEY:
            self.text()

    def content(self, kind: int) -> int:
        match kind:
            case 1:  # deleted
                return self.number()
            case 2 | 8:  # values as JSON, and as they are
                return self.values(kind)
            case 3 | 5:  # bytes, something embedded
                self.text()
            case 4:
                return self.letters()
            case 6:  # formatting
                self.text()
                self.text()
            case 7:
                self.shared_type()
            case _:
                raise InvalidUpdate(f"it holds content of the kind {kind}")
        return 1

    def values(self, kind: int) -> int:
        count = self.number()
        for _ in range(count):
            if kind == 2:
                self.text()
            else:
                self.value()
        return count

    def letters(self) -> int:
        length = self.number()
        begin = self.at
        self.skip(length)
        try:
            text = self._data[begin : self.at].decode("utf-8", "surrogatepass")
        except UnicodeDecodeError:
            raise InvalidUpdate("a text is not UTF-8") from None
        return len(text) + sum(1 for letter in text if letter > "\uffff") if not text.isascii() else length

    def shared_type(self) -> None:
        kind = self.number()
        if kind not in _TYPES:
            raise InvalidUpdate(f"it holds a shared type of the kind {kind}")
        if kind in _NAMED_TYPES:
            self.text()

    def value(self) -> None:
        """Read one value of any depth: for each list and map around, how many items it still has, and if these have keys."""
        around: list[tuple[int, bool]] = [(1, False)]
        while around:
            left, keyed = around.pop()
            if left == 0:
                continue
            around.append((left - 1, keyed))
            if keyed:
                self.text()
            kind = self.byte()
            if kind in (_MAP, _LIST):
                around.append((self.number(), kind == _MAP))
                if len(around) > MOST_DEPTH:
                    raise InvalidUpdate(f"its values nest deeper than {MOST_DEPTH}")
            else:
                self.scalar(kind)

    def scalar(self, kind: int) -> None:
        if kind in (_TEXT, _BYTES):
            self.text()
        elif kind == _INTEGER:
            while self.byte() & 0x80:
                pass
        elif (size := _FIXED.get(kind)) is not None:
            self.skip(size)
        else:
            raise InvalidUpdate(f"it holds a value of the kind {kind}")

    def deletions(self) -> Iterator[None]:
        for _ in range(self.number()):
            _client, count = self.number(), self.number()
            for number in range(count):
                if self.number() + self.number() >= _MOST_CLOCK:
                    raise InvalidUpdate("a clock is too large")
                if number % _OFTEN == 0:
                    yield
