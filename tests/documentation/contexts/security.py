"""What docs/security.md takes for granted."""

from synovia import Index, Table


class User(Table, indexes=[Index("by_auth_id", "auth_id", unique=True), Index("by_email", "email", unique=True)]):
    auth_id: str
    email: str
