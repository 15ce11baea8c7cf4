"""Who is here now: rooms in which clients show each other a small state, without a write to the database."""
