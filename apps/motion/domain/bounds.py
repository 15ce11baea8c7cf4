"""How long a text, a list or a recording may be, as annotations of arguments."""

from __future__ import annotations

import re
import unicodedata
from typing import Annotated

from pydantic import AfterValidator, Field, StringConstraints

from motion.schema import User
from synovia import Id, normal_email

MAX_NAME = 200
MAX_CONTACTS = 1_000
MAX_SHARES = 200
MAX_SAMPLES = 50_000_000
MAX_PENDING_INVITES = 100
MAX_INVITES_A_DAY = 50
MAX_LETTERS = 5
"""So many mails one invite sends, and so many invites one address gets by mail in a day."""
MAX_LIVE_SESSIONS = 5
MAX_LIVE_SAMPLES = 3_600_000
MAX_BATCH = 20_000

Shares = Annotated[list[Id[User]], Field(max_length=MAX_SHARES)]
Limit = Annotated[int, Field(ge=1, le=200)]
"""How many documents a list gives at most."""

_TURNING = re.compile("[\u202a-\u202e\u2066-\u2069]")
_BLANK = "\u115f\u1160\u2800\u3164\uffa0"
"""Letters that are printed as nothing."""


def _line(text: str) -> str:
    """Refuse what is not one line, or turns around what stands beside it: it stands in lists and mail, others' too."""
    if any(unicodedata.category(letter) in ("Cc", "Zl", "Zp") for letter in text) or _TURNING.search(text):
        raise ValueError(
            "this is one line, without control characters and marks that turn the direction of writing around"
        )
    return text


def _lines(text: str) -> str:
    """Refuse control characters; what is read as lines has no other use for them."""
    if any(unicodedata.category(letter) == "Cc" and letter not in "\n\r\t" for letter in text):
        raise ValueError("this has control characters")
    return text


def is_seen(text: str) -> bool:
    """Tell whether anything of a text is seen where it is shown."""
    return any(letter.isprintable() and not letter.isspace() and letter not in _BLANK for letter in text)


def _seen(text: str) -> str:
    """Refuse a name of which nothing is seen: it could pass for anybody, and nobody could choose it."""
    if is_seen(text):
        return text
    raise ValueError("there is nothing to be seen in this")


def _all_seen(address: str) -> str:
    """Refuse an address with characters that are not seen: it would pass for another."""
    if not address.isprintable():
        raise ValueError("this e-mail address has characters that cannot be seen")
    return address


_LETTER = r"[^@\s\x00-\x1f\x7f<>(),;:\\\"\[\]]"
Email = Annotated[
    str,
    StringConstraints(strip_whitespace=True, max_length=254, pattern=rf"^{_LETTER}{{1,64}}@{_LETTER}{{1,253}}$"),
    AfterValidator(normal_email),
    AfterValidator(_all_seen),
]
Name = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=MAX_NAME),
    AfterValidator(_line),
    AfterValidator(_seen),
]
Search = Annotated[str, StringConstraints(strip_whitespace=True, max_length=254)]
Token = Annotated[str, StringConstraints(min_length=1, max_length=200)]
Alias = Annotated[str, StringConstraints(strip_whitespace=True, max_length=200), AfterValidator(_line)]
"""Empty means none, here and for the texts below."""
Notes = Annotated[str, StringConstraints(max_length=10_000), AfterValidator(_lines)]
ExerciseType = Annotated[str, StringConstraints(strip_whitespace=True, max_length=200), AfterValidator(_line)]
Reason = Annotated[str, StringConstraints(strip_whitespace=True, max_length=2_000), AfterValidator(_lines)]
Cause = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=2_000), AfterValidator(_lines)]
"""A reason that has to be given."""
Tag = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100), AfterValidator(_line)]
Tags = Annotated[list[Tag], Field(max_length=50)]

Millis = Annotated[int, Field(ge=0, le=253_402_300_799_999)]
"""UTC milliseconds since 1970, up to the year 9999."""
Hertz = Annotated[float, Field(gt=0, le=1_000_000, allow_inf_nan=False)]
LiveHertz = Annotated[float, Field(gt=0, le=2_000, allow_inf_nan=False)]
Position = Annotated[int, Field(ge=0, le=MAX_LIVE_SAMPLES)]
Duration = Annotated[float, Field(ge=0, allow_inf_nan=False)]
"""Milliseconds."""
