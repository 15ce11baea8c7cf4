"""Settings of sign-in: ``SYNOVIA_AUTH_...``. Secrets come from variables or files, never from flags."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from email.utils import parseaddr
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, TypeAdapter, field_validator
from pydantic_settings import NoDecode

from synovia.auth.email import EmailTimes
from synovia.auth.fetching import check_url
from synovia.auth.google import CERTS_URL
from synovia.auth.issuers import Issuer
from synovia.auth.keycache import KeyTimes
from synovia.auth.keyring import LEAST_SECRET
from synovia.auth.sessions import SessionTimes
from synovia.mail.smtp import SmtpMailer, is_address

Seconds = Annotated[float, Field(gt=0, allow_inf_nan=False)]
_ISSUERS = TypeAdapter(tuple[Issuer, ...])


class AuthSettings(BaseModel):
    """How people sign in. Times are in seconds.

    Attributes:
        google_client_ids: The OAuth client ids of the programs that sign in with Google, with commas between them.
        google_certs_url: Where Google's certificates are.
        issuers: Other OpenID Connect issuers: a JSON list of ``synovia.auth.issuers.Issuer``.
        issuers_file: A file with that list.
        secret: What the keys of the server's own tokens are derived from, at least 32 characters; while it is being
            replaced, the new one and the old one with a space between them. Without, the keys are in the database.
        secret_file: A file with that.
        access_lifetime: Of an access token, at least 60.
        refresh_lifetime: Of a refresh token, counted anew with each.
        session_lifetime: From the sign-in on, after which one has to sign in again.
        refresh_grace: How long the refresh token before the newest is still taken.
        key_lifetime: For which a key signs before the next one is made.
        key_fetch_timeout: For an issuer to tell its keys.
        key_fetch_pause: Between two fetches of an issuer's keys for ids that are not known.
        email_from: The From address of codes; with ``smtp_host`` it turns sign-in by e-mail on.
        email_name: The application, as the mail names it.
        email_link: Where the link in the mail leads, with ``{token}``; none: only a code.
        email_lifetime: Of a code and a link.
        email_per_address: Mails to one address in an hour.
        email_per_client: Mails that one network address may ask for in an hour.
        smtp_host: The mail server.
        smtp_security: ``starttls``, ``tls`` (from the first byte) or ``none``.
        smtp_password_file: A file with the password.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    google_client_ids: Annotated[tuple[str, ...], NoDecode] = ()
    google_certs_url: Annotated[str, AfterValidator(check_url)] = CERTS_URL
    issuers: tuple[Issuer, ...] = ()
    issuers_file: Path | None = None
    secret: SecretStr | None = None
    secret_file: Path | None = None
    access_lifetime: Annotated[float, Field(ge=60, le=86_400)] = 900.0
    refresh_lifetime: Seconds = 14 * 86_400.0
    session_lifetime: Seconds = 90 * 86_400.0
    refresh_grace: Annotated[float, Field(ge=0, le=600)] = 30.0
    key_lifetime: Seconds = 7 * 86_400.0
    key_fetch_timeout: Seconds = 5.0
    key_fetch_pause: Seconds = 30.0
    email_from: str | None = None
    email_name: str = "Synovia"
    email_link: str | None = None
    email_lifetime: Annotated[float, Field(ge=60, le=3_600)] = 600.0
    email_per_address: Annotated[int, Field(ge=1)] = 5
    email_per_client: Annotated[int, Field(ge=1)] = 20
    smtp_host: str | None = None
    smtp_port: Annotated[int, Field(ge=1, le=65_535)] = 587
    smtp_username: str | None = None
    smtp_password: SecretStr | None = None
    smtp_password_file: Path | None = None
    smtp_security: Literal["starttls", "tls", "none"] = "starttls"

    @field_validator("google_client_ids", mode="before")
    @classmethod
    def _split(cls, value: Any) -> Any:
        return tuple(filter(None, map(str.strip, value.split(",")))) if isinstance(value, str) else value

    @field_validator("email_link")
    @classmethod
    def _has_place(cls, value: str | None) -> str | None:
        if value is not None and "{token}" not in value:
            raise ValueError("has no {token}")
        return value

    @property
    def session_times(self) -> SessionTimes:
        """The lifetimes as sessions take them."""
        return SessionTimes(
            self.access_lifetime, self.refresh_lifetime, self.session_lifetime, self.refresh_grace, self.key_lifetime
        )

    @property
    def key_times(self) -> KeyTimes:
        """How often an issuer's keys are fetched."""
        return KeyTimes(fetch=self.key_fetch_timeout, pause=self.key_fetch_pause)

    @property
    def email_times(self) -> EmailTimes:
        """What is let through of codes."""
        return EmailTimes(self.email_lifetime, self.email_per_address, self.email_per_client)

    def all_issuers(self) -> tuple[Issuer, ...]:
        """Give the issuers of the variable and of the file.

        Raises:
            ValueError: One is there twice, or the file cannot be read or is not such a list.
        """
        found = self.issuers
        if self.issuers_file is not None:
            with _named("ISSUERS_FILE"):
                content = self.issuers_file.read_bytes()
            found += _ISSUERS.validate_json(content)
        names = [each.issuer for each in found]
        if len(set(names)) != len(names):
            raise ValueError("an issuer is named twice")
        return found

    def secrets(self) -> list[str]:
        """Give the secrets, the one to sign with first.

        Raises:
            ValueError: One is too short, or the file cannot be read.
        """
        with _named("SECRET_FILE"):
            found = (secret_of(self.secret, self.secret_file) or "").split()
        if any(len(each) < LEAST_SECRET for each in found):
            raise ValueError(f"a secret of SYNOVIA_AUTH_SECRET needs at least {LEAST_SECRET} characters")
        return found

    @property
    def sender(self) -> str:
        """The From address of every mail.

        Raises:
            ValueError: There is a mail server, and no such address, or it is none.
        """
        if self.email_from is None and self.smtp_host is not None:
            raise ValueError("SYNOVIA_AUTH_SMTP_HOST needs SYNOVIA_AUTH_EMAIL_FROM")
        if self.email_from is not None and not is_address(parseaddr(self.email_from)[1]):
            raise ValueError(
                "SYNOVIA_AUTH_EMAIL_FROM is no address: clinic@example.org or Clinic <clinic@example.org> is"
            )
        return self.email_from or "synovia@localhost"

    def mailer(self) -> SmtpMailer | None:
        """Give the way to the mail server, if there is one.

        Raises:
            ValueError: The file with the password cannot be read.
        """
        if self.smtp_host is None:
            return None
        with _named("SMTP_PASSWORD_FILE"):
            password = secret_of(self.smtp_password, self.smtp_password_file)
        return SmtpMailer(
            self.smtp_host,
            self.smtp_port,
            self.smtp_username,
            password,
            starttls=self.smtp_security == "starttls",
            tls=self.smtp_security == "tls",
        )


@contextmanager
def _named(variable: str) -> Iterator[None]:
    """Say of a file that cannot be read which variable names it."""
    try:
        yield
    except OSError as error:
        raise ValueError(f"SYNOVIA_AUTH_{variable}: {error}") from None


def secret_of(value: SecretStr | None, file: Path | None) -> str | None:
    """Give a secret, which is in a variable or in a file.

    Raises:
        OSError: The file cannot be read.
    """
    if value is not None and value.get_secret_value():
        return value.get_secret_value()
    return None if file is None else file.read_text(encoding="utf-8").strip()
