"""Settings of what hubs on one database tell each other: ``SYNOVIA_HUBS_...``."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from pydantic import BaseModel, ConfigDict, Field, SecretStr

LEAST_SECRET: Final = 16


class HubsSettings(BaseModel):
    """How hubs reach each other.

    Attributes:
        secret: By which hubs know each other, at least 16 characters; without it none runs anything for another. The
            workers of one server are given one.
        secret_file: A file with that.
        host: The address of this hub for the others; it listens there, on any free port.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    secret: SecretStr | None = Field(default=None, min_length=LEAST_SECRET)
    secret_file: Path | None = None
    host: str = Field(default="127.0.0.1", min_length=1, max_length=255)
