"""Messages of other programs, signed as Standard Webhooks says (https://www.standardwebhooks.com), version 1.0.0."""

from __future__ import annotations

import base64
import hashlib
import hmac
import time
from dataclasses import dataclass
from typing import Generic, TypeVar

from pydantic import BaseModel, SecretStr, ValidationError
from starlette.requests import Request

from synovia.errors import InvalidArguments, Unauthenticated
from synovia.schema.faults import faults_of

TOLERANCE = 300
"""Seconds that a message may be old, or ahead: who has heard an older one cannot send it again."""
_LONGEST_ID = 200
M = TypeVar("M", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Delivery(Generic[M]):
    """A message that was signed by whoever knows the secret.

    Attributes:
        id: By which its sender names it, also when it is sent again: what is to happen once remembers this.
        content: What it says.
    """

    id: str
    content: M


def signed_headers(secret: SecretStr | str, id: str, body: bytes, *, at: float | None = None) -> dict[str, str]:
    """Give the headers of a message, for its sender.

    Args:
        secret: The key; one that begins with ``whsec_`` is base64 behind that, as the standard writes keys.
        id: Of the message: the same when it is sent again.
        at: When it is sent, in seconds since 1970; by default now.
    """
    moment = str(int(time.time() if at is None else at))
    return {
        "webhook-id": id,
        "webhook-timestamp": moment,
        "webhook-signature": f"v1,{_signature(secret, id, moment, body)}",
    }


async def signed_delivery(request: Request, secret: SecretStr | str, content: type[M]) -> Delivery[M]:
    """Read a message whose signature is right, for a route that is ``public``.

    Args:
        secret: As for ``signed_headers``.
        content: The model of what it says, in JSON.

    Raises:
        Unauthenticated: It is not signed with this secret, or more than five minutes ago.
        InvalidArguments: It is signed, and says something else than the model.
    """
    id, moment = (request.headers.get(f"webhook-{each}", "") for each in ("id", "timestamp"))
    body, wanted = await request.body(), request.headers.get("webhook-signature", "").split()
    if not (moment.isascii() and moment.isdigit() and len(moment) < 12) or abs(time.time() - int(moment)) > TOLERANCE:
        raise Unauthenticated(_no_time(moment))
    right = f"v1,{_signature(secret, id, moment, body)}".encode()
    if not 0 < len(id) <= _LONGEST_ID or not any(hmac.compare_digest(right, each.encode()) for each in wanted):
        raise Unauthenticated("the message is not signed with the secret")
    try:
        return Delivery(id, content.model_validate_json(body))
    except ValidationError as error:
        raise InvalidArguments("the message does not say what it should", faults_of(error)) from None


def _no_time(moment: str) -> str:
    if not moment:
        return "the message has no webhook-timestamp: it is not signed as Standard Webhooks says"
    return f"the message is not of these minutes: webhook-timestamp is in seconds since 1970, here it is {int(time.time())}"


def _signature(secret: SecretStr | str, id: str, moment: str, body: bytes) -> str:
    text = secret.get_secret_value() if isinstance(secret, SecretStr) else secret
    key = base64.b64decode(text.removeprefix("whsec_")) if text.startswith("whsec_") else text.encode()
    return base64.b64encode(hmac.digest(key, f"{id}.{moment}.".encode() + body, hashlib.sha256)).decode()
