"""HTTP beside the socket. For applications: ``from synovia import http`` and ``@http.route(...)``."""

from synovia.routing import route

__all__ = ["route"]
