"""A ticketing and event platform on Synovia; README.md says what it shows."""

__synovia_modules__ = ("schema", "access", "functions", "seeds")
