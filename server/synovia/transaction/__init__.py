"""One run's view of the database: what it reads, what it read before, and what it writes."""
