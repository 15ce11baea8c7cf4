"""HTTP beside the socket. For applications: ``from synovia import http`` and ``@http.route(...)``."""

from synovia.functions.routing import route
from synovia.http.in_hosts import exception_handlers

__all__ = ["exception_handlers", "route"]
