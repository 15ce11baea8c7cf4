"""The store on MongoDB: natural documents, one transaction per commit, one change stream for the log."""

from __future__ import annotations

from synovia.store.mongo.store import MongoStore

__all__ = ["MongoStore"]
