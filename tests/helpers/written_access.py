"""The access matrix that an application keeps beside its code, held against what it is today."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from synovia.testing import access_matrix


async def check_written_access(application: Path, callers: Mapping[str, str | None]) -> None:
    """Expect of ``ACCESS.md``, below its own words, what ``synovia access`` writes with ``--as`` for each caller."""
    written = (application / "ACCESS.md").read_text(encoding="utf-8")
    assert written.partition("\n\n## ")[2] == str(await access_matrix(application, callers)).removeprefix("## ")
