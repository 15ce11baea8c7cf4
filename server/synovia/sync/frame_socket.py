"""One client's socket: the tasks that read it and write it, and the deadlines it is held to.

A thin shell over ASGI, for any protocol whose frames are made elsewhere.
"""

from __future__ import annotations

import asyncio
import logging
from abc import ABC, abstractmethod
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from starlette.types import Receive, Scope, Send

from synovia.charges import Bill, charged, clock
from synovia.limits.addresses import Address
from synovia.limits.settings import HubLimits
from synovia.sync.backlog import Backlog
from synovia.sync.outbox import Outbox
from synovia.sync.output import DEAR_SECONDS, Flusher, output_of
from synovia.sync.signal import Signal
from synovia.transaction.footprint import LARGE_PACKED
from synovia_protocol.errors import CloseCode, ErrorCode, ErrorInfo, ProtocolError

logger = logging.getLogger("synovia.sync")

_TURN_SECONDS = 0.001
"""How long frames of one client that are there already are handled before others have their turn."""
_REST = 64
"""While many first results come, one after the other, a dear look at all that have come is followed by the next
one after so many times as long ..."""
_MOST_REST_SECONDS = 0.2
"""... or this at most."""


@dataclass(frozen=True, slots=True)
class Ending:
    """Why and how a connection ends. ``flush``: what waits is still sent before."""

    error: ErrorInfo
    close_code: CloseCode
    retry_after: float | None = None
    flush: bool = False


class Handler(Protocol):
    """What a socket serves: it is given the frames of the client and asked for those of the server."""

    @property
    def connected(self) -> bool:
        """Whether the client has said who it is."""
        ...

    async def receive(self, frame: bytes | str) -> None: ...

    def advance(self) -> list[bytes]:
        """Give the frames that bring the client up to date."""
        ...

    @property
    def loading(self) -> bool:
        """Whether many first results were still to come when ``advance`` looked last."""
        ...

    @property
    def settled(self) -> bool:
        """Whether nothing waits for ``advance`` to come further."""
        ...

    @property
    def waiting_bytes(self) -> int:
        """The bytes of frames that ``advance`` will give later."""
        ...

    def close(self) -> None: ...


class _Over(Exception):
    """The connection has ended; cancels the tasks that still serve it."""


class FrameSocket(ABC):
    """Serves one WebSocket until it ends, whatever its frames mean.

    Frames are written as soon as the event loop comes round, as long as the client takes them; a client that does not is
    left to the writer task, which waits until it does and then goes on with what is newest.

    Args:
        name: For logs and tasks.
        flusher: Calls ``flush`` when the loop comes round.
        scope, receive, send: The ASGI application's arguments, the handshake being done.
        text: Whether its frames are text.
    """

    def __init__(
        self,
        name: str,
        limits: HubLimits,
        flusher: Flusher,
        scope: Scope,
        receive: Receive,
        send: Send,
        *,
        text: bool = False,
    ) -> None:
        self.name = name
        self.outbox = Outbox()
        self._limits = limits
        self._flusher = flusher
        self._receive = receive
        self._send_asgi = send
        self._output = output_of(scope, send, text=text)
        self._clock = asyncio.get_running_loop().time
        self._handler: Handler | None = None
        self._over = Signal()
        self._tasks: asyncio.TaskGroup | None = None
        self._ending: Ending | None = None
        self._stale = False
        self._scheduled = False
        self._is_dear = False
        self._resting_until = 0.0
        self._since = self._clock()
        self._listening_since: float | None = None
        self._draining_since: float | None = None
        self._buffered = 0
        self._backlog: Backlog | None = None
        self._address: Address | None = None

    @property
    def seconds(self) -> float:
        """How long it has been open."""
        return self._clock() - self._since

    # --- for those who use it

    def wake(self) -> None:
        """There may be something new for the client; cheap, and may be called as often as one likes."""
        self._stale = True
        if not self._scheduled:
            self._scheduled = True
            if due := self._flusher.due:  # hundreds follow one query: all but the first save a call
                due.append(self)
            else:
                self._flusher.add(self)

    def put(self, frame: bytes, *, also_waiting: int = 0) -> None:
        """Send a frame that is made already; see ``has_room``."""
        if self.has_room(also_waiting):
            self.outbox.put(frame)
            self._schedule()

    def _schedule(self) -> None:
        if not self._scheduled:
            self._scheduled = True
            self._flusher.add(self)

    def has_room(self, also_waiting: int = 0) -> bool:
        """Tell whether another message may wait, beside the bytes that wait elsewhere; ends the connection if not."""
        most = self._limits.max_outbox_bytes
        if self.outbox.waiting_bytes + also_waiting <= most:
            return True
        error = ErrorInfo(ErrorCode.TOO_SLOW, f"more than {most} bytes wait for this client")
        self.end(Ending(error, CloseCode.TOO_SLOW, retry_after=1.0))
        return False

    def spawn(self, work: Coroutine[Any, Any, None], name: str) -> asyncio.Task[None]:
        """Run something that ends with the connection at the latest."""
        assert self._tasks is not None, "serve() comes first"  # noqa: S101
        return self._tasks.create_task(work, name=f"{self.name} {name}")

    def end(self, ending: Ending) -> None:
        """End the connection, telling the client why; the first reason counts."""
        if self._ending is None:
            self._ending = ending
            self.outbox.ready.set()

    def fail(self) -> None:
        """End the connection, as the server has failed it."""
        self.end(_failure())

    @property
    def ending(self) -> Ending | None:
        """Why the connection ends; None as long as it does not."""
        return self._ending

    def cut(self, ending: Ending) -> None:
        """End the connection without waiting for the client to take anything."""
        self._ending = self._ending or ending
        self._output.cut(self._goodbye(self._ending), self._ending.close_code, self._close_reason(self._ending))
        self._over.set()

    def count_in(self, backlog: Backlog, address: Address) -> None:
        """Count what waits for this client with what waits for the others of its address."""
        self._backlog, self._address = backlog, address

    def let_go(self, whose: str, most: int) -> None:
        """End the connection, since more than ``most`` bytes wait for the clients of ``whose``, and most for this one."""
        error = ErrorInfo(ErrorCode.TOO_SLOW, f"more than {most} bytes wait for clients of {whose}, most for this one")
        self.cut(Ending(error, CloseCode.TOO_SLOW, retry_after=1.0))

    def _note_waiting(self, handler: Handler) -> None:
        if self._backlog is not None and self._address is not None:
            over = self._over.is_set()
            size = 0 if over else self.outbox.waiting_bytes + handler.waiting_bytes + self._output.buffered()
            self._backlog.note(self, self._address, size)

    # --- the tasks

    async def serve(self, handler: Handler) -> None:
        """Read and write until the connection ends; nothing that goes wrong here leaves this function."""
        self._handler = handler
        try:
            async with asyncio.TaskGroup() as tasks:
                self._tasks = tasks
                self.spawn(self._read(handler), "reader")
                self.spawn(self._write(handler), "writer")
                await self._over.wait()
                raise _Over
        except* _Over:
            pass
        except* Exception as failures:
            logger.error("%s: the connection failed", self.name, exc_info=failures)
        finally:
            self._handler = None
            handler.close()
            self.outbox.clear()
            self._note_waiting(handler)

    async def _read(self, handler: Handler) -> None:
        bill = None if self._address is None else Bill(self._address, 0.0)
        with charged(bill):
            turn = self._clock()
            while self._ending is None:
                self._listening_since = since = self._clock()
                if since - turn > _TURN_SECONDS:
                    await asyncio.sleep(0)
                    turn = since
                event = await self._receive()
                if (heard_at := self._clock()) - since >= _TURN_SECONDS:
                    turn = heard_at  # others have had theirs
                self._listening_since = None
                if event["type"] == "websocket.disconnect":
                    self._over.set()
                    return
                frame = event.get("bytes")
                try:
                    await self._handle(handler, event["text"] if frame is None else frame, bill)
                except ProtocolError as error:
                    self.end(Ending(error.info, error.close_code))
                    return
                except Exception:
                    logger.exception("%s: a message could not be handled", self.name)
                    self.fail()
                    return

    async def _handle(self, handler: Handler, frame: bytes | str, bill: Bill | None) -> None:
        """Handle a frame when it is the turn of the client's address, which is charged for it."""
        if self._address is None or bill is None:
            await handler.receive(frame)
            return
        if (large := len(frame) > LARGE_PACKED) or not self._address.alone:
            await self._address.take_turn(large=large)
        await bill.pay_for(handler.receive(frame), self._output.computed())

    # --- writing

    def flush(self) -> None:
        """Send what waits as far as the client takes it at once; the rest is left to the writer."""
        self._scheduled = False
        handler = self._handler
        if handler is None:
            return
        if self._draining_since is not None:
            self._note_waiting(handler)
            return
        if self._is_dear:
            if (rest := self._resting_until - self._clock()) > 0:
                self._scheduled = True
                asyncio.get_running_loop().call_later(rest, self._flusher.add, self)
                return
            if self._goes_last:
                self.outbox.ready.set()
                return
            self._is_dear = False
        try:
            if self._ending is not None or self._push(handler):
                self.outbox.ready.set()
        except Exception:
            logger.exception("%s: the client could not be brought up to date", self.name)
            self.cut(_failure())

    def took(self, seconds: float) -> None:
        """Hear that it was dear to bring the client up to date: its address is charged."""
        self._is_dear = True
        if self._handler is not None and self._handler.loading:
            self._resting_until = self._clock() + min(_MOST_REST_SECONDS, _REST * seconds)
        if self._address is not None:
            self._address.spend(seconds)

    @property
    def _goes_last(self) -> bool:
        """Whether this takes turns: it took long before, and its address has had much computed."""
        return self._is_dear and self._address is not None and self._address.has_much

    def _push(self, handler: Handler) -> bool:
        """Send as long as the client takes it: messages, then news, then samples. Tell whether to wait for the client.

        Hundreds follow one query and come here for each change of it: calls are what it costs.
        """
        output, outbox, sent = self._output, self.outbox, self._flusher.sent
        while output.is_writable:
            if outbox.messages:
                frames: Sequence[bytes] = (outbox.take_message(),)
            elif self._stale:
                self._stale = False
                frames = handler.advance()
            elif outbox.samples is not None:
                frames = (outbox.take_samples(),)
            else:
                return False
            for frame in frames:
                if output.is_writable:
                    sent.frames += 1
                    sent.bytes += len(frame)
                    output.write(frame)
                else:
                    outbox.put(frame)
        return True

    async def _write(self, handler: Handler) -> None:
        try:
            while self._ending is None:
                await self.outbox.ready.wait()
                self.outbox.ready.clear()
                if self._goes_last and self._address is not None:
                    await self._address.take_turn()
                while self._ending is None and self._push_and_charge(handler):
                    await self._drain(handler)
            await self._say_goodbye(handler, self._ending)
        except OSError:
            pass  # the client has gone
        except Exception:
            logger.exception("%s: the client could not be brought up to date", self.name)
            self.cut(_failure())
        self._over.set()

    def _push_and_charge(self, handler: Handler) -> bool:
        """As ``_push``; what the flusher does for many at a time is done here, too: tell what takes long."""
        self._is_dear = False
        began = clock()
        try:
            return self._push(handler)
        finally:
            if (seconds := clock() - began) > DEAR_SECONDS:
                self.took(seconds)

    async def _drain(self, handler: Handler) -> None:
        self._draining_since = self._clock()
        self._note_waiting(handler)
        try:
            await self._output.drain()
        finally:
            self._draining_since = None
            self._note_waiting(handler)

    async def _say_goodbye(self, handler: Handler, ending: Ending) -> None:
        while ending.flush and not self._is_over:
            while self._push(handler):
                await self._drain(handler)
            if handler.settled:
                break
            await self.outbox.ready.wait()
            self.outbox.ready.clear()
        await self._drain(handler)
        if (frame := self._goodbye(ending)) is not None:
            self._output.write(frame)
        await self._drain(handler)
        reason = self._close_reason(ending)
        await self._send_asgi({"type": "websocket.close", "code": int(ending.close_code), "reason": reason})

    @property
    def _is_over(self) -> bool:
        """Whether nothing may be sent any more but the last frame."""
        return False

    @abstractmethod
    def _goodbye(self, ending: Ending) -> bytes | None:
        """Make the last frame; None if there is none, or it has been made before."""

    def _close_reason(self, ending: Ending) -> str:
        """Give what the close frame says."""
        return ending.error.code

    # --- deadlines

    def watch(self, now: float, *, connected: bool) -> None:
        """Look at every deadline; called by the hub from time to time."""
        limits = self._limits
        if self._draining_since is not None and self._handler is not None:
            self._note_waiting(self._handler)
        if self._draining_since is not None and self._stalled(now):
            text = f"nothing was taken for {limits.stall_timeout:g} s"
            self.cut(Ending(ErrorInfo(ErrorCode.TOO_SLOW, text), CloseCode.TOO_SLOW, retry_after=1.0))
        elif not connected and now - self._since > limits.connect_timeout:
            self._time_out(f"no Connect within {limits.connect_timeout:g} s")
        elif self.is_silent(now, limits.idle_timeout):
            self._time_out(f"nothing arrived for {limits.idle_timeout:g} s")

    def is_silent(self, now: float, seconds: float) -> bool:
        """Tell whether the client has sent nothing for so long, though it is being listened to."""
        return self._listening_since is not None and now - self._listening_since > seconds

    def _stalled(self, now: float) -> bool:
        buffered = self._output.buffered()
        if buffered < self._buffered:
            self._draining_since = now  # slow, but it moves
        self._buffered = buffered
        return self._draining_since is not None and now - self._draining_since > self._limits.stall_timeout

    def _time_out(self, text: str) -> None:
        self.end(Ending(ErrorInfo(ErrorCode.TIMEOUT, text), CloseCode.TIMEOUT, retry_after=0.0))


def _failure() -> Ending:
    error = ErrorInfo(ErrorCode.SERVER_ERROR, "the server failed to handle this connection")
    return Ending(error, CloseCode.SERVER_ERROR, retry_after=1.0)
