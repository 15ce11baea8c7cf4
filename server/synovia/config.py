"""Settings: from ``SYNOVIA_*`` variables, which flags of the command line override."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from synovia.auth.settings import AuthSettings, secret_of
from synovia.files.settings import FileSettings
from synovia.http.origins import OriginList
from synovia.http.proxies import NetworkList
from synovia.http.settings import HttpSettings
from synovia.hubs.settings import HubsSettings
from synovia.limits.settings import HubLimits
from synovia.maintenance import ArraySettings
from synovia.migrations.settings import DocumentSettings
from synovia.scheduler.settings import SchedulerSettings
from synovia.sealing.settings import EncryptionSettings
from synovia.store.base import REQUEST_TTL

LogLevel = Literal["debug", "info", "warning", "error"]
LogFormat = Literal["text", "json"]


class Settings(BaseSettings):
    """What a server needs to know.

    Attributes:
        store: The database: ``mongodb://...``, ``sqlite:///FILE`` or ``sqlite://:memory:``.
        store_file: A file with that, as it may hold a password.
        web: The folder with the built web page; by default ``web`` in the application's folder.
        host: The address to listen on.
        port: The port to listen on; 0 takes any free one.
        public_url: Where people reach this server, for links in mail, as ``https://motion.example.org``; by default where
            the links that sign in lead, else the address it listens on.
        origins: Origins of pages that may call this server beside its own, with commas between them.
        trusted_proxies: Addresses and networks of proxies whose ``X-Forwarded-...`` headers are believed, with commas.
        tls_cert: A file with the certificate and what leads from it to its authority (PEM); it turns TLS on.
        tls_key: A file with its private key; by default in the same file.
        tls_key_password: For a key that is encrypted.
        tls_key_password_file: A file with that.
        workers: How many processes serve; more than one only on MongoDB.
        log_level: What is written to the log.
        log_format: How: lines for people, or a JSON object in each line.
        traces: Whether spans are sent to where OpenTelemetry's own variables say; needs ``synovia[traces]``.
        convex: Whether clients made for Convex may connect; by default only in development.
        debug: Whether clients may see the text of exceptions; only for development.
        request_ttl: How many seconds the records of mutations are kept; retries are taken for a little less than that.
        auth: How people sign in: ``SYNOVIA_AUTH_GOOGLE_CLIENT_IDS`` and so on.
        limits: What one connection may ask for: ``SYNOVIA_LIMITS_IDLE_TIMEOUT`` and so on.
        http: What one request over HTTP may ask for: ``SYNOVIA_HTTP_MAX_BODY_BYTES`` and so on.
        scheduler: How scheduled calls and crons are run: ``SYNOVIA_SCHEDULER_LEASE`` and so on.
        arrays: How long arrays are kept that nobody refers to: ``SYNOVIA_ARRAYS_GRACE``, ``SYNOVIA_ARRAYS_SWEEP_AT``.
        files: How large files may be: ``SYNOVIA_FILES_MAX_BYTES`` and so on.
        hubs: By what hubs on one database know each other: ``SYNOVIA_HUBS_SECRET``, ``SYNOVIA_HUBS_HOST``.
        encryption: Where the keys of encrypted fields are: ``SYNOVIA_ENCRYPTION_KEYS``, ``SYNOVIA_ENCRYPTION_KEYS_FILE``,
            ``SYNOVIA_ENCRYPTION_KEYS_COMMAND``.
        documents: Whether hubs check documents and run migrations: ``SYNOVIA_DOCUMENTS_CHECK``,
            ``SYNOVIA_DOCUMENTS_MIGRATE``.
    """

    model_config = SettingsConfigDict(
        env_prefix="SYNOVIA_",
        env_nested_delimiter="_",
        env_nested_max_split=1,
        extra="ignore",
        hide_input_in_errors=True,
    )

    store: str | None = Field(default=None, repr=False)
    store_file: Path | None = None
    web: Path | None = None
    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=0, le=65535)
    public_url: str | None = Field(default=None, pattern=r"^https?://[^\s?#]+$")
    origins: OriginList = ()
    trusted_proxies: NetworkList = ()
    tls_cert: Path | None = None
    tls_key: Path | None = None
    tls_key_password: SecretStr | None = None
    tls_key_password_file: Path | None = None
    workers: int = Field(default=1, ge=1, le=256)
    log_level: LogLevel = "info"
    log_format: LogFormat = "text"
    traces: bool = False
    convex: bool | None = None
    debug: bool = False
    request_ttl: int = Field(default=REQUEST_TTL, ge=60, le=366 * 86_400)
    auth: AuthSettings = AuthSettings()
    limits: HubLimits = HubLimits()
    http: HttpSettings = HttpSettings()
    scheduler: SchedulerSettings = SchedulerSettings()
    arrays: ArraySettings = ArraySettings()
    files: FileSettings = FileSettings()
    documents: DocumentSettings = DocumentSettings()
    hubs: HubsSettings = HubsSettings()
    encryption: EncryptionSettings = EncryptionSettings()

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.tls_cert is None and self.tls_key is not None:
            raise ValueError("SYNOVIA_TLS_KEY needs SYNOVIA_TLS_CERT")
        if self.store is None and self.store_file is not None:
            try:
                self.store = secret_of(None, self.store_file)
            except OSError as error:
                raise ValueError(f"SYNOVIA_STORE_FILE: {error}") from None
        return self

    @property
    def home(self) -> str:
        """The address of this server's page as people know it, without a slash at its end."""
        if self.public_url is not None:
            return self.public_url.rstrip("/")
        link = urlsplit(self.auth.email_link or "")
        if link.scheme in ("http", "https") and link.netloc:
            return f"{link.scheme}://{link.netloc}"
        host = "127.0.0.1" if self.host in ("0.0.0.0", "::", "") else self.host
        return f"{'https' if self.tls else 'http'}://{f'[{host}]' if ':' in host else host}:{self.port}"

    @property
    def tls(self) -> bool:
        """Whether TLS ends here."""
        return self.tls_cert is not None

    def tls_password(self) -> str | None:
        """Give the password of the private key, if it has one.

        Raises:
            OSError: The file that holds it cannot be read.
        """
        return secret_of(self.tls_key_password, self.tls_key_password_file)
