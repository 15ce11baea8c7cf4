"""Fetch a JSON document over HTTP within a deadline, on the event loop: no thread is left behind by a server that hangs."""

from __future__ import annotations

import asyncio
import json
import re
import ssl
from dataclasses import dataclass
from typing import Any
from urllib.parse import SplitResult, urlsplit

import h11

from synovia.hosts import is_loopback

MOST_BYTES = 262_144
_MAX_AGE = re.compile(r"(?:^|[\s,])max-age=(\d{1,9})(?:$|[\s,])")


class FetchError(Exception):
    """A document could not be fetched; the message says why and is for the log."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """A document, and for how many seconds its server says it is good (None: it does not say)."""

    value: Any
    max_age: float | None


def check_url(url: str) -> str:
    """Give the URL back if keys may be fetched from there.

    Raises:
        ValueError: It is not https, nor http on this machine.
    """
    address = urlsplit(url)
    plain = address.scheme == "http" and is_loopback(address.hostname or "")
    if not address.hostname or not (address.scheme == "https" or plain):
        raise ValueError(f"{url!r} is not an https URL")
    return url


async def fetch_json(url: str, *, seconds: float) -> Fetched:
    """Fetch a JSON document of at most 256 KiB; redirects are not followed.

    Args:
        seconds: For everything, from the name's resolution to the last byte.

    Raises:
        FetchError: It cannot be had.
    """
    try:
        async with asyncio.timeout(seconds):
            return await _fetch(urlsplit(check_url(url)))
    except TimeoutError:
        raise FetchError(f"{url}: no answer within {seconds:g} s") from None
    except (OSError, h11.RemoteProtocolError, ValueError, RecursionError) as error:
        raise FetchError(f"{url}: {error}") from error


async def _fetch(address: SplitResult) -> Fetched:
    secure = address.scheme == "https"
    context = await asyncio.to_thread(ssl.create_default_context) if secure else None
    port = address.port or (443 if secure else 80)
    reader, writer = await asyncio.open_connection(address.hostname, port, ssl=context)
    try:
        connection = h11.Connection(h11.CLIENT)
        writer.write(_request(connection, address))
        response, body = await _response(connection, reader)
    finally:
        writer.transport.abort()
    if response.status_code != 200:
        raise ValueError(f"status {response.status_code}")
    return Fetched(json.loads(body), _max_age(response))


def _request(connection: h11.Connection, address: SplitResult) -> bytes:
    target = (address.path or "/") + (f"?{address.query}" if address.query else "")
    headers = [("Host", address.netloc.rpartition("@")[2]), ("Accept", "application/json"), ("Connection", "close")]
    request = connection.send(h11.Request(method="GET", target=target, headers=headers)) or b""
    return request + (connection.send(h11.EndOfMessage()) or b"")


async def _response(connection: h11.Connection, reader: asyncio.StreamReader) -> tuple[h11.Response, bytes]:
    response, body = None, bytearray()
    while True:
        event = connection.next_event()
        if event is h11.NEED_DATA:
            connection.receive_data(await reader.read(65_536))
        elif isinstance(event, h11.Response):
            response = event
        elif isinstance(event, h11.Data):
            body += event.data
            if len(body) > MOST_BYTES:
                raise ValueError(f"more than {MOST_BYTES} bytes")
        elif isinstance(event, h11.EndOfMessage) and response is not None:
            return response, bytes(body)
        elif not isinstance(event, h11.InformationalResponse):
            raise ValueError("the server ended the connection")


def _max_age(response: h11.Response) -> float | None:
    for name, value in response.headers:
        if name == b"cache-control" and (found := _MAX_AGE.search(value.decode("latin-1").lower())):
            return float(found[1])
    return None
