"""``manifest.json``: what an export holds, and the digests by which that is checked. It is the last file of the tar."""

from __future__ import annotations

import hashlib
import re
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

from synovia.errors import SchemaError
from synovia.export.errors import ExportError
from synovia.export.strict_json import BadJson, StrictDecoder
from synovia.schema.faults import message_of
from synovia.schema.refused_tables import check_name

NAME: Final = "manifest.json"
VERSION: Final = 1
LONGEST: Final = 16 * 1024 * 1024
_PLAIN: Final = r"[A-Za-z_][A-Za-z0-9_.\-]{0,63}"
FOLDER: Final = rf"{_PLAIN}|~[0-9a-f]{{32}}"
"""What the folder of a table is called, see ``folder_of``."""

_DECODER: Final = StrictDecoder()


def can_be_table(name: str) -> bool:
    """Tell whether an application could declare a table of that name."""
    try:
        check_name(name)
    except SchemaError:
        return False
    return bool(name)


def folder_of(table: str) -> str:
    """Name the folder of a table: like the table, if every system of files takes that, else by a digest of its name."""
    return table if re.fullmatch(_PLAIN, table) else f"~{hashlib.sha256(table.encode()).hexdigest()[:32]}"


def _table_name(name: str) -> str:
    if not can_be_table(name):
        raise ValueError(f"{name!r:.120} cannot be the name of a table")
    return name


TableName = Annotated[str, AfterValidator(_table_name)]
Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Count = Annotated[int, Field(ge=0, lt=1 << 63)]


class _Part(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, frozen=True, strict=True)


class TableContents(_Part):
    """What the file has of a table.

    Attributes:
        documents: How many.
        sha256: Of all lines, as they are before they are compressed, in the order of the parts.
        parts: How many files they are in.
        unreadable: How many documents could not be decoded, and are not in.
    """

    documents: Count
    sha256: Digest
    parts: Count
    unreadable: Count = 0


class ArrayContents(_Part):
    """What the file has of arrays.

    Attributes:
        count: How many.
        bytes: Of their elements.
        sha256: Of their digests, one after the other in their order.
        missing: How many arrays documents refer to that the database did not have.
    """

    count: Count = 0
    bytes: Count = 0
    sha256: Digest
    missing: Count = 0


class Manifest(_Part):
    """What an export holds.

    Attributes:
        format: Always ``synovia-export``.
        version: Of the format.
        synovia: The version of the program that wrote it.
        kind: ``backup``: with what belongs to one installation; else ``export``.
        store: What kind of database it was.
        ts: The instant, as that database counts.
        at: The same in milliseconds since 1970, by the clock of the program.
        clock: The newest reading of the clock of ids: new ids come after it.
    """

    format: Literal["synovia-export"] = "synovia-export"
    version: int = VERSION
    synovia: str
    kind: Literal["export", "backup"]
    store: Literal["mongodb", "sqlite"]
    ts: Count
    at: Count
    clock: Count
    tables: dict[TableName, TableContents]
    arrays: ArrayContents

    def as_json(self) -> bytes:
        """Write it."""
        return self.model_dump_json(by_alias=True, indent=2).encode() + b"\n"


def manifest_of(data: bytes) -> Manifest:
    """Read it.

    Raises:
        ExportError: It is none, or one of a later version.
    """
    try:
        _DECODER.decode(data)  # what is read below knows keys that are there twice only as the last of them
        found = Manifest.model_validate_json(data)
    except BadJson as error:
        raise ExportError(f"{NAME}: {error}") from None
    except ValidationError as error:
        raise ExportError(f"{NAME}: {message_of(error)}") from None
    if found.version != VERSION:
        raise ExportError(
            f"{NAME}: this is version {found.version} of the format; this Synovia reads version {VERSION}"
        )
    return found
