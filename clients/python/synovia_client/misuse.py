"""What is used with ``async``, and says so to who leaves it out: Python's own error tells the class and no more."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, NoReturn


class UsedOtherwise:
    """Something that is neither awaited, nor iterated over or entered without ``async``; type checkers know it anyway."""

    _used: ClassVar[str] = ""
    """How it is used."""

    if not TYPE_CHECKING:

        def _refuse(self, *_: Any) -> NoReturn:
            raise TypeError(self._used)

        __await__ = __iter__ = __enter__ = __exit__ = _refuse
