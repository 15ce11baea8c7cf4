"""What a function takes, told while its annotations may still name what is not declared."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable
from contextlib import suppress
from types import FunctionType
from typing import Any


def signature_of(body: Callable[..., Any]) -> inspect.Signature:
    """Give the parameters of a function; what their annotations mean is known once all modules are loaded.

    Since Python 3.14 annotations are evaluated when they are first looked at, not where the function is defined, so they
    may name what is declared further down. ``inspect.signature`` looks at them, and would fail there.
    """
    if sys.version_info >= (3, 14):
        from annotationlib import Format

        with suppress(Exception):  # an annotation of constants alone, as ``1 / 0``, is evaluated in any case
            return inspect.signature(body, annotation_format=Format.STRING)
        return inspect.signature(_without_annotations(body))
    return inspect.signature(body)


def _without_annotations(body: Callable[..., Any]) -> Callable[..., Any]:
    function: Any = inspect.unwrap(body)
    plain = FunctionType(function.__code__, {}, function.__name__, function.__defaults__, function.__closure__)
    plain.__kwdefaults__ = function.__kwdefaults__
    return plain
