"""Members, courses, events and support of many tenants, as a normalized model, on Synovia; README.md says what it shows."""

__synovia_modules__ = ("schema", "access", "members", "courses", "events", "support", "reports", "seeds")
