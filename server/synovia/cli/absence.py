"""What is answered where no server is: who calls one that has not started would wait until it does."""

from __future__ import annotations

import os
import socket
from typing import Final

_BODY: Final = (
    b'{"error":{"code":"stopping","message":"the application does not start: its fault stands where `synovia dev` runs",'
    b'"data":null}}'
)
_ANSWER: Final = (
    b"HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/json\r\nRetry-After: 1\r\nConnection: close\r\n"
    b"Content-Length: %d\r\n\r\n%b" % (len(_BODY), _BODY)
)
_MOST: Final = 50
"""So many are answered at once; more wait for their turn."""
_READ_SECONDS: Final = 0.1
_LONGEST: Final = 65536


def answer_waiting(fd: int) -> None:
    """Tell those that wait in the queue of a listening socket that no server is there, and to come again in a second."""
    with socket.socket(fileno=os.dup(fd)) as listening:
        listening.setblocking(False)
        for _ in range(_MOST):
            try:
                connection, _address = listening.accept()
            except OSError:  # nobody waits, or who did is gone
                return
            with connection:
                _answer(connection)


def _answer(connection: socket.socket) -> None:
    connection.settimeout(_READ_SECONDS)
    try:
        connection.recv(_LONGEST)  # what is not read when a socket is closed takes the answer away with it
        connection.sendall(_ANSWER)
    except OSError:
        return
