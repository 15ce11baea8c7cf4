"""How large files may be, and how long uploads wait to be used."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field


class FileSettings(BaseModel):
    """Settings of files: ``SYNOVIA_FILES_MAX_BYTES`` and so on.

    Attributes:
        max_bytes: The largest file that is taken where nothing smaller is declared.
        max_waiting_bytes: What one caller may have uploaded, or begun to, that no mutation has accepted yet.
        store: Where the bytes of files and arrays are kept instead of in the database: ``s3://BUCKET/PREFIX``; needs
            ``synovia[s3]``.
        upload_ttl: Seconds after its beginning for which an upload waits to be accepted.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    max_bytes: Annotated[int, Field(ge=1)] = 4 * 1024**3
    max_waiting_bytes: Annotated[int, Field(ge=1)] = 16 * 1024**3
    store: str | None = None
    upload_ttl: Annotated[float, Field(ge=60, allow_inf_nan=False)] = 86_400.0
