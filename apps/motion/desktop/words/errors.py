"""What went wrong, in the words of those who use the desk."""

from __future__ import annotations

from synovia_client import AuthenticationError, ConnectionFailed, ConnectionLost, RequestTimeout

TEXTS = {
    "already_a_contact": "You are contacts already.",
    "already_registered": "This account exists already.",
    "already_invited": "You have asked this person already, and the invitation still waits.",
    "archived": "This is in the archive. Restore it first.",
    "array_not_found": "The samples of this recording cannot be found.",
    "busy": "This is being worked on. Please try again in a moment.",
    "email_missing": "The sign-in did not tell us an e-mail address, which an account needs.",
    "empty": "There are no samples yet.",
    "finished": "This session is finished already.",
    "forbidden": "You may not do this.",
    "invalid_arguments": "The server did not accept what was entered.",
    "invalid_token": "This sign-in was not accepted. Please try again.",
    "invite_accepted": "This invitation has been accepted already.",
    "invite_declined": "This invitation has been declined.",
    "invite_expired": "This invitation has expired. Ask for a new one.",
    "invite_withdrawn": "This invitation has been withdrawn.",
    "last_admin": "There has to be at least one administrator.",
    "limit_exceeded": "That is more than is allowed. Please wait a little, or remove something first.",
    "not_a_contact": "This person is not among your contacts.",
    "not_archived": "This is not in the archive.",
    "not_found": "This does not exist, or is not shared with you.",
    "not_registered": "Finish setting up your account first.",
    "out_of_order": "Samples arrived in the wrong order.",
    "overloaded": "The server has too much to do at the moment. Please try again soon.",
    "own_invite": "This is your own invitation. Sign in as the one you have invited.",
    "rate_limited": "That was a little too often. Please wait and try again.",
    "request_expired": "A change waited too long to be sent. Check whether it is there, and make it again if not.",
    "server_error": "The server cannot do this at the moment. Please try again later.",
    "too_large": "That is too large.",
    "unauthenticated": "Your session has ended. Please sign in again.",
    "unknown_function": "This server does not offer that yet.",
}
TELLING = {"invalid_arguments", "limit_exceeded", "forbidden"}
"""Codes whose message says more than a fixed text could: it names the field, the line or the limit."""
KINDS: tuple[tuple[type[BaseException], str], ...] = (
    (AuthenticationError, "This sign-in was not accepted. Please try again."),
    (RequestTimeout, "The server did not answer in time. Please try again."),
    (ConnectionLost, "The connection broke, so nobody knows whether this was done. Have a look before you try again."),
    (ConnectionFailed, "The server refuses the connection. This program may be too old for it."),
)


def code_of(error: BaseException | None) -> str | None:
    """Give the code of an error of the server; None for others."""
    code = getattr(error, "code", None)
    return None if code is None else str(code)


def describe(error: BaseException) -> str:
    """Say what an error means."""
    code = code_of(error)
    message = str(getattr(error, "message", "") or error)
    if code in TELLING and message:
        return sentence(message)
    if code in TEXTS:
        return TEXTS[code]
    known = next((text for kind, text in KINDS if isinstance(error, kind)), None)
    return known or (sentence(message) if message else "Something went wrong. Please try again.")


def sentence(message: str) -> str:
    """Make a sentence of a message for programmers."""
    text = message.strip()
    begun = text[:1].upper() + text[1:]
    return begun if begun.endswith((".", "!", "?", "…")) else f"{begun}."
