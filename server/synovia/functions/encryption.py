"""What tables declare of encrypted fields, checked when a server starts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, get_args

from pydantic.fields import FieldInfo

from synovia.functions.model_faults import field_with_place
from synovia.schema import File, Id, Table, Upload
from synovia.schema.annotations import alternatives, fields_of
from synovia.schema.encrypted import ClearValue, SealedField, marked_inside, marker_of, sealed_fields
from synovia.sealing.keyring import SEARCH, BadKeys, Keyring
from synovia_protocol.messages import ArrayRef


def encryption_faults(model: type[Table]) -> Iterator[str]:
    """Tell what cannot work in the encrypted fields of a table, with ``FILE:LINE``."""
    known, fields = fields_of(model), sealed_fields(model)
    for name, info in known.items():
        if marker_of(info) is not None and not isinstance(vars(model).get(name), ClearValue):
            # Only now is it known to be encrypted, and the class was made as if it were not: its value is not opened.
            where = field_with_place(model, name)
            yield f"{where} is encrypted, and names what is declared further down: declare that above"
        elif name in fields:
            yield from (f"{field_with_place(model, name)}: {fault}" for fault in _faults_of(info, fields[name]))
        elif marked_inside(info.annotation):
            yield f"{field_with_place(model, name)}: only a whole field of a table is encrypted, as Encrypted[list[str]] is"
    for index in model.spec.indexes:
        for field in fields.values():
            if not field.searchable and field.token_path in index.fields:
                yield (
                    f"{field_with_place(model, field.name)} is encrypted, so the index {index.name!r} cannot be over it;"
                    " an EncryptedSearchable one is found by equality"
                )
    if model.audit_scope in fields:
        yield f"{field_with_place(model, str(model.audit_scope))} is encrypted, so it cannot be the scope of audit entries"


def _faults_of(info: FieldInfo, field: SealedField) -> Iterator[str]:
    kinds = set(_kinds(info.annotation))
    for kind, why in _UNSEALED.items():
        if kind in kinds:
            yield why
    if field.searchable and info.default is not None and not info.is_required():
        yield "a searchable field has no default but None: what is not stored cannot be found"


_UNSEALED: Mapping[Any, str] = {
    ArrayRef: "an array lies beside its document, where it is not encrypted",
    File: "a file lies beside its document, where it is not encrypted",
    Upload: "an upload is no part of a document",
    Id: "an id is compared and followed by the database, so it cannot be encrypted",
}


def _kinds(annotation: Any) -> Iterator[Any]:
    for kind in alternatives(annotation):
        yield getattr(kind, "__origin__", kind)
        for part in get_args(kind):
            yield from _kinds(part)


def checked_keyring(models: Mapping[str, type[Table]], keyring: Keyring | None) -> Keyring | None:
    """Give the keys, if they are all that the tables need.

    Raises:
        BadKeys: A table has an encrypted field, and there are no keys; or a searchable one, and there is none for that.
    """
    needed = [field for model in models.values() for field in sealed_fields(model).values()]
    if needed and keyring is None:
        raise BadKeys(
            f"{needed[0].table}.{needed[0].name} is encrypted, and there are no keys: set SYNOVIA_ENCRYPTION_KEYS,"
            " SYNOVIA_ENCRYPTION_KEYS_FILE or SYNOVIA_ENCRYPTION_KEYS_COMMAND; `synovia encryption new ID` makes a key"
        )
    searched = [field for field in needed if field.searchable]
    if searched and keyring is not None and not keyring.searches:
        raise BadKeys(
            f"{searched[0].table}.{searched[0].name} is searchable, and there is no key {SEARCH!r} among the keys:"
            f" `synovia encryption new {SEARCH}` makes it"
        )
    return keyring
