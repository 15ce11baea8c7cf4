"""Reading a table piece by piece in the order of ids, so that no piece takes long or holds much."""

from __future__ import annotations

from collections.abc import Sequence

import bson

from synovia import keys
from synovia.keys import Interval
from synovia.schema import Document

FIRST = 16
MOST_DOCUMENTS = 256
MUCH_BYTES = 1 << 20
LONG_SECONDS = 0.1


class BatchSize:
    """How many documents to read at once: more as long as they are small and quick, fewer when they are not.

    Args:
        most: Never more than so many.
    """

    def __init__(self, most: int = MOST_DOCUMENTS) -> None:
        self._most = most
        self.documents = min(FIRST, most)

    def learn(self, documents: Sequence[Document], seconds: float) -> None:
        """Take in how large a batch was, and how long it took."""
        self.learn_of(len(documents), bytes_of(documents), seconds)

    def learn_of(self, documents: int, size: int, seconds: float) -> None:
        """Take in the number of documents of a batch, their bytes, and how long it took."""
        if size > MUCH_BYTES or seconds > LONG_SECONDS:
            self.documents = max(1, self.documents // 2)
        elif documents == self.documents and 2 * size < MUCH_BYTES and 2 * seconds < LONG_SECONDS:
            self.documents = min(self._most, 2 * self.documents)


def bytes_of(documents: Sequence[Document]) -> int:
    """Tell how large documents are."""
    return sum(len(bson.encode(each)) for each in documents)


def after(key: bytes | None) -> Interval:
    """Give what follows the document with this key; None: everything."""
    everything = keys.prefix(())
    return everything if key is None else Interval(keys.after(key), everything.high)


def key_of(document: Document) -> bytes:
    """Give the key of a document in the order of ids."""
    return keys.encode_value(document["_id"])
