"""What h11 takes as the head of a request, and this server does not."""

from __future__ import annotations

from typing import Any

import h11

_FRAMINGS = frozenset({b"content-length", b"transfer-encoding"})


class StrictConnection(h11.Connection):
    """The server's end of an HTTP/1.1 connection.

    Args:
        most: The largest head of a request in bytes. h11 itself counts only heads that have not come as a whole.

    Attributes:
        head_too_long: A head was larger than that.
    """

    def __init__(self, most: int) -> None:
        super().__init__(h11.SERVER, most)
        self._most = most
        self.head_too_long = False

    def next_event(self) -> Any:
        """Give the next event; see ``h11.Connection.next_event``."""
        if self.their_state is not h11.IDLE:
            return super().next_event()
        before = len(self.trailing_data[0])
        try:
            event = super().next_event()
        except h11.RemoteProtocolError as error:
            self.head_too_long = error.error_status_hint == 431
            raise
        if not isinstance(event, h11.Request):
            return event
        if before - len(self.trailing_data[0]) > self._most:
            self.head_too_long = True
            raise h11.RemoteProtocolError("the head is too long", error_status_hint=431)
        return _framed_once(event)


def _framed_once(request: h11.Request) -> h11.Request:
    """Have a request with two ways of framing its body be read by one of them, and be the last of its connection.

    Whoever stands before this server may have read it by the other: what follows is not to be trusted (RFC 9112, 6.1).
    """
    if not {name for name, _ in request.headers} >= _FRAMINGS:
        return request
    headers = [(name, value) for name, value in request.headers if name not in (b"content-length", b"connection")]
    return h11.Request(
        method=request.method,
        target=request.target,
        headers=[*headers, (b"connection", b"close")],
        http_version=request.http_version,
    )
