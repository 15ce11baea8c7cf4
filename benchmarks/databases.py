"""Databases of a benchmark's own on the replica set, dropped when it ends."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from pymongo import AsyncMongoClient

from benchmarks.results import Setting


@dataclass(frozen=True, slots=True)
class Database:
    """A database's name, and its address with and without the name."""

    name: str
    uri: str

    @property
    def url(self) -> str:
        return urlsplit(self.uri)._replace(path=f"/{self.name}").geturl()


@asynccontextmanager
async def database(setting: Setting) -> AsyncIterator[Database]:
    """Give a database that nobody else uses."""
    chosen = Database(f"benchmark_{secrets.token_hex(6)}", setting.mongodb)
    try:
        yield chosen
    finally:
        async with AsyncMongoClient[dict[str, Any]](setting.mongodb) as client:
            await client.drop_database(chosen.name)
