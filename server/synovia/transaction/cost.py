"""What a run has read so far, for whoever has to say why it took so long."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(slots=True)
class ReadCost:
    """The scans of a run.

    Attributes:
        documents: How many documents each table gave by each index.
        unfinished: The table and the index of the scan that was under way when the run ended.
    """

    documents: dict[tuple[str, str], int] = field(default_factory=dict)
    unfinished: tuple[str, str] | None = None

    def add(self, table: str, index: str, documents: int) -> None:
        """Count the documents of a scan."""
        self.documents[table, index] = self.documents.get((table, index), 0) + documents

    def __str__(self) -> str:
        done = [f"{read:,} documents of {_named(*place)}" for place, read in self.documents.items()]
        under_way = [f"a part of {_named(*self.unfinished)}"] if self.unfinished else []
        return " and ".join(done + under_way) or "no table"


def _named(table: str, index: str) -> str:
    return f"{table} by the index {index}"
