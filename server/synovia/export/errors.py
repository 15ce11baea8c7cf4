"""What is wrong with an export, or with where it is to go."""

from __future__ import annotations


class ExportError(Exception):
    """The export cannot be imported; each line of the message is a place and what is wrong there."""


class ImportRefused(ExportError):
    """The database is not one into which this file may be imported; the message says what to do."""
