"""Files that go along with a message."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that is sent with a message.

    Attributes:
        name: As the recipient sees it, as ``ticket.pdf``; no path.
        data: Its bytes.
        media_type: As ``application/pdf``.
    """

    name: str
    data: bytes = field(repr=False)
    media_type: str = "application/octet-stream"
