"""The plan of a commit: the steps by which its writes change documents and the entries of indexes."""

from __future__ import annotations

from collections.abc import Generator, Iterable
from typing import Final

from synovia.keys import IndexSpec, ParallelArrays, after, each_key, encode_value, most_keys
from synovia.schema.specs import Document
from synovia.store.base import StoreError, Write
from synovia.store.references import added_references
from synovia.store.sqlite.catalog import Catalog
from synovia.store.sqlite.documents import body_of, dump, keys_of, load
from synovia.store.sqlite.steps import Step, StepRow

_DOCUMENTS_AT_ONCE: Final = 8
_KEYS_AT_ONCE: Final = 128
"""After so many documents, or keys of one, there is a stop."""

Claim = tuple[str, int, bytes, bytes, bytes]
"""A ``Step.CLAIM``: the number of its index, an id, and from where to where no other document may have a key."""


class Plan:
    """Finds the steps of writes.

    Attributes:
        steps: What has been found since it was last taken away.
        claims: What is to be done after all of them: a later write may give a key up.
        done: The writes with the documents as they will be stored.
        size: The bytes of these documents, before and after.
        key_bytes: Those of the keys that end and begin, wherever the steps have them.
        references: The digests of the arrays to which the writes add references.
    """

    __slots__ = ("_catalog", "claims", "done", "key_bytes", "references", "size", "steps")

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self.steps: list[StepRow] = []
        self.claims: list[Claim] = []
        self.done: list[Write] = []
        self.size = self.key_bytes = 0
        self.references = set[bytes]()

    def add_all(self, writes: Iterable[Write]) -> Generator[None, None, None]:
        """Find the steps of all writes of a commit, claims among them; with a stop now and then, as it may take long.

        Raises:
            StoreError: A document cannot be stored.
        """
        for number, write in enumerate(writes):
            yield from self.add(write)
            if number % _DOCUMENTS_AT_ONCE == 0:
                yield
        for begin in range(0, len(self.claims), _KEYS_AT_ONCE):
            self.steps += self.claims[begin : begin + _KEYS_AT_ONCE]
            yield
        self.claims = []

    def add(self, write: Write) -> Generator[None, None, None]:
        """Find the steps of one write, and its claims apart from these.

        Raises:
            StoreError: The document cannot be stored.
        """
        if write.before is None and write.after is None:
            return
        entry, id_ = self._catalog.table(write.table), write.id_key or encode_value(write.id)
        new = None if write.after is None else body_of(id_, write.after, write.bodies)
        if write.bodies is None:
            old = None if write.before is None else dump(write.before)
            before, after_ = (None if body is None else load(body) for body in (old, new))
        else:
            old, before, after_ = write.bodies[0] or None, write.before, write.after
        self.steps.append(_document_step(entry.number, id_, len(self.done), old, new))
        for index, number in entry.indexes.items():
            ended, begun = set[bytes](), set[bytes]()
            yield from _gather(ended, index, before)
            yield from _gather(begun, index, after_)
            old_keys, new_keys = sorted(ended - begun), sorted(begun - ended)
            # with one that begins goes its document's id; whoever claims it has three parts of it more
            self.key_bytes += sum(map(len, old_keys)) + (5 if index.unique else 2) * sum(map(len, new_keys))
            for begin in range(0, len(old_keys), _KEYS_AT_ONCE):
                self.steps += [(Step.END_KEY, number, key) for key in old_keys[begin : begin + _KEYS_AT_ONCE]]
                if begin + _KEYS_AT_ONCE <= len(old_keys):
                    yield
            for begin in range(0, len(new_keys), _KEYS_AT_ONCE):
                keys = new_keys[begin : begin + _KEYS_AT_ONCE]
                self.steps += [(Step.BEGIN_KEY, number, key, id_) for key in keys]
                if index.unique:
                    self.claims += [_claim(number, key, id_) for key in keys]
                if begin + _KEYS_AT_ONCE <= len(new_keys):
                    yield
        self.references |= added_references((write,))
        self.size += len(old or b"") + len(new or b"")
        self.done.append(Write(write.table, write.id, before, after_, None, id_))

    def take_away(self) -> list[StepRow]:
        """Give the steps that have been found, and keep them no longer."""
        steps, self.steps = self.steps, []
        return steps


def _document_step(table: int, id_: bytes, seq: int, old: bytes | None, new: bytes | None) -> StepRow:
    """Give the step that puts one version of a document in place of another."""
    if old is None:
        return Step.INSERT, table, id_, seq, new
    if new is None:
        return Step.DELETE, table, id_, seq, old
    return Step.CHANGE, table, id_, seq, new, old


def _claim(index: int, key: bytes, id_: bytes) -> Claim:
    """Give the step that looks whether another document has a key of a unique index."""
    values = key[: -len(id_)]
    return Step.CLAIM, index, id_, values, after(values)


def _gather(found: set[bytes], index: IndexSpec, document: Document | None) -> Generator[None, None, None]:
    """Find the keys of a document, with a stop now and then.

    Raises:
        StoreError: The index cannot hold it.
    """
    if document is None or most_keys(index, document) <= _KEYS_AT_ONCE:
        found |= keys_of(index, document)
        return
    try:
        for number, key in enumerate(each_key(index, document)):
            found.add(key)
            if number % _KEYS_AT_ONCE == 0:
                yield
    except ParallelArrays as error:
        raise StoreError(f"the index {index.name!r} cannot hold the document: {error}") from error
