"""How long a text, a list or a recording may be, as annotations of arguments."""

from __future__ import annotations

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

_LETTER = r"[^@\s\x00-\x1f\x7f<>(),;:\\\"\[\]]"
Email = Annotated[
    str,
    StringConstraints(strip_whitespace=True, max_length=254, pattern=rf"^{_LETTER}{{1,64}}@{_LETTER}{{1,253}}$"),
    AfterValidator(normal_email),
]
Name = Annotated[
    str,
    StringConstraints(
        strip_whitespace=True,
        min_length=1,
        max_length=MAX_NAME,
        # Names stand in other people's lists and mail: one line, and nothing that turns the direction of writing around.
        pattern=r"^[^\p{Cc}\p{Zl}\p{Zp}\x{202A}-\x{202E}\x{2066}-\x{2069}]+$",
    ),
]
Search = Annotated[str, StringConstraints(strip_whitespace=True, max_length=254)]
Token = Annotated[str, StringConstraints(min_length=1, max_length=200)]
Alias = Annotated[str, StringConstraints(strip_whitespace=True, max_length=200)]
"""Empty means none, here and for the texts below."""
Notes = Annotated[str, StringConstraints(max_length=10_000)]
ExerciseType = Annotated[str, StringConstraints(strip_whitespace=True, max_length=200)]
Reason = Annotated[str, StringConstraints(strip_whitespace=True, max_length=2_000)]
Cause = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=2_000)]
"""A reason that has to be given."""
Tag = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100)]
Tags = Annotated[list[Tag], Field(max_length=50)]

Millis = Annotated[int, Field(ge=0, le=253_402_300_799_999)]
"""UTC milliseconds since 1970, up to the year 9999."""
Hertz = Annotated[float, Field(gt=0, le=1_000_000, allow_inf_nan=False)]
LiveHertz = Annotated[float, Field(gt=0, le=2_000, allow_inf_nan=False)]
Position = Annotated[int, Field(ge=0, le=MAX_LIVE_SAMPLES)]
Duration = Annotated[float, Field(ge=0, allow_inf_nan=False)]
"""Milliseconds."""
