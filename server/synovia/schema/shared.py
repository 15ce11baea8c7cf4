"""Texts and structures of a row that several people edit at once, as a table declares them."""

from __future__ import annotations

from collections.abc import Iterator
from copy import copy
from dataclasses import dataclass
from functools import cache
from hashlib import blake2b
from importlib.util import find_spec
from typing import Any, Final

from synovia.errors import SchemaError

MIB: Final = 1024 * 1024
MOST_BYTES: Final = 8 * MIB
"""No shared document may have more: all of it is one result of a query."""
HOW: Final = "shared documents need pycrdt: pip install 'synovia[shared]'"
_LONGEST: Final = 200


@dataclass(frozen=True)
class SharedDoc:
    """A document of Yjs that belongs to each row of a table: ``body: ClassVar[SharedDoc] = SharedDoc()``.

    It is no field: rows do not hold it, and those that are there already have one, which is empty. ``ctx.shared`` reads
    and changes it. When its row is deleted for good, it is, too.

    Args:
        max_bytes: What one may have, encoded; at most 8 MiB.

    Attributes:
        table: The table whose rows have it.
        name: What it is called there.

    Raises:
        SchemaError: It cannot be so, or pycrdt is not installed.
    """

    max_bytes: int = 4 * MIB
    table: Any = None
    name: str = ""

    def __post_init__(self) -> None:
        if not 1024 <= self.max_bytes <= MOST_BYTES:
            raise SchemaError(f"a SharedDoc has between 1,024 and {MOST_BYTES:,} bytes, not {self.max_bytes:,}")
        if find_spec("pycrdt") is None:
            raise SchemaError(HOW)

    def __set_name__(self, owner: type, name: str) -> None:
        object.__setattr__(self, "name", name)

    def __get__(self, row: object, table: type) -> SharedDoc:
        return self.of(table)

    def of(self, table: type) -> SharedDoc:
        """Give what a table has by this declaration, which has been checked: functions ask for it at every call."""
        found = copy(self)
        object.__setattr__(found, "table", table)
        return found

    def key(self, id_: str) -> str:
        """Give the name of the document of a row."""
        plain = f"{self.table.spec.name}.{self.name}:{id_}"
        return plain if len(plain) <= _LONGEST else blake2b(plain.encode(), digest_size=24).hexdigest()


@cache
def shared_docs_of(table: type) -> tuple[SharedDoc, ...]:
    """List the shared documents that each row of a table has."""
    return tuple(_declared(table))


def _declared(table: type) -> Iterator[SharedDoc]:
    names = dict.fromkeys(name for base in table.__mro__ for name in vars(base))
    for name in names:
        declared = next(vars(base)[name] for base in table.__mro__ if name in vars(base))
        if isinstance(declared, SharedDoc):
            yield declared.of(table)
