"""Settings: from ``SYNOVIA_*`` variables, which flags of the command line override."""

from __future__ import annotations

from typing import Literal

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from synovia.auth.settings import AuthSettings
from synovia.store.base import REQUEST_TTL
from synovia.sync.limits import HubLimits

LogLevel = Literal["debug", "info", "warning", "error"]


class Settings(BaseSettings):
    """What a server needs to know.

    Attributes:
        store: The database: ``mongodb://...``, ``sqlite:///FILE`` or ``sqlite://:memory:``.
        host: The address to listen on.
        port: The port to listen on; 0 takes any free one.
        workers: How many processes serve; more than one only on MongoDB.
        log_level: What is written to the log.
        debug: Whether clients may see the text of exceptions; only for development.
        request_ttl: How many seconds the records of mutations are kept; retries are taken for a little less than that.
        auth: How people sign in: ``SYNOVIA_AUTH_GOOGLE_CLIENT_IDS`` and so on.
        limits: What one connection may ask for: ``SYNOVIA_LIMITS_IDLE_TIMEOUT`` and so on.
    """

    model_config = SettingsConfigDict(
        env_prefix="SYNOVIA_", env_nested_delimiter="_", env_nested_max_split=1, extra="ignore"
    )

    store: str | None = None
    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=0, le=65535)
    workers: int = Field(default=1, ge=1, le=256)
    log_level: LogLevel = "info"
    debug: bool = False
    request_ttl: int = Field(default=REQUEST_TTL, ge=60, le=366 * 86_400)
    auth: AuthSettings = AuthSettings()
    limits: HubLimits = HubLimits()
