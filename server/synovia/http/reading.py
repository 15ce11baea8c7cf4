"""What a request says before any function sees it: who asks, and a body within its limits."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from starlette.requests import ClientDisconnect, Request
from starlette.types import Message, Receive

from synovia.http.errors import BAD_HEADER, BAD_JSON, UNSUPPORTED_MEDIA_TYPE, Refused
from synovia.http.values import JsonError, TooMuch, load
from synovia.identity import Account, Authenticator, Identity, InvalidToken, SignInUnavailable
from synovia.limits.addresses import Address
from synovia.limits.meter import Meter
from synovia.sync.hub import Hub
from synovia_protocol.errors import ErrorCode

logger = logging.getLogger("synovia.http")

T = TypeVar("T")

UNVERIFIED_RETRY_SECONDS = 10.0
_SMALL = 32_768
"""Up to so many bytes, reading or writing JSON takes less than a few milliseconds."""


def refuse_while_stopping(hub: Hub) -> None:
    """Begin nothing new at a hub that is stopping.

    Raises:
        Refused: It is.
    """
    if hub.requests.stopping:
        raise Refused(ErrorCode.STOPPING, "this server is stopping")


async def caller_at(hub: Hub, request: Request) -> Identity | None:
    """Tell who asks something of a hub; see ``caller_of``."""
    return await caller_of(request, hub.authenticator, hub.limits.authenticate_timeout)


async def caller_of(request: Request, authenticator: Authenticator, seconds: float) -> Identity | None:
    """Tell who asks, by ``Authorization: Bearer``; None if the request does not say.

    Raises:
        Refused: The token is not accepted, or cannot be verified now.
    """
    token = bearer_token(request)
    if token is None:
        return None
    try:
        async with asyncio.timeout(seconds):
            return (await authenticator.authenticate(token, exchange=False)).identity
    except InvalidToken as error:
        raise Refused(ErrorCode.INVALID_TOKEN, str(error)) from None
    except TimeoutError:
        text = "the token could not be verified in time"
    except SignInUnavailable as error:
        text = str(error)
    except Exception:
        logger.exception("a token could not be verified")
        text = "the token could not be verified"
    raise Refused(ErrorCode.SERVER_ERROR, text, status=503, retry_after=UNVERIFIED_RETRY_SECONDS)


def bearer_token(request: Request) -> str | None:
    """Give the token of the header ``Authorization``.

    Raises:
        Refused: The header is there and holds none.
    """
    given = request.headers.getlist("authorization")
    if not given:
        return None
    scheme, _, token = given[0].partition(" ")
    if len(given) > 1 or scheme.lower() != "bearer" or not token.strip():
        raise Refused(ErrorCode.INVALID_TOKEN, "send one token, as Authorization: Bearer TOKEN")
    return token.strip()


def account_of(request: Request, address: Address) -> Account:
    """Tell whom a request is charged to: its address, and of what that asks for, its connection."""
    return Account(address, request.scope.get("client"))


@asynccontextmanager
async def while_awaited(receive: Receive) -> AsyncIterator[None]:
    """End the block when nobody waits for the answer any more.

    Args:
        receive: Of a request whose body has been read.

    Raises:
        ClientDisconnect: The client has gone.
    """
    left = asyncio.timeout(None)
    watching = asyncio.create_task(_wait_for_end(receive, left), name="client there")
    try:
        async with left:
            yield
    except TimeoutError:
        if left.expired():
            raise ClientDisconnect from None
        raise
    finally:
        watching.cancel()


async def _wait_for_end(receive: Receive, left: asyncio.Timeout) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    left.reschedule(asyncio.get_running_loop().time())


@asynccontextmanager
async def one_more(address: Address) -> AsyncIterator[None]:
    """Count what runs for an address while the block does.

    Raises:
        Refused: As much as may is running already.
    """
    if address.running.are_taken:
        raise Refused(ErrorCode.LIMIT_EXCEEDED, "too many functions are already running on this address", status=429)
    async with address.running:
        yield


def bounded(receive: Receive, most: int, seconds: float, meter: Meter) -> Receive:
    """Let a body through, no faster than its address may send.

    It raises ``Refused`` beyond ``most`` bytes, and when no part of it comes within ``seconds``.
    """
    got = 0

    async def receive_some() -> Message:
        nonlocal got
        try:
            async with asyncio.timeout(seconds):
                message = await receive()
        except TimeoutError:
            raise Refused(ErrorCode.TIMEOUT, f"nothing more of the body came for {seconds:g} s", status=408) from None
        size = len(message.get("body", b""))
        got += size
        if got > most:
            raise too_large(most)
        meter.take(0, size, time.monotonic())
        if (wait := meter.wait(time.monotonic())) > 0:
            await asyncio.sleep(wait)
        return message

    return receive_some


def too_large(most: int) -> Refused:
    """Make the refusal of a body."""
    return Refused(ErrorCode.TOO_LARGE, f"the body has more than the {most:,} bytes that it may have", {"limit": most})


def check_length(request: Request, most: int) -> None:
    """Refuse a body that is too large by its own word, before any of it is read."""
    length = request.headers.get("content-length", "")
    if length.isdecimal() and int(length[:20]) > most:
        raise too_large(most)


async def body_of(request: Request, most: int, seconds: float, meter: Meter) -> bytes:
    """Read a body that is said to be JSON.

    Raises:
        Refused: It is too large, or too slow, or said to be something else.
        ClientDisconnect: Nobody is there any more.
    """
    check_type(request)
    check_length(request, most)
    return await Request(request.scope, bounded(request.receive, most, seconds, meter)).body()


async def json_body(request: Request, most: int, seconds: float, meter: Meter) -> Any:
    """Read a body of JSON as a wire value.

    Raises:
        Refused: It is not JSON, or too large, or too slow.
        ClientDisconnect: Nobody is there any more.
    """
    return await read_json(await body_of(request, most, seconds, meter))


async def read_json(body: bytes) -> Any:
    """Read JSON as a wire value.

    Raises:
        Refused: It is none.
    """
    try:
        return await at_leisure(len(body), lambda: load(body))
    except TooMuch as error:
        raise Refused(ErrorCode.TOO_LARGE, str(error)) from None
    except JsonError as error:
        raise Refused(BAD_JSON, str(error)) from None


async def at_leisure(size: int, work: Callable[[], T]) -> T:
    """Do some work on ``size`` bytes; in a thread if it would hold up the event loop."""
    return work() if size < _SMALL else await asyncio.to_thread(work)


def check_type(request: Request) -> None:
    """Insist on the content type: forms of other sites, which browsers send without asking, cannot have it."""
    kind, _, parameters = request.headers.get("content-type", "").partition(";")
    charset = parameters.strip().lower().removeprefix("charset=").strip('"')
    if kind.strip().lower() != "application/json" or charset not in ("", "utf-8"):
        raise Refused(UNSUPPORTED_MEDIA_TYPE, "send the body as application/json, in UTF-8")
    if request.headers.get("content-encoding", "identity").lower() != "identity":
        raise Refused(UNSUPPORTED_MEDIA_TYPE, "send the body uncompressed")


def number_header(request: Request, name: str) -> int | None:
    """Read a header that holds a whole number.

    Raises:
        Refused: It holds something else.
    """
    text = request.headers.get(name)
    if text is None:
        return None
    if not (text.isascii() and text.isdecimal() and len(text) < 20):
        raise Refused(BAD_HEADER, f"{name} is a whole number")
    return int(text)
