"""The command line, and what other programs need that run a server themselves or have a command line of their own."""

from synovia.cli.commands import main
from synovia.cli.options import without_secret
from synovia.cli.server import AddressError, listen, make_server

__all__ = ["AddressError", "listen", "main", "make_server", "without_secret"]
