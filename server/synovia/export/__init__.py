"""Synovia's own export: one file with the documents and arrays of a database at one instant; see docs/export-format.md."""
