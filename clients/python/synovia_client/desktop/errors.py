"""Why somebody could not be signed in."""

from __future__ import annotations

from enum import StrEnum

from synovia_client.errors import SynoviaError


class SignInCode(StrEnum):
    """What went wrong, for programs."""

    CANCELLED = "cancelled"
    """The person, or the program, gave it up."""
    TIMED_OUT = "timed_out"
    """The browser did not come back in time."""
    NO_BROWSER = "no_browser"
    """No browser could be opened."""
    NO_SUCH_WAY = "no_such_way"
    """The hub offers no such way to sign in."""
    HUB_UNREACHABLE = "hub_unreachable"
    ISSUER_UNREACHABLE = "issuer_unreachable"
    BAD_ISSUER = "bad_issuer"
    """The issuer does not speak OpenID Connect as it has to."""
    DENIED = "denied"
    """The person or the issuer said no."""
    ISSUER_ERROR = "issuer_error"
    """The issuer told of another error."""
    STATE_MISMATCH = "state_mismatch"
    """The browser came back with an answer to somebody else's question."""
    ISSUER_MISMATCH = "issuer_mismatch"
    """The answer, or the token, is another issuer's."""
    CODE_REFUSED = "code_refused"
    """The issuer does not exchange its code: it is used, expired, or was asked for by another program."""
    BAD_TOKEN = "bad_token"
    """What the issuer gave is no ID token."""
    NONCE_MISMATCH = "nonce_mismatch"
    """The token was made for another sign-in."""
    AUDIENCE_MISMATCH = "audience_mismatch"
    """The token was made for another program."""
    TOKEN_EXPIRED = "token_expired"
    """The token has expired already; one of the clocks may be wrong."""
    INVALID_EMAIL = "invalid_email"
    TOO_MANY = "too_many"
    """Too many codes were asked for; ``retry_after`` says when to try again."""
    NOT_SENT = "not_sent"
    """The code could not be sent."""


class SignInError(SynoviaError):
    """Somebody could not be signed in.

    Attributes:
        code: What went wrong, for programs.
        message: The same for people.
        retry_after: Seconds after which it is worth trying again; None if nobody said.
    """

    code: SignInCode

    def __init__(self, code: SignInCode, message: str, retry_after: float | None = None) -> None:
        super().__init__(code, message)
        self.code = code
        self.message = message
        self.retry_after = retry_after

    def __str__(self) -> str:
        return f"{self.message} ({self.code})"
