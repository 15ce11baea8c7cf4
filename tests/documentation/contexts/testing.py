"""What docs/testing.md takes for granted."""

from pathlib import Path

from synovia.store.sqlite import SQLiteStore


class MyStore(SQLiteStore):
    def __init__(self, folder: Path) -> None:
        super().__init__(str(folder))
