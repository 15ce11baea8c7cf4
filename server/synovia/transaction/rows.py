"""Rows that a live query has made before: a document that did not change is not read, dumped and packed again.

Rows are frozen, so a run can be given the very objects of the run before.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import islice
from typing import Any, Final, NamedTuple, TypeVar

from synovia.schema import Document, Misfit, Table, Unreadable, read_document
from synovia.sealing.keyring import Keyring
from synovia.turns import FEW, slices_in_turns
from synovia_protocol.codec import list_head

T = TypeVar("T", bound=Table)

_SAMPLE: Final = 16
_BESIDE: Final = 400
"""The bytes of a row beside what it holds, and of its wire value beside that and its encoding."""

_NONE: frozenset[bytes] = frozenset()


class Packed(NamedTuple):
    """A wire value, its encoding, and the digests of the arrays it refers to."""

    value: Any
    packed: bytes
    arrays: frozenset[bytes]


class Row:
    """A document with what has been made of it so far. It keeps both objects alive, so that no other has their ``id()``."""

    __slots__ = ("document", "misfit", "packed", "table", "value")

    def __init__(self, document: Document, table: type[Table], keyring: Keyring | None) -> None:
        self.document = document
        self.table = table
        self.value: Table | None = None
        self.misfit: Misfit | None = None
        try:
            self.value = read_document(table, document, keyring)
        except Unreadable as error:
            self.misfit = error.misfit
        self.packed: Packed | None = None


class RowCache:
    """The rows of one run, beginning with those of the run before.

    Args:
        earlier: The cache of the run before; rows that this run does not use are forgotten with it.

    Attributes:
        keyring: Opens encrypted fields.
    """

    def __init__(self, earlier: RowCache | None = None, keyring: Keyring | None = None) -> None:
        self.keyring = keyring
        self._earlier = {} if earlier is None else earlier._by_document
        self._by_document: dict[int, Row] = {}
        self._by_value: dict[int, Row] = {}

    def row(self, table: type[T], document: Document) -> T:
        """Give the row of a document; the same object as before if the document is.

        Raises:
            Unreadable: The document does not fit its table.
        """
        place = id(document)
        row = self._by_document.get(place) or (self._earlier.get(place) if self._earlier else None)
        if row is None or row.table is not table:
            row = Row(document, table, self.keyring)
        self._by_document[place] = row
        if row.misfit is not None:
            raise Unreadable(row.misfit)
        self._by_value[id(row.value)] = row
        return row.value  # type: ignore[return-value]

    def rows(self, table: type[T], documents: Iterable[Document], passed_over: Callable[[Misfit], None]) -> list[T]:
        """Give the rows of documents, as ``row`` does; of those that do not fit somebody is told."""
        by_document, by_value, earlier, found = self._by_document, self._by_value, self._earlier, list[T]()
        for document in documents:
            place = id(document)
            row = by_document.get(place) or earlier.get(place)
            if row is None or row.table is not table:
                row = Row(document, table, self.keyring)
            by_document[place] = row
            if row.misfit is None:
                by_value[id(row.value)] = row
                found.append(row.value)  # type: ignore[arg-type]
            else:
                passed_over(row.misfit)
        return found

    def footprint(self, documents: int) -> int:
        """Estimate the bytes of the rows: what they hold takes about as much as their documents, as do their wire values.

        Args:
            documents: The bytes of the documents, which are not among these.
        """
        rows = len(self._by_document)
        some = [*islice(self._by_document.values(), 0, None, 1 + rows // _SAMPLE)]
        if not some:
            return 0
        packed = [_BESIDE + len(row.packed.packed) for row in some if row.packed is not None]
        return documents + rows * _BESIDE + (documents * len(packed) + rows * sum(packed)) // len(some)

    def forget_earlier(self) -> None:
        """Let go of what the run before has left."""
        self._earlier = {}

    async def pack(self, rows: Sequence[Table], dump: Callable[[Table], Packed]) -> Packed:
        """Dump and pack a list of rows: those of this cache once, others (changed copies) each time.

        Args:
            dump: Gives the wire value of a row, its encoding, and the arrays it refers to.

        Returns:
            The same for the whole list.
        """
        found = list[Packed]()
        if len(rows) <= FEW:
            self._pack_some(rows, dump, found)
        else:
            async for some in slices_in_turns(rows):
                self._pack_some(some, dump, found)
        arrays = [refers for _, _, refers in found if refers]
        packed = b"".join([list_head(len(rows)), *[each for _, each, _ in found]])
        return Packed([wire for wire, _, _ in found], packed, frozenset().union(*arrays) if arrays else _NONE)

    def _pack_some(self, values: Sequence[Table], dump: Callable[[Table], Packed], found: list[Packed]) -> None:
        by_value = self._by_value
        for value in values:
            row = by_value.get(id(value))
            if row is None or row.value is not value:
                found.append(dump(value))
            else:
                if row.packed is None:
                    row.packed = dump(value)
                found.append(row.packed)
