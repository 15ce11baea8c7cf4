"""What a store is asked while something runs."""

from __future__ import annotations

from typing import Any

from synovia.keys import IndexSpec
from synovia.store.base import Snapshot, Store, Ts


class ReadRecorder:
    """Notes which of an application's tables and indexes a store is asked for, and lets it answer as ever."""

    def __init__(self, store: Store) -> None:
        self._questions: list[str] = []
        snapshot = store.snapshot
        store.snapshot = lambda ts: _NotingSnapshot(snapshot(ts), self._questions)  # type: ignore[method-assign]

    def take(self) -> list[str]:
        """Give the questions since the last call, in order."""
        taken = self._questions[:]
        self._questions.clear()
        return taken


class _NotingSnapshot:
    def __init__(self, snapshot: Snapshot, questions: list[str]) -> None:
        self._snapshot = snapshot
        self._questions = questions

    @property
    def ts(self) -> Ts:
        return self._snapshot.ts

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._snapshot, name)

        def noted(table: str, *args: Any, **options: Any) -> Any:
            index = next((f" by {arg.name}" for arg in args if isinstance(arg, IndexSpec)), "")
            if not table.startswith("_"):  # signing in and the scheduler go on meanwhile
                self._questions.append(f"{name} {table}{index}")
            return method(table, *args, **options)

        return noted
