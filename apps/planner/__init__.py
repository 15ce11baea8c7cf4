"""A schedule service for many organizations, on Synovia; README.md says what it shows."""

__synovia_modules__ = ("schema", "access", "queries", "mutations", "seeds")
