"""How far a long command is: a bar on a terminal, nothing on a pipe."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from synovia.cli.reporting import err
from synovia.export.writing import Progress as Done

_BYTES = 1_000_000


@contextmanager
def shown(words: str, documents: int | None = None, array_bytes: int = 0) -> Iterator[Callable[[Done], None]]:
    """Show the progress of an export or an import until the block ends.

    Args:
        words: What is being done.
        documents: How many documents it is about; None: nobody knows.
        array_bytes: How many bytes of arrays, if documents are known.
    """
    if not err.is_terminal:
        yield lambda _: None
        return
    columns = SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[done]}")
    with Progress(*columns, TimeElapsedColumn(), console=err, transient=True) as bars:
        total = None if documents is None else documents + array_bytes / 1000
        task = bars.add_task(words, total=total, done="")

        def told(done: Done) -> None:
            text = f"{done.documents:,} documents, {done.arrays:,} arrays ({done.bytes / _BYTES:,.0f} MB)"
            bars.update(task, completed=done.documents + done.bytes / 1000, done=text)

        yield told
