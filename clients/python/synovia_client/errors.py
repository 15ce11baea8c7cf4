"""What can go wrong, as the program that uses the client sees it."""

from __future__ import annotations

from typing import Any, Self

from synovia_protocol.errors import ErrorInfo


class SynoviaError(Exception):
    """The root of all errors that the client raises on purpose.

    Attributes:
        code: What went wrong, for programs.
    """

    code: str = "client_error"


class _CodedError(SynoviaError):
    """An error that came over the wire: a code for programs, a message for people, data as the application likes."""

    def __init__(self, code: str, message: str, data: Any = None) -> None:
        super().__init__(code, message, data)
        self.code = str(code)
        self.message = message
        self.data = data

    def __str__(self) -> str:
        return f"{self.message} ({self.code})"

    @classmethod
    def of(cls, info: ErrorInfo) -> Self:
        """Make the exception for an error that the server sent."""
        return cls(info.code, info.message, info.data)

    def again(self) -> Self:
        """Make another exception like this one: each who is told raises its own."""
        return type(self)(self.code, self.message, self.data)


class FunctionError(_CodedError):
    """One query, mutation, action or array request failed; everything else goes on."""


class AuthenticationError(_CodedError):
    """The server did not accept the token; the connection goes on as anonymous."""


class ConnectionFailed(_CodedError):
    """The server refused the connection for good: connecting again would fail the same way. The client is done."""


class ConnectionLost(SynoviaError):
    """The connection broke while an action was in flight: nobody knows whether it ran, so it is not sent again."""

    code = "connection_lost"


class ClientClosed(SynoviaError):
    """The client was closed, by ``close()`` or by leaving its ``async with``."""

    code = "client_closed"


class OutboxError(SynoviaError):
    """The outbox file cannot be used, or a mutation could not be written to it; that mutation is not sent."""

    code = "outbox_error"


class RequestTimeout(SynoviaError, TimeoutError):
    """No answer came in time. A mutation may still run: its caller gave up, the server was not asked to."""

    code = "timeout"
