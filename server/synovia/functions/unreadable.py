"""Documents that functions cannot read: an error of whoever asks for one, left out of lists, named once, and counted."""

from __future__ import annotations

import hashlib
import logging
from collections import Counter
from typing import Final

from synovia.errors import CodedError
from synovia.schema.misfits import Misfit
from synovia_protocol.errors import ErrorCode, ErrorInfo

logger = logging.getLogger("synovia")

MOST_NAMED: Final = 100
"""So many documents of one table are named in the log, and known one by one."""


class UnreadableDocument(CodedError):
    """The document that was asked for does not fit its table.

    Attributes:
        misfit: Which one it is, and what is wrong with it. Callers are not told.
    """

    CODE = ErrorCode.UNREADABLE_DOCUMENT

    def __init__(self, misfit: Misfit) -> None:
        super().__init__(str(misfit))
        self.misfit = misfit

    @property
    def info(self) -> ErrorInfo:
        reference = reference_of(self.misfit)
        text = f"a document that is needed for this cannot be read (error {reference})"
        return ErrorInfo(self.code, text, {"id": reference})

    @property
    def full_info(self) -> ErrorInfo:
        """The same for a developer: it names the document."""
        return ErrorInfo(self.code, self.message, {"id": reference_of(self.misfit)})


def reference_of(misfit: Misfit) -> str:
    """Give what stands for a misfit where its document must not be named; always the same."""
    return hashlib.sha256(f"{misfit.table}\0{misfit.id}\0{misfit.field}".encode()).hexdigest()[:8]


class UnreadableDocuments:
    """The documents that this hub knows not to fit their tables."""

    def __init__(self) -> None:
        self._known: dict[str, dict[str, Misfit]] = {}
        self._more: Counter[str] = Counter()

    def __len__(self) -> int:
        """Tell how many are known: at least so many there are."""
        return sum(map(len, self._known.values()))

    def note(self, misfit: Misfit) -> None:
        """Take notice of one, and name it in the log the first time."""
        known = self._known.setdefault(misfit.table, {})
        if known.get(misfit.id) == misfit:
            return
        if misfit.id in known or len(known) < MOST_NAMED:
            known[misfit.id] = misfit
            logger.warning("%s (error %s); lists leave it out", misfit, reference_of(misfit))
        elif not self._more[misfit.table]:
            self._more[misfit.table] = 1
            logger.warning(
                "more than %d documents of %s cannot be read; `synovia migrate --plan` counts them",
                MOST_NAMED,
                misfit.table,
            )

    def forget(self, misfit: Misfit) -> None:
        """Forget one that has been mended, or is gone."""
        known = self._known.get(misfit.table, {})
        if known.get(misfit.id) == misfit:
            del known[misfit.id]

    def of(self, table: str) -> list[Misfit]:
        """List those that are known of a table."""
        return [*self._known.get(table, {}).values()]
