"""The command line: ``synovia dev``, ``synovia serve`` and ``synovia run``."""

from synovia.cli.commands import main

__all__ = ["main"]
