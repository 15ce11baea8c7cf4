"""How far a long command is: a bar on a terminal, nothing on a pipe."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

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
    from rich import progress as rich  # what no other command needs

    columns = rich.SpinnerColumn(), rich.TextColumn("{task.description}"), rich.BarColumn()
    done, elapsed = rich.TextColumn("{task.fields[done]}"), rich.TimeElapsedColumn()
    with rich.Progress(*columns, done, elapsed, console=err, transient=True) as bars:
        total = None if documents is None else documents + array_bytes / 1000
        task = bars.add_task(words, total=total, done="")

        def told(so_far: Done) -> None:
            text = f"{so_far.documents:,} documents, {so_far.arrays:,} arrays ({so_far.bytes / _BYTES:,.0f} MB)"
            bars.update(task, completed=so_far.documents + so_far.bytes / 1000, done=text)

        yield told
