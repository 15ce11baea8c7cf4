"""Mutations and actions that have no answer yet: what goes out, in which order, and what a broken connection means."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Literal

from synovia_client.errors import ConnectionLost, SynoviaError
from synovia_client.queries import LiveQuery
from synovia_client.uploads import Upload

Kind = Literal["mutation", "action"]


class RequestNumbers:
    """Counts the requests of a session. A number is never given twice: the server knows a retried mutation by it."""

    def __init__(self, first: int = 1) -> None:
        if first < 1:
            raise ValueError("requests are counted from 1")
        self.following = first

    def take(self) -> int:
        """Give the next number."""
        number = self.following
        self.following += 1
        return number


class Request:
    """One mutation or action.

    Attributes:
        answer: Gets the result, or the error.
        needs_sign_in: Its caller was signed in, or signing in: it is not sent while nobody is. None: not known yet, because
            the program has yet to say whether it has a token.
        postponed: It has been refused for a while, and goes again after that.
        too_late: How often the server has not run it because a sign-in had ended.
        tried: It was handed to a socket at least once, so the server may have it.
        issued_at: When it was first sent, by the server's clock. Not reckoned anew for a retry: this machine may have slept.
        upload: Its arrays, which go ahead of it.
        kept: It is in the outbox file, and stays in line when its caller gives up.
        stored: The file has it, and that it may have been sent from now on; only then may it go.
        detached: Nobody waits for it: its caller has given up, or belonged to an earlier run of the program.
        needs: The queries that show the arrays it only refers to; the server looks for them there.
        traceparent: What the caller traces; the outbox does not keep it.
    """

    __slots__ = (
        "answer",
        "args",
        "detached",
        "issued_at",
        "kept",
        "kind",
        "needs",
        "needs_sign_in",
        "path",
        "postponed",
        "request_id",
        "stored",
        "too_late",
        "traceparent",
        "tried",
        "upload",
    )  # fmt: skip

    def __init__(
        self,
        request_id: int,
        kind: Kind,
        path: str,
        args: dict[str, Any],
        upload: Upload | None,
        needs: Sequence[LiveQuery],
        *,
        needs_sign_in: bool | None = False,
    ) -> None:
        self.needs_sign_in = needs_sign_in
        self.request_id = request_id
        self.kind = kind
        self.path = path
        self.args = args
        self.upload = upload
        self.needs = needs
        self.postponed = False
        self.too_late = 0
        self.tried = False
        self.kept = False
        self.stored = True
        self.detached = False
        self.issued_at: int | None = None
        self.traceparent: str | None = None
        self.answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()

    @property
    def uploading(self) -> bool:
        """Whether array frames are still to go before the message may."""
        return self.upload is not None and not self.upload.done

    @property
    def held_back(self) -> bool:
        """Whether something has to come before the message."""
        return self.postponed or not self.stored or self.uploading or not all(query.confirmed for query in self.needs)

    @property
    def given_up(self) -> bool:
        """Whether nobody waits for the answer any more."""
        return self.answer.done()

    def fail(self, error: SynoviaError) -> None:
        """Give the caller an error."""
        if not self.answer.done():
            self.answer.set_exception(error)

    def succeed(self, result: Any) -> None:
        """Give the caller the result."""
        if not self.answer.done():
            self.answer.set_result(result)


class Requests:
    """All unanswered requests, by number: those still to go, and those that the present connection has taken.

    Attributes:
        signed_in: Whether the present connection is signed in; requests that need that wait until it is.
        one_by_one: Send the next request only when the one before is answered: the server has refused to read one of
            several, and it is to be found out which.
    """

    def __init__(self, numbers: RequestNumbers) -> None:
        self.signed_in = False
        self.one_by_one = False
        self._numbers = numbers
        self._to_go: dict[int, Request] = {}
        self._in_flight: dict[int, Request] = {}

    def __len__(self) -> int:
        return len(self._to_go) + len(self._in_flight)

    def __iter__(self) -> Iterator[Request]:
        yield from [*self._in_flight.values(), *self._to_go.values()]

    @property
    def actions_in_flight(self) -> int:
        return sum(request.kind == "action" for request in self._in_flight.values())

    def add(
        self,
        kind: Kind,
        path: str,
        args: dict[str, Any],
        upload: Upload | None = None,
        needs: Sequence[LiveQuery] = (),
        *,
        needs_sign_in: bool | None = False,
    ) -> Request:
        """Take a request in; it goes out when the connection can take it."""
        request = Request(self._numbers.take(), kind, path, args, upload, needs, needs_sign_in=needs_sign_in)
        self.take_in(request)
        return request

    def take_in(self, request: Request) -> None:
        """Put a request in line."""
        self._to_go[request.request_id] = request

    def drop(self, request: Request) -> None:
        """Forget a request whose caller has given up, unless one of its arrays is half sent: that one is finished first."""
        self._in_flight.pop(request.request_id, None)
        if request.upload is not None:
            request.upload.abandon()
        if request.upload is None or not request.upload.amid_array:
            self._to_go.pop(request.request_id, None)

    def remove(self, request: Request) -> None:
        """Forget a request altogether."""
        self._in_flight.pop(request.request_id, None)
        self._to_go.pop(request.request_id, None)

    def next_message(self, *, actions: bool = True) -> Request | None:
        """Give the request whose message may go now.

        New requests overtake one that is still uploading. Requests that were sent before do not overtake each other: they
        go again in the order in which the server may have seen them.

        Args:
            actions: Whether actions may go.
        """
        retry_held = False
        for request in self._in_line():
            if request.given_up or not self._admits(request) or (request.kind == "action" and not actions):
                continue
            if request.tried and retry_held:
                continue
            if not request.held_back:
                return request
            retry_held = retry_held or request.tried
        return None

    def next_upload(self) -> Upload | None:
        """Give the upload that an array frame may be taken from."""
        for request in [request for request in self._to_go.values() if _is_over(request)]:
            del self._to_go[request.request_id]
        return next((request.upload for request in self._in_line() if request.uploading), None)

    def _in_line(self) -> Iterator[Request]:
        """Go through the requests that the present connection may take, in order."""
        if self.one_by_one and self._in_flight:
            return
        for request in self._to_go.values():
            if (self._admits(request) and not request.given_up) or _is_half_sent(request):
                yield request
                if self.one_by_one:
                    return

    def _admits(self, request: Request) -> bool:
        return self.signed_in or request.needs_sign_in is False

    def identified(self, *, signed_in: bool, refused: bool) -> None:
        """It is known whether the connection is signed in, and if it is not, whether a token was refused."""
        self.signed_in = signed_in
        for request in self:
            if request.needs_sign_in is None:
                request.needs_sign_in = signed_in or refused

    def sending(self, request: Request) -> None:
        """Count a request as sent: from here on nobody knows whether the server has it."""
        del self._to_go[request.request_id]
        self._in_flight[request.request_id] = request
        request.tried = True

    def answered(self, request_id: int) -> Request | None:
        """Take out the request that an answer belongs to; None when its caller has given up."""
        request = self._in_flight.pop(request_id, None)
        self.one_by_one = self.one_by_one and any(request.kept for request in self)
        return request

    def postpone(self, request: Request) -> None:
        """Put a request that was answered but has done nothing back in line, under a new number."""
        request.request_id = self._numbers.take()
        self._to_go[request.request_id] = request

    def take_needing_sign_in(self) -> list[Request]:
        """Take out the requests that need somebody signed in and are not kept."""
        taken = [request for request in self._to_go.values() if request.needs_sign_in and not request.kept]
        for request in taken:
            self.drop(request)
        return taken

    def suspects(self) -> list[Request]:
        """Give the kept requests of which the server may have seen something on this connection."""
        begun = [request for request in self._to_go.values() if request.upload is not None and request.upload.begun]
        return [request for request in (*self._in_flight.values(), *begun) if request.kept]

    def disconnected(self) -> None:
        """Put mutations back in line, in their old order, to be sent again; fail the actions that were in flight."""
        retries: dict[int, Request] = {}
        for request in sorted(self._in_flight.values(), key=lambda request: request.request_id):
            if request.kind == "action":
                request.fail(ConnectionLost(f"the connection broke while the action {request.path} was in flight"))
            else:
                retries[request.request_id] = request
        self._in_flight = {}
        self._to_go = dict(sorted({**retries, **self._to_go}.items()))
        for request in list(self._to_go.values()):
            self._restart(request)

    def _restart(self, request: Request) -> None:
        if request.given_up:
            del self._to_go[request.request_id]
        elif request.upload is not None:
            request.upload.restart()

    def fail_all(self, error: Callable[[], SynoviaError]) -> None:
        """Give every caller an error of its own."""
        for request in self:
            request.fail(error())
        self._to_go.clear()
        self._in_flight.clear()


def _is_half_sent(request: Request) -> bool:
    return request.upload is not None and request.upload.amid_array


def _is_over(request: Request) -> bool:
    return request.given_up and not _is_half_sent(request)
