"""Students, their education programs, goals, data and documents, on Synovia; README.md says what it shows."""

__synovia_modules__ = (
    "schema", "access", "organizations", "students", "ieps", "goals", "documents", "records", "reports", "seeds",
)  # fmt: skip
