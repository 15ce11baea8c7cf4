"""Which arrays documents refer to, those that are the contents of files among them.

Two questions with two answers. A commit has to know exactly which references it adds, because each has to be to an array
that is there. The sweep must never take an array that somebody needs, so for it every binary value of 32 bytes counts as a
reference, whatever the field is called, and so do packed references inside binary values.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from synovia.schema.files import is_file_reference
from synovia.schema.specs import Document
from synovia.store.base import Write

_DIGEST_BYTES = 32
_IN_BSON = re.compile(rb"\x20(?=\x00\x00\x00.(.{32}))", re.DOTALL)  # the length of a binary value, and its subtype
_MAY_REFER = re.compile(rb"\x20\x00\x00\x00|file\x00")
"""Stands in the bytes of every document that refers to an array: the length of its digest, or the name of a file's."""
_PACKED = re.compile(rb"\xc4(?=\x20(.{32}))", re.DOTALL)  # the same in msgpack


def references_of(document: Document | None) -> set[bytes]:
    """Give the digests of the arrays that a document refers to."""
    found: set[bytes] = set()
    if document is not None:
        _collect(document, found)
    return found


def _collect(value: dict[str, Any] | list[Any], found: set[bytes]) -> None:
    if isinstance(value, dict):
        digest = value.get("digest")
        if isinstance(digest, bytes) and len(digest) == _DIGEST_BYTES and "dtype" in value and "shape" in value:
            found.add(bytes(digest))
            return
        if is_file_reference(value):
            found.add(bytes(value["file"]))
            return
    for item in value.values() if isinstance(value, dict) else value:
        if isinstance(item, dict | list):
            _collect(item, found)


def added_references(writes: Iterable[Write]) -> set[bytes]:
    """Give the digests that documents refer to after these writes and did not before."""
    added: set[bytes] = set()
    for write in writes:
        if write.bodies is not None and _MAY_REFER.search(write.bodies[1]) is None:
            continue
        if after := references_of(write.after):
            added |= after - references_of(write.before)
    return added


def possible_references(body: bytes) -> Iterator[bytes]:
    """Give everything inside encoded documents that may be the digest of an array, and some things that are none."""
    for pattern in (_IN_BSON, _PACKED):
        for match in pattern.finditer(body):
            yield match[1]


class Digests:
    """A large set of digests in little memory: 8 bytes each; it may take another digest for one of its own, never the
    other way round."""

    def __init__(self) -> None:
        self._parts: list[npt.NDArray[np.uint64]] = []

    def add(self, digests: Iterable[bytes]) -> None:
        heads = b"".join(digest[:8] for digest in digests)
        if heads:
            self._parts.append(np.unique(np.frombuffer(heads, dtype="<u8")))

    def without(self, digests: Iterable[bytes]) -> list[bytes]:
        """Give those that are not in the set."""
        if len(self._parts) > 1:
            self._parts = [np.unique(np.concatenate(self._parts))]
        asked = list(digests)
        heads = np.frombuffer(b"".join(digest[:8] for digest in asked), dtype="<u8")
        known = np.isin(heads, self._parts[0]) if self._parts else np.zeros(len(asked), dtype=bool)
        return [digest for digest, is_known in zip(asked, known, strict=True) if not is_known]

    def lacking(self, others: Digests) -> int:
        """Count those that are not in another set."""
        mine, theirs = (np.concatenate(each._parts or [np.empty(0, "<u8")]) for each in (self, others))
        return len(np.setdiff1d(mine, theirs))
