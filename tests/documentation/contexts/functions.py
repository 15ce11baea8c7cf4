"""What docs/functions.md takes for granted."""

from synovia import Index, Table


class Editor(Table, indexes=[Index("by_seen", "seen_at")]):
    seen_at: int
