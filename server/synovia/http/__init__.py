"""HTTP beside the socket. For applications: ``from synovia import http`` and ``@http.route(...)``."""

from synovia.functions.routing import route
from synovia.http.bodies import json_body, query_params
from synovia.http.in_hosts import exception_handlers
from synovia.http.webhooks import Delivery, signed_delivery, signed_headers

__all__ = [
    "Delivery", "exception_handlers", "json_body", "query_params", "route", "signed_delivery", "signed_headers",
]  # fmt: skip
