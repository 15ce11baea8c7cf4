"""How much one HTTP request may ask for."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Bytes = Annotated[int, Field(ge=1024)]
Seconds = Annotated[float, Field(gt=0, allow_inf_nan=False)]


class HttpSettings(BaseModel):
    """Settings of what is served beside the socket: ``SYNOVIA_HTTP_MAX_BODY_BYTES`` and so on.

    Attributes:
        max_body_bytes: The largest body of a request; a route can say otherwise.
        body_timeout: Seconds in which something more of a body has to come.
        request_timeout: Seconds for a function to answer; a route can say otherwise.
        openapi: Whether ``/openapi.json`` describes the functions that clients may call.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    max_body_bytes: Bytes = 1 << 20
    body_timeout: Seconds = 20.0
    request_timeout: Seconds = 60.0
    openapi: bool = True
