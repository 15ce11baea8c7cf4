"""Mutations and what came of them as bytes, for another hub with the same application."""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import synovia
from synovia.engine.outcomes import Outcome
from synovia.engine.peers import MutationCall
from synovia.functions.access import CallOrigin
from synovia.functions.log_lines import LogLine
from synovia.functions.registry import Registry
from synovia.identity import Identity
from synovia_protocol import codec
from synovia_protocol.errors import ErrorInfo


def pack_call(call: MutationCall) -> bytes:
    """Pack a call.

    Raises:
        TypeError, ValueError: Something in it does not travel.
    """
    fields = [
        call.path, codec.pack(call.args), _identity_fields(call.identity), call.session, call.number, call.retry,
        call.issued_at, call.mark, call.origin.value, call.cause,
    ]  # fmt: skip
    return codec.pack(fields)


def unpack_call(packed: bytes) -> MutationCall:
    """Read a call."""
    path, args, who, session, number, retry, issued_at, mark, origin, cause = codec.unpack(packed)
    return MutationCall(
        path, codec.unpack(args), _identity_of(who), session, number, retry, issued_at, mark, CallOrigin(origin), cause
    )


def _identity_fields(who: Identity | None) -> list[object] | None:
    if who is None:
        return None
    if who.impersonation is not None:
        raise ValueError("who only looks as somebody else changes nothing")
    return [who.issuer, who.subject, who.email, who.name, who.image, json.dumps(dict(who.claims)), list(who.roles)]


def _identity_of(fields: Sequence[Any] | None) -> Identity | None:
    if fields is None:
        return None
    issuer, subject, email, name, image, claims, roles = fields
    return Identity(issuer, subject, email, name, image, json.loads(claims), tuple(roles))


def pack_outcome(outcome: Outcome) -> bytes:
    """Pack what came of a call."""
    error = outcome.error
    fields = [
        outcome.ts, outcome.packed, None if error is None else [error.code, error.message, error.data],
        sorted(outcome.arrays), outcome.unknown, outcome.unusable, [[*line] for line in outcome.log_lines],
        outcome.documents_read, outcome.documents_written,
    ]  # fmt: skip
    return codec.pack(fields)


def unpack_outcome(packed: bytes) -> Outcome:
    """Read what came of a call."""
    ts, result, error, arrays, unknown, unusable, lines, read, written = codec.unpack(packed)
    return Outcome(
        ts, result, None if error is None else ErrorInfo(*error), frozenset(arrays), unknown, unusable,
        tuple(LogLine(*line) for line in lines), read, written,
    )  # fmt: skip


def fingerprint(registry: Registry) -> bytes:
    """Tell an application and its version from all others: by what its functions are written in."""
    digest = hashlib.sha256(f"{synovia.__version__} {sys.version_info[:2]} {registry.name}".encode())
    for path, function in sorted(registry.functions.items()):
        digest.update(f"\0{path} {function.kind.value}".encode())
    for file in sorted(_files(registry)):
        digest.update(b"\0" + file.read_bytes())
    return digest.digest()


def _files(registry: Registry) -> set[Path]:
    names = {each.body.__module__ for each in registry.functions.values()}
    modules = (sys.modules.get(name) for name in names)
    written = {Path(file) for module in modules if (file := getattr(module, "__file__", None)) is not None}
    in_folder = _in_folder(registry.folder) if registry.folder is not None and registry.folder.is_dir() else ()
    return {file for file in (*written, *in_folder) if file.is_file()}


def _in_folder(folder: Path) -> Iterator[Path]:
    found = folder.rglob("*.py")
    return (
        file for file in found if not any(part.startswith((".", "node_")) for part in file.relative_to(folder).parts)
    )
