"""Which part of a representation a request asks for, and whether it has it already (RFC 9110, sections 13 and 14)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime
from enum import Enum
from typing import Final

from starlette.datastructures import Headers

_RANGE: Final = re.compile(r"bytes=[ \t]*(?:(\d{1,18})-(\d{0,18})|-(\d{1,18}))[ \t]*", re.ASCII | re.IGNORECASE)
_TAG: Final = re.compile(r'(?:W/)?"[\x21\x23-\x7e\x80-\xff]*"')


@dataclass(frozen=True, slots=True)
class Representation:
    """What is asked for.

    Attributes:
        tag: Its entity tag with its quotes; a strong one.
        modified: When it was last modified, in seconds since 1970.
        size: In bytes.
    """

    tag: str
    modified: int
    size: int

    @property
    def last_modified(self) -> str:
        """As a header has it."""
        return format_datetime(datetime.fromtimestamp(self.modified, UTC), usegmt=True)


class Answer(Enum):
    """What is answered to a request: all of it, a part, that it is at hand already, or that a condition does not hold."""

    WHOLE = 200
    PART = 206
    NOT_MODIFIED = 304
    FAILED = 412
    UNSATISFIABLE = 416


def answer_to(headers: Headers, found: Representation) -> tuple[Answer, range]:
    """Tell what is answered to a GET or HEAD, and which bytes.

    Several ranges at once, and what is no range, are answered with the whole, as RFC 9110 (14.2) allows.
    """
    whole = range(found.size)
    if (failed := _failed_condition(headers, found)) is not None:
        return failed, whole
    asked = _RANGE.fullmatch(headers.get("range", ""))
    part = None if asked is None else _part(asked, found.size)
    if part is None or not _holds_for_range(headers, found):
        return Answer.WHOLE, whole
    return (Answer.PART, part) if part else (Answer.UNSATISFIABLE, part)


def _part(asked: re.Match[str], size: int) -> range | None:
    first, last, tail = asked.groups()
    if tail is not None:
        return range(max(0, size - int(tail)), size)
    if last and int(last) < int(first):  # no range at all
        return None
    return range(int(first), min(size, int(last) + 1 if last else size))


def _failed_condition(headers: Headers, found: Representation) -> Answer | None:
    """Tell what comes of the conditions, in the order of RFC 9110, 13.2.2; None if they hold."""
    if "if-match" in headers:
        if not _is_among(headers.getlist("if-match"), found.tag, weak=False):
            return Answer.FAILED
    elif (since := _seconds(headers.get("if-unmodified-since"))) is not None and found.modified > since:
        return Answer.FAILED
    if "if-none-match" in headers:
        return Answer.NOT_MODIFIED if _is_among(headers.getlist("if-none-match"), found.tag, weak=True) else None
    since = _seconds(headers.get("if-modified-since"))
    return Answer.NOT_MODIFIED if since is not None and found.modified <= since else None


def _is_among(lines: list[str], tag: str, *, weak: bool) -> bool:
    text = ", ".join(lines)
    if text.strip() == "*":
        return True
    tags = _TAG.findall(text)
    return tag in ([each.removeprefix("W/") for each in tags] if weak else tags)


def _holds_for_range(headers: Headers, found: Representation) -> bool:
    """Tell whether a range may be taken: If-Range names this very representation, or is not there."""
    condition = headers.get("if-range")
    if condition is None or condition.strip() == found.tag:
        return True
    return _seconds(condition) == found.modified


def _seconds(text: str | None) -> int | None:
    try:
        return None if text is None else int(parsedate_to_datetime(text).timestamp())
    except (ValueError, TypeError, OverflowError):
        return None
