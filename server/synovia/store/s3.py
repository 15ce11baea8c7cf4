"""Objects in S3, or in what speaks its protocol, by ``obstore``: the extra ``synovia[s3]``.

Credentials, region and endpoint are those of the environment, as of all programs for S3: ``AWS_ACCESS_KEY_ID``,
``AWS_SECRET_ACCESS_KEY``, ``AWS_REGION``, ``AWS_ENDPOINT_URL``.
"""

from __future__ import annotations

import logging
import os
from collections.abc import AsyncIterator, Sequence
from datetime import datetime, timedelta
from typing import Any, Final
from urllib.parse import urlsplit

from synovia.store.base import ObjectsUnavailable, StoreUnavailable

logger = logging.getLogger("synovia")

_TIMEOUT: Final = timedelta(seconds=30)
_CONNECT_TIMEOUT: Final = timedelta(seconds=5)
_RETRY_TIMEOUT: Final = timedelta(seconds=10)
_RETRIES: Final = 2
_PAGE: Final = 1_000


class S3Objects:
    """The objects under a prefix of a bucket.

    Args:
        url: ``s3://BUCKET`` or ``s3://BUCKET/PREFIX``.

    Raises:
        StoreUnavailable: It names no bucket, or the library is missing.
    """

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme != "s3" or not parts.hostname or parts.username or parts.query or parts.fragment:
            raise StoreUnavailable("SYNOVIA_FILES_STORE names no bucket: s3://BUCKET or s3://BUCKET/PREFIX")
        try:
            import obstore
            from obstore.exceptions import BaseError
            from obstore.store import S3Store
        except ImportError:
            raise StoreUnavailable("SYNOVIA_FILES_STORE needs a library: pip install 'synovia[s3]'") from None
        self._library: Any = obstore
        self._errors: tuple[type[Exception], ...] = (BaseError, OSError)
        http = os.environ.get("AWS_ENDPOINT_URL", os.environ.get("AWS_ENDPOINT", "")).startswith("http://")
        try:
            self._bucket: Any = S3Store(
                parts.hostname,
                prefix=parts.path.strip("/") or None,
                client_options={"timeout": _TIMEOUT, "connect_timeout": _CONNECT_TIMEOUT, "allow_http": http},
                retry_config={"max_retries": _RETRIES, "retry_timeout": _RETRY_TIMEOUT},
            )
        except self._errors as error:
            raise self._unavailable(error) from error

    async def put(self, name: str, data: bytes) -> None:
        """Store an object."""
        try:
            await self._library.put_async(self._bucket, name, data, use_multipart=False)
        except self._errors as error:
            raise self._unavailable(error) from error

    async def get(self, name: str) -> bytes | None:
        """Read an object, None if there is none."""
        try:
            found = await self._library.get_async(self._bucket, name)
            return bytes(await found.bytes_async())
        except FileNotFoundError:
            return None
        except self._errors as error:
            raise self._unavailable(error) from error

    async def has(self, name: str) -> bool:
        """Tell whether there is an object."""
        try:
            await self._library.head_async(self._bucket, name)
        except FileNotFoundError:
            return False
        except self._errors as error:
            raise self._unavailable(error) from error
        return True

    async def delete(self, names: Sequence[str]) -> None:
        """Delete objects; those that are not there are no error."""
        try:
            for name in names:
                await self._library.delete_async(self._bucket, name)
        except FileNotFoundError:
            await self.delete(names[names.index(name) + 1 :])
        except self._errors as error:
            raise self._unavailable(error) from error

    async def older_than(self, before: datetime) -> AsyncIterator[list[str]]:
        """Name the objects that were stored before a time, page by page."""
        try:
            async for page in self._library.list(self._bucket, chunk_size=_PAGE):
                yield [each["path"] for each in page if each["last_modified"] < before]
        except self._errors as error:
            raise self._unavailable(error) from error

    @staticmethod
    def _unavailable(error: Exception) -> ObjectsUnavailable:
        line = (str(error).strip().splitlines() or [type(error).__name__])[0]
        text = f"the object store of files cannot be used: {line:.200}"
        logger.warning("%s", text)
        return ObjectsUnavailable(text)
