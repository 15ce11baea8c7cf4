"""Codes of errors of files, beside those of the protocol."""

from __future__ import annotations

from typing import Final

from synovia.functions.files import UPLOAD_NOT_FOUND

__all__ = ["DIGEST_MISMATCH", "FILE_TOO_LARGE", "FILE_TYPE_REFUSED", "OFFSET_MISMATCH", "UPLOAD_NOT_FOUND"]

FILE_TOO_LARGE: Final = "file_too_large"
FILE_TYPE_REFUSED: Final = "file_type_refused"
OFFSET_MISMATCH: Final = "upload_offset_mismatch"
DIGEST_MISMATCH: Final = "file_digest_mismatch"
