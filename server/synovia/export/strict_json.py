"""JSON read strictly, by every reader of exports: what JSON has not, or two programs might read differently, is refused.

RFC 8259 leaves open what becomes of a key that is there twice, and Python's ``json`` takes ``NaN`` and integers of any
length.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from typing import Any, Final

_INT64: Final = 1 << 63
_LONGEST_INTEGER: Final = 20
"""Characters that one of 64 bits may have, with its sign."""
MOST_DEPTH: Final = 200
"""Lists and maps inside each other, the outermost included. MongoDB takes no more, and no hub could read them."""
TOO_DEEP: Final = f"lists and maps nest more than {MOST_DEPTH} deep"


class BadJson(ValueError):
    """The text says what is wrong, and at which character."""


def integer_of(text: str) -> int:
    """Read an integer of 64 bits.

    Raises:
        BadJson: It is larger.
    """
    if len(text) > _LONGEST_INTEGER or not -_INT64 <= (value := int(text)) < _INT64:
        raise BadJson(f"{text:.40} is beyond 64 bits")
    return value


def float_of(text: str) -> float:
    """Read a number as a float of 64 bits.

    Raises:
        BadJson: It is beyond these.
    """
    value = float(text)
    if math.isinf(value):
        raise BadJson(f"{text:.40} is beyond a 64-bit float")
    return value


class StrictDecoder:
    """Reads one value of JSON, and nothing after it.

    Args:
        of_map: What a map becomes.
        of_integer: What a number without a point and an exponent becomes.
    """

    def __init__(
        self,
        of_map: Callable[[dict[str, Any]], Any] = lambda made: made,
        of_integer: Callable[[str], Any] = integer_of,
    ) -> None:
        def pairs(found: list[tuple[str, Any]]) -> Any:
            made = dict(found)
            if len(made) != len(found):
                raise BadJson(f"a map has one key twice: {_twice(found, made)!r:.80}")
            return of_map(made)

        self._decoder = json.JSONDecoder(
            object_pairs_hook=pairs, parse_int=of_integer, parse_float=float_of, parse_constant=_no_constant
        )

    def decode(self, text: bytes) -> Any:
        """Read a value.

        Raises:
            BadJson: It is none, is not UTF-8, or something follows it. What ``of_map`` raises passes through.
        """
        if text.startswith(b"\xef\xbb\xbf"):
            raise BadJson("it begins with a byte order mark, which JSON has not")
        try:
            value = self._decoder.decode(text.decode())
        except UnicodeDecodeError:
            raise BadJson("it is not UTF-8") from None
        except json.JSONDecodeError as error:
            raise BadJson(f"it is no JSON: {error.msg} {_place(error)}") from None
        except RecursionError:
            raise BadJson(TOO_DEEP) from None
        if text.count(b"[") + text.count(b"{") > MOST_DEPTH and nests_too_deep(value):
            raise BadJson(TOO_DEEP)
        return value


def nests_too_deep(value: Any) -> bool:
    """Tell whether lists and maps nest deeper than ``MOST_DEPTH``."""
    level: list[Any] = [value]
    for _ in range(MOST_DEPTH + 1):
        level = [each for each in level if isinstance(each, dict | list)]
        if not level:
            return False
        level = [part for each in level for part in (each.values() if isinstance(each, dict) else each)]
    return True


def _twice(found: list[tuple[str, Any]], made: Mapping[str, Any]) -> str:
    left = dict.fromkeys(made, 0)
    for key, _ in found:
        left[key] += 1
    return next(key for key, times in left.items() if times > 1)


def _no_constant(text: str) -> float:
    raise BadJson(f"it is no JSON: {text}")


def _place(error: json.JSONDecodeError) -> str:
    line = f"line {error.lineno}, " if "\n" in error.doc.rstrip("\n") else ""
    return f"at {line}character {error.colno}"
