"""A motion-analysis program for physiotherapists, on Synovia; docs/motion.md says what is where."""

__synovia_modules__ = ("schema", "roles", "functions")
