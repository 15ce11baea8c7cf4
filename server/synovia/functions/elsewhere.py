"""What a context does not have, and who has it: that there is no such attribute would be a riddle."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any


class _Elsewhere:
    """An attribute that is not there, and says where it is."""

    def __init__(self, told: str) -> None:
        self._told = told

    def __get__(self, instance: object, owner: type) -> Any:
        raise AttributeError(self._told)


def tell_elsewhere(owner: type, names: Iterable[str], reason: str) -> None:
    """Have each use of what a class does not have fail with a reason; subclasses and instances may have it.

    It stays an ``AttributeError``, and type checkers know nothing of these names.

    Args:
        reason: May name the attribute by ``{name}``.
    """
    for name in names:
        setattr(owner, name, _Elsewhere(reason.format(name=name)))
