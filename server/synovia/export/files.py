"""Files that are there only when they are whole."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from synovia.export.errors import ExportError
from synovia.store.disk_names import sync_names


@contextmanager
def whole_file(path: Path, *, replace: bool = False) -> Iterator[BinaryIO]:
    """Give a file to write, beside the one that it becomes when the block has ended well; only its user may read it.

    Args:
        replace: Whether there may be one already.

    Raises:
        ExportError: There is one, or it cannot be written.
    """
    if path.exists() and not replace:
        raise ExportError(f"{path} is there already; --force writes over it")
    beside = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise ExportError(f"{path}: {error.strerror or error}") from None
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(beside, path)
        sync_names(path.parent)
    except OSError as error:
        raise ExportError(f"{path}: {error.strerror or error}") from None
    finally:
        with suppress(OSError):  # the disk may be read-only by now
            beside.unlink(missing_ok=True)
