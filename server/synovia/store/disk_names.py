"""Waiting for the disk to have the names of files and folders: what is in a file is lost with its name."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Final


def sync_names(folder: Path) -> None:
    """Wait until the disk has the names in a folder, where the system lets one ask for that.

    Raises:
        OSError: The disk has not taken them.
    """
    if not hasattr(os, "O_DIRECTORY"):
        return
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    except PermissionError:  # it may be passed through, but not read
        return
    try:
        _sync_folder(descriptor)
    except OSError as error:
        if error.errno not in _NEVER_SYNCS:
            raise
    finally:
        os.close(descriptor)


_sync_folder: Final = os.fsync
_NEVER_SYNCS: Final = {errno.EINVAL, errno.ENOTSUP, errno.EROFS}
"""What a file system says that syncs no folders, or has none that change."""
