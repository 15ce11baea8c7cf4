"""Settings of checks and migrations: ``SYNOVIA_DOCUMENTS_...``."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class DocumentSettings(BaseModel):
    """What a hub does about documents and their declarations when it starts.

    Attributes:
        check: Whether it looks for documents that do not fit their tables, in the background.
        migrate: Whether it runs the migrations that have not run; without, ``synovia migrate`` does.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    check: bool = True
    migrate: bool = True
