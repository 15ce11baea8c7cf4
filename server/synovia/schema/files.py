"""Fields that refer to files, uploads that are not in a document yet, and what either may be.

The content of a file lies in the chunks of an array of bytes, by whose digest a document refers to it. In the database that
digest is a binary value of a subtype of its own, which no client and no function can write in any other way: whatever a
field of any type may hold, it is never taken for a reference to a file.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, get_args

from bson import Binary
from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler, ValidationInfo
from pydantic_core import CoreSchema, core_schema

from synovia.schema.ids import FROM_CLIENT, FROM_DOCUMENT, unchanged

FILE_SUBTYPE: Final = 0x80
"""Of the binary value by which a document refers to the content of a file; the first of those that BSON leaves to users."""
FROM_RESULT: Final = "result"
"""The validation context of what one function has given to another."""

_DIGEST_BYTES: Final = 32
_MOST_NAME_BYTES: Final = 200
_UPLOAD: Final = re.compile(r"[A-Za-z0-9_-]{32}")
_TOKEN: Final = r"[a-z0-9!#$&^_.+-]{1,64}"
_MEDIA_TYPE: Final = re.compile(rf"{_TOKEN}/{_TOKEN}")
_PATTERN: Final = re.compile(rf"{_TOKEN}/(?:{_TOKEN}|\*)")
_UNSEEN: Final = frozenset(("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"))
"""Categories of characters that show nothing, or change how others are shown: newlines, right-to-left overrides."""


class File(Mapping[str, Any]):
    """A file in a document; on the wire it is the map that it is here: name, type, size, when and which content.

    Only ``ctx.files.accept`` makes one, so whoever has one has been given it. It is a map and no dict, because pydantic
    makes plain ones of those when it dumps a model.

    - ``name``: as whoever uploaded it called it, without a path and without characters that show nothing.
    - ``type``: its media type as declared by whoever uploaded it, as ``image/png``; nothing has looked inside.
    - ``size``: in bytes.
    - ``digest``: 32 bytes, SHA-256 of the digests of its chunks (``synovia_protocol.arrays.array_digest`` of ``uint8``).
    - ``uploaded_at``: when the upload was begun, in milliseconds since 1970.
    """

    __slots__ = ("_wire", "digest")

    def __init__(self, digest: bytes, *, name: str, type: str, size: int, uploaded_at: int) -> None:
        self.digest = digest
        self._wire: dict[str, Any] = {
            "digest": digest.hex(),
            "name": name,
            "size": size,
            "type": type,
            "uploadedAt": uploaded_at,
        }

    @property
    def name(self) -> str:
        return str(self._wire["name"])

    @property
    def type(self) -> str:
        return str(self._wire["type"])

    @property
    def size(self) -> int:
        return int(self._wire["size"])

    @property
    def uploaded_at(self) -> int:
        return int(self._wire["uploadedAt"])

    def __getitem__(self, key: str) -> Any:
        return self._wire[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._wire)

    def __len__(self) -> int:
        return len(self._wire)

    def __hash__(self) -> int:
        return hash((self.digest, self.name, self.type))

    def __repr__(self) -> str:
        return f"File({self.name!r}, {self.type}, {self.size:,} bytes)"

    def to_bson(self) -> dict[str, Any]:
        """Give what a document holds."""
        return {
            "file": Binary(self.digest, FILE_SUBTYPE),
            "name": self.name,
            "type": self.type,
            "size": self.size,
            "uploadedAt": self.uploaded_at,
        }

    @classmethod
    def from_bson(cls, value: Any) -> File | None:
        """Read what a document holds; None if it is no file."""
        match value:
            case {"file": Binary() as digest, "name": str(name), "type": str(kind), "size": size, "uploadedAt": at}:
                if digest.subtype == FILE_SUBTYPE and len(digest) == _DIGEST_BYTES:
                    return cls(bytes(digest), name=name, type=kind, size=int(size), uploaded_at=int(at))
        return None

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.lax_or_strict_schema(
            lax_schema=core_schema.with_info_plain_validator_function(_read_file),
            strict_schema=core_schema.is_instance_schema(cls),
            serialization=core_schema.plain_serializer_function_ser_schema(unchanged),
        )

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        texts = {
            "name": {"type": "string"},
            "type": {"type": "string"},
            "digest": {"type": "string", "pattern": "^[0-9a-f]{64}$"},
        }
        numbers = {"size": {"type": "integer", "minimum": 0}, "uploadedAt": {"type": "integer"}}
        return {
            "type": "object",
            "title": "File",
            "properties": texts | numbers,
            "required": ["name", "type", "size", "digest", "uploadedAt"],
        }


def _read_file(value: Any, info: ValidationInfo) -> File:
    if isinstance(value, File) and info.context != FROM_CLIENT:
        return value
    read = File.from_bson(value) if info.context == FROM_DOCUMENT else None
    if info.context == FROM_RESULT:  # a function that has been allowed to call another one believes what that gives
        match value:
            case {
                "digest": str(digest),
                "name": str(name),
                "type": str(kind),
                "size": int(size),
                "uploadedAt": int(at),
            }:
                read = File(bytes.fromhex(digest), name=name, type=kind, size=size, uploaded_at=at)
    if read is None:
        raise ValueError("a file is needed here: clients send an Upload, and ctx.files.accept makes it a File")
    return read


class Upload(str):
    """An argument that names a file which the caller has uploaded for it; ``ctx.files.accept`` makes it a ``File``."""

    __slots__ = ()

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(_read_upload)

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return {"type": "string", "pattern": f"^{_UPLOAD.pattern}$", "description": "What POST /api/uploads gave."}


def _read_upload(value: Any) -> Upload:
    if not isinstance(value, str) or _UPLOAD.fullmatch(value) is None:
        raise ValueError("an upload is named by the text that the server gave when it began")
    return value if isinstance(value, Upload) else Upload(value)


@dataclass(frozen=True, slots=True)
class FileLimits:
    """What a file may be: ``Annotated[File, FileLimits(max_bytes=10_000_000, types=("image/*",))]``, or of an ``Upload``.

    Attributes:
        max_bytes: The largest size; None: what the hub's settings allow.
        types: The media types that are taken, as ``application/pdf`` or ``image/*``; empty: any.

    Raises:
        ValueError: They are not that.
    """

    max_bytes: int | None = None
    types: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.max_bytes is not None and self.max_bytes < 1:
            raise ValueError("a file has one byte at least")
        for each in self.types:
            if _PATTERN.fullmatch(each) is None:
                raise ValueError(f"{each!r} is no media type, as application/pdf or image/*")

    def takes(self, media_type: str) -> bool:
        """Tell whether a media type is among those that are taken."""
        whole = media_type.partition("/")[0] + "/*"
        return not self.types or media_type in self.types or whole in self.types

    def fault(self, media_type: str, size: int) -> str | None:
        """Tell what keeps a file from being taken; None if nothing does."""
        if self.max_bytes is not None and size > self.max_bytes:
            return f"a file of {size:,} bytes is too large here: {self.max_bytes:,} are allowed"
        return None if self.takes(media_type) else f"{media_type} is not taken here: {', '.join(self.types)} are"

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.with_info_after_validator_function(self._check, handler(source))

    def _check(self, value: Any, info: ValidationInfo) -> Any:
        # What is stored already stays readable when limits change.
        is_new = isinstance(value, File) and info.context not in (FROM_DOCUMENT, FROM_RESULT)
        if is_new and (fault := self.fault(value.type, value.size)) is not None:
            raise ValueError(fault)
        return value


def upload_limits(annotation: Any, metadata: tuple[Any, ...] = ()) -> Iterator[FileLimits]:
    """Give the limits of each place in an annotation at which an upload belongs."""
    if annotation is Upload:
        yield next((each for each in metadata if isinstance(each, FileLimits)), FileLimits())
        return
    inner = getattr(annotation, "__metadata__", ())
    for part in get_args(annotation):
        yield from upload_limits(part, tuple(inner))


def clean_name(name: str) -> str:
    """Make the name of a file one that can be shown and saved anywhere: no path, nothing invisible, 200 bytes at most."""
    last = re.split(r"[/\\]", unicodedata.normalize("NFC", name))[-1]
    seen = "".join(each for each in last if unicodedata.category(each) not in _UNSEEN)
    plain = re.sub(r'[<>:"|?*]', "_", seen).strip(" .")
    return _shortened(plain) or "file"


def _shortened(name: str) -> str:
    stem, dot, ending = name.rpartition(".")
    if not dot or len(ending.encode()) > 20:
        stem, dot, ending = name, "", ""
    most = _MOST_NAME_BYTES - len((dot + ending).encode())
    return stem.encode()[:most].decode(errors="ignore") + dot + ending


def media_type_of(text: str) -> str | None:
    """Read a media type, without its parameters; None if it is none."""
    plain = text.partition(";")[0].strip().lower()
    return plain if _MEDIA_TYPE.fullmatch(plain) else None


def is_file_reference(value: Mapping[str, Any]) -> bool:
    """Tell whether a map of a document refers to a file."""
    return isinstance(digest := value.get("file"), Binary) and digest.subtype == FILE_SUBTYPE
