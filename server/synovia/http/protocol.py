"""Connections as uvicorn drives them, with bounds on what a client can make it hold and do."""

from __future__ import annotations

import asyncio
import logging
import struct
from typing import Any, ClassVar, cast

import h11
from uvicorn._types import ASGIReceiveEvent, ASGISendEvent
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.protocols.utils import ClientDisconnected
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import CloseCode as WebSocketCode
from websockets.frames import Frame

from synovia.charges import clock
from synovia.http.admission import Admission
from synovia.http.frame_reader import FrameReader, read_frames_by, whole_message
from synovia.http.request_heads import StrictConnection
from synovia.limits.bucket import Bucket
from synovia.sync.output import EXTENSION
from synovia.sync.signal import Inbox, Signal

logger = logging.getLogger("synovia")

MOST_HEAD_BYTES = 32 * 1024
"""The largest head of a request."""
_LET_GO_SECONDS = 5.0
_LINGER_SECONDS, _LINGER_BYTES, _MOST_LINGERING = 2.0, 64 * 1024, 256
"""What comes after a refusal is thrown away for so long, up to so many bytes, on so many connections at once."""
_CLOSE = (b"connection", b"close")
_JOINED_BYTES = 16_384
"""Below this, joining head and frame costs less than handing both over."""
_SLICE_BYTES = 1024
"""What is parsed at once, but for the rest of a long frame: a flood of tiny ones must not keep everybody else waiting."""
_BODY_BYTES = 10 * 1024
"""The least that has to arrive of a body within ``request_timeout``."""
_MOST_FRAGMENTS = 1024
_MOST_SURPLUS = 64
_PINGS_PER_SECOND, _MOST_PINGS = 5.0, 10.0
_UNHEARD_SECONDS = 1.0
"""So long who sends too many is not listened to before the connection ends: a flood would only begin another one."""

_NOTHING = memoryview(b"")
_silent = logging.Logger("websockets without a log", logging.CRITICAL + 1)
"""The library writes frames and headers into its debug log, and tokens with them."""


class SyncProtocol(WebSocketsSansIOProtocol):
    """A WebSocket that offers itself to the application as its ``Output``.

    Frames of the server are neither masked nor compressed, so what is written is the frame with a short head; the protocol
    object that uvicorn drives keeps no state about them.

    Attributes:
        is_writable: Whether a frame would be on its way at once, or at least not wait behind much.
    """

    _written: ClassVar[tuple[bytes, bytes]] = b"", b""
    """The last short frame, and the same with its head: a push goes to many, one after the other."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.is_writable = True
        self.queue = Inbox[ASGIReceiveEvent]()  # type: ignore[assignment]
        self.writable = Signal()  # type: ignore[assignment]
        self.writable.set()
        self.conn.logger, self.conn.debug = _silent, False
        self._reader = FrameReader()
        read_frames_by(self.conn, self._reader)
        self.close_timeout = _LET_GO_SECONDS
        self._unparsed = _NOTHING
        self._is_held_back = False
        self._surplus = 0
        self._computed = 0.0
        self._pings = Bucket(_PINGS_PER_SECOND, self.loop.time(), _MOST_PINGS)
        self._heard_at = self.loop.time()
        self._unheard = False
        self._unanswered = 0
        self.text = False

    async def run_asgi(self) -> None:
        """Run the application, offering it this output."""
        cast(dict[str, Any], self.scope["extensions"])[EXTENSION] = self
        await super().run_asgi()

    async def send(self, message: ASGISendEvent) -> None:
        """Take what the application sends; an answer that refuses the handshake ends it, and is nobody's error."""
        await super().send(message)
        if message["type"] == "websocket.accept":
            self._forget_handshake()
        if message["type"] == "websocket.http.response.body" and not message.get("more_body", False):
            self.handshake_complete = True

    def _forget_handshake(self) -> None:
        """Let go of the heads of request and answer: some thousand bytes for as long as the connection is open."""
        self.request.headers.clear()  # the parser holds the request
        del self.request, self.response
        self.scope["headers"] = []

    # --- receiving

    def data_received(self, data: bytes) -> None:
        """Parse what has come until there is a message; the rest waits until that has been taken."""
        self._heard_at = self.loop.time()
        if self._unparsed:
            data = bytes(self._unparsed) + data
        self._unparsed = memoryview(data)
        if self.read_paused:
            self._is_held_back = True
            self.transport.pause_reading()
        else:
            self._parse()

    def computed(self) -> float:
        """Tell how many seconds it has taken to parse what has come since this was asked last."""
        seconds, self._computed = self._computed, 0.0
        return seconds

    def _parse(self) -> None:
        began = clock()
        self._parse_up_to_a_message()
        self._computed += clock() - began

    def _parse_up_to_a_message(self) -> None:
        while self._unparsed and not self.read_paused and not self._is_deaf:
            if self._reader.is_between_frames and (whole := whole_message(self.conn, self._unparsed)) is not None:
                message, end = whole
                self._unparsed = self._unparsed[end:] or _NOTHING
                self.read_paused = True
                self.queue.put_nowait({"type": "websocket.receive", "bytes": message})
                return
            size = max(_SLICE_BYTES, self._reader.missing)
            part, self._unparsed = self._unparsed[:size], self._unparsed[size:]
            super().data_received(part)  # type: ignore[arg-type]  # it is only added to a buffer
        if not self._unparsed:
            self._unparsed = _NOTHING  # an empty view would keep all that has come
        if self._is_deaf:
            self._unparsed = _NOTHING
            self.transport.pause_reading()

    @property
    def _is_deaf(self) -> bool:
        """Whether nothing that comes matters any more, not even the answer to our close frame."""
        return self._unheard or self._surplus > _MOST_SURPLUS or self.transport.is_closing()

    def send_receive_event_to_app(self) -> None:
        """Hand a message over; those that come after our close frame are only counted.

        Nothing more is parsed until it has been taken; the transport pauses only if more comes by then.
        """
        self._surplus += self.close_sent
        if self.curr_msg_data_type == "text" and not self._is_utf_8():  # uvicorn would log a traceback
            self._break("text that is not UTF-8", WebSocketCode.INVALID_DATA)
            return
        self.read_paused = not self.close_sent
        super().send_receive_event_to_app()

    def _is_utf_8(self) -> bool:
        self.frames = [b"".join(self.frames)]
        try:
            self.frames[0].decode()
        except UnicodeDecodeError:
            return False
        return True

    async def receive(self) -> ASGIReceiveEvent:
        """Give the next message; when none is left, go on with what has come meanwhile."""
        message = await self.queue.get()
        if self.read_paused and self.queue.empty():
            self.read_paused = False
            if self._unparsed:
                self._parse()
            if self._is_held_back and not self.read_paused:
                self._is_held_back = False
                self.transport.resume_reading()
        return message

    def handle_cont(self, event: Frame) -> None:
        """Take a fragment."""
        if len(self.frames) >= _MOST_FRAGMENTS:
            self._break("too many fragments")
        else:
            super().handle_cont(event)

    def handle_ping(self) -> None:
        """Answer a ping of the WebSocket protocol."""
        if not self._too_many_pings():
            super().handle_ping()

    def handle_pong(self, event: Frame) -> None:
        """Take a pong; one that nobody has asked for counts as a ping."""
        if self._unanswered:
            self._unanswered -= 1
        elif self._too_many_pings():
            return
        super().handle_pong(event)

    def _too_many_pings(self) -> bool:
        now = self.loop.time()
        self._pings.take(1, now)
        if self._pings.wait(now) > 0 and not (self.close_sent or self._unheard):
            self._unheard = True
            self.loop.call_later(_UNHEARD_SECONDS, self._break, "too many pings")
        return self.close_sent or self._unheard

    def _break(self, reason: str, code: WebSocketCode = WebSocketCode.POLICY_VIOLATION) -> None:
        self.frames = []
        if self.close_sent or self.transport.is_closing():
            return
        self.conn.fail(code, reason)
        self.handle_parser_exception()

    # --- sending

    def pause_writing(self) -> None:
        """Take no more for now: the transport holds much already."""
        super().pause_writing()
        self.is_writable = False

    def resume_writing(self) -> None:
        """Take more: the transport has got rid of what it held."""
        super().resume_writing()
        self.is_writable = True

    def connection_lost(self, exc: Exception | None) -> None:
        """Let nobody wait any more."""
        super().connection_lost(exc)
        self.is_writable = True

    def write(self, frame: bytes) -> None:
        """Send a binary frame; nothing happens if the connection is closing."""
        # Whoever is busy when the peer goes learns of that later, and uvloop refuses what is written till then.
        if self.close_sent or self.disconnected or self.transport.is_closing():
            return
        last, joined = SyncProtocol._written
        if frame is not last:
            head = _head(len(frame), _TEXT if self.text else _BINARY)
            if len(frame) >= _JOINED_BYTES:
                # Not by writelines: that of asyncio's own loop in Python 3.12 and 3.13 never says that it holds too much.
                self.transport.write(head)
                self.transport.write(frame)
                return
            joined = head + frame
            SyncProtocol._written = frame, joined
        self.transport.write(joined)

    async def drain(self) -> None:
        """Wait until it is writable again; OSError if the peer has gone."""
        await self.writable.wait()
        if self.disconnected:
            raise ClientDisconnected

    def buffered(self) -> int:
        """Tell how many bytes wait for the peer."""
        return self.transport.get_write_buffer_size()

    def probe(self) -> float | None:
        """Send a ping of the WebSocket protocol, and tell when anything has last come."""
        if not (self.close_sent or self.disconnected or self.transport.is_closing()):
            self._unanswered += 1
            self.conn.send_ping(b"")
            self.transport.write(b"".join(self.conn.data_to_send()))
        return self._heard_at

    def cut(self, frame: bytes | None, code: int, reason: str) -> None:
        """Add a last frame, if any, and the close frame to what waits, and let go of the connection soon, sent or not."""
        if self.close_sent or self.disconnected or self.transport.is_closing():
            self.transport.abort()
            return
        if frame is not None:
            self.write(frame)
        self.conn.send_close(code, reason)
        self.close_sent = True
        self.transport.write(b"".join(self.conn.data_to_send()))
        self.transport.close()
        self.loop.call_later(_LET_GO_SECONDS, self.transport.abort)


_TEXT, _BINARY = 0x81, 0x82


def _head(length: int, kind: int) -> bytes:
    """Give the head of an unmasked frame (RFC 6455, section 5.2)."""
    if length < 126:
        return bytes((kind, length))
    return struct.pack("!BBH", kind, 126, length) if length < 65536 else struct.pack("!BBQ", kind, 127, length)


class HttpProtocol(H11Protocol):
    """An HTTP connection, or a WebSocket's until its handshake is complete, held to deadlines.

    uvicorn closes a connection that is idle between two requests, and waits for ever for the rest of a request that has
    begun, or for an answer to be taken.

    Args:
        admission: Counts it, and looks at its deadlines.
    """

    def __init__(self, admission: Admission, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.conn: StrictConnection = StrictConnection(self.config.h11_max_incomplete_event_size or MOST_HEAD_BYTES)
        self._admission = admission
        self._doing: tuple[str, object] = "", None
        self._since = self.loop.time()
        self._received = 0
        self._mark = 0
        self._surplus: int | None = None  # so many bytes have come since the connection was refused
        self._linger: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Let the connection in, or refuse it."""
        super().connection_made(transport)
        refusal = self._admission.enter(self, self.client[0] if self.client else "unknown")
        if refusal is not None:
            self._end(refusal)

    def connection_lost(self, exc: Exception | None) -> None:
        """Let go of the connection."""
        self._admission.leave(self)
        if self._linger is not None:
            self._linger.cancel()
            self._linger = None
            self._admission.lingering -= 1
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        """Take no more for now: much waits for the client, and counts among what waits for all of its address."""
        super().pause_writing()
        self._admission.note_waiting(self, self.transport.get_write_buffer_size())

    def resume_writing(self) -> None:
        """Take more: the client has taken what waited."""
        super().resume_writing()
        self._admission.note_waiting(self, 0)

    def let_go(self, whose: str, most: int) -> None:
        """End the connection at once, amid an answer."""
        logger.info("an answer is cut off that its client does not take: more than %d bytes wait for %s", most, whose)
        self.transport.abort()

    def handle_websocket_upgrade(self, event: h11.Request) -> None:
        """Hand the connection over to the WebSocket protocol."""
        self._admission.leave(self)
        super().handle_websocket_upgrade(event)

    def data_received(self, data: bytes) -> None:
        """Parse what has come; nothing of it matters after a refusal."""
        if self._surplus is not None:
            self._surplus += len(data)
            if self._surplus > _LINGER_BYTES:
                self.transport.abort()
            return
        self._received += len(data)
        super().data_received(data)
        if self._admission.draining:
            self.answer_for_the_last_time()

    def answer_for_the_last_time(self) -> None:
        """Say with the answer that is being made, if any, that the connection ends with it."""
        if self.cycle is not None and not self.cycle.response_started:
            self.cycle.default_headers = [*self.server_state.default_headers, _CLOSE]

    def send_400_response(self, msg: str) -> None:
        """Refuse what is no request, or one whose head is too long."""
        self._end(
            b"431 Request Header Fields Too Large" if self.conn.head_too_long else b"400 Bad Request", retry=False
        )

    def watch(self, now: float, request_timeout: float, stall_timeout: float) -> None:
        """Look at the deadlines; called from time to time."""
        if self._surplus is not None:
            return
        doing = self._waits_for(), self.cycle
        if doing[0] == "answer":
            self._admission.note_waiting(self, self.transport.get_write_buffer_size())
        if doing != self._doing:
            self._doing, self._since, self._mark = doing, now, self._progress(doing[0])
        elif doing[0] == "answer" and now - self._since > stall_timeout:
            self._expect_progress(now, 1)
        elif doing[0] in ("head", "body") and now - self._since > request_timeout:
            self._expect_progress(now, _BODY_BYTES if doing[0] == "body" else None)

    def _waits_for(self) -> str:
        if self.flow.write_paused:
            return "answer"
        if self.conn.their_state is h11.SEND_BODY:
            return "" if self.flow.read_paused else "body"
        return "head" if self.conn.their_state is h11.IDLE else ""

    def _progress(self, doing: str) -> int:
        return -self.transport.get_write_buffer_size() if doing == "answer" else self._received

    def _expect_progress(self, now: float, least: int | None) -> None:
        """End the connection unless so many bytes have gone since it was looked at last."""
        progress = self._progress(self._doing[0])
        if least is not None and progress - self._mark >= least:
            self._since, self._mark = now, progress
        elif self._doing[0] == "answer" or (self.cycle is not None and not self.cycle.response_complete):
            self.transport.abort()
        else:
            self._end(b"408 Request Timeout")

    def _end(self, status: bytes, *, retry: bool = True) -> None:
        """Refuse what comes, and end the connection when the client has had time to read that.

        Who closes a connection on which more comes resets it, and what was said last is lost to a client that is still
        writing (RFC 9112, section 9.6).
        """
        head = b"HTTP/1.1 %b\r\nconnection: close\r\ncontent-length: 0\r\n%b\r\n"
        self.transport.write(head % (status, b"retry-after: 5\r\n" if retry else b""))
        is_deaf = self.transport.is_closing() or not self.transport.can_write_eof()
        if is_deaf or self._admission.lingering >= _MOST_LINGERING:
            self.transport.close()
            return
        self._admission.lingering += 1
        self._surplus = 0
        self._linger = self.loop.call_later(_LINGER_SECONDS, self.transport.close)
        self.transport.write_eof()
