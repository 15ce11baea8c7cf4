"""What the databases of these tests hold."""

from __future__ import annotations

from synovia.keys import IndexSpec
from synovia.schema.specs import TableSpec

USERS = TableSpec(
    "users",
    (
        IndexSpec("by_owner", ("owner", "n")),
        IndexSpec("by_email", ("email",), unique=True),
        IndexSpec("by_tag", ("tags", "n")),
        IndexSpec("by_contact", ("contacts.userId",)),
    ),
)
NOTES = TableSpec("notes", (IndexSpec("by_text", ("text",)),))
