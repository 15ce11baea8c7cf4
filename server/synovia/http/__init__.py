"""HTTP beside the socket. For applications: ``from synovia import http`` and ``@http.route(...)``."""

from synovia.functions.routing import route

__all__ = ["route"]
