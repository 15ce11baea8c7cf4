"""Stores: the contract (``base``), the databases that keep it, and arrays on top of any of them."""

from __future__ import annotations

from synovia.store.base import Store, StoreUnavailable

_SQLITE = "sqlite://"


def open_store(url: str) -> Store:
    """Give the store that a URL names; it is not open yet.

    Args:
        url: ``mongodb://HOST/DATABASE?replicaSet=...`` (or ``mongodb+srv://``; the database is ``synovia`` by default),
            ``sqlite:///FILE`` (a fourth slash makes the file absolute) or ``sqlite://:memory:``.

    Raises:
        StoreUnavailable: It names none.
    """
    if url.startswith(_SQLITE):
        return _sqlite(url.removeprefix(_SQLITE))
    if url.startswith(("mongodb://", "mongodb+srv://")):
        return _mongo(url)
    raise StoreUnavailable(f"{_without_secrets(url)} names no store: mongodb://..., sqlite:///FILE, sqlite://:memory:")


def _sqlite(rest: str) -> Store:
    from synovia.store.sqlite import SQLiteStore

    if rest == ":memory:":
        return SQLiteStore()
    if not rest.startswith("/") or rest == "/":
        raise StoreUnavailable("a SQLite store is sqlite:///FILE or sqlite://:memory:")
    return SQLiteStore(rest[1:])


def _mongo(url: str) -> Store:
    from synovia.store.mongo import MongoStore

    return MongoStore(url)


def _without_secrets(url: str) -> str:
    return url.split("://", 1)[0] + "://..." if "://" in url else url
