"""Only hubs that know the secret, and run the same application, talk to each other."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from helpers.patience import PATIENCE
from helpers.waiting import until
from synovia.hubs.channel import Channel, NotAPeer, accepted, connected
from synovia.hubs.link import PING, Link, LinkLost
from synovia.hubs.listener import MOST_STRANGERS, Listener

SECRET, CONTEXT = b"a secret of two hubs", b"this hub, this application"


async def doubled(question: bytes) -> bytes:
    return question * 2


@asynccontextmanager
async def listening(answer: object = doubled) -> AsyncIterator[int]:
    listener = Listener(SECRET, CONTEXT, answer)  # type: ignore[arg-type]
    try:
        yield await listener.open("127.0.0.1")
    finally:
        await listener.close()


async def test_questions_are_answered_whatever_their_order() -> None:
    async with listening() as port:
        link = Link(await connected("127.0.0.1", port, SECRET, CONTEXT))
        answers = await asyncio.gather(*(link.ask(b"%d" % number) for number in range(100)))
        assert answers == [b"%d" % number * 2 for number in range(100)]
        await link.close()
        with pytest.raises(LinkLost):
            await link.ask(b"1")


@pytest.mark.parametrize(
    ("secret", "context"), [(b"another secret!!", CONTEXT), (SECRET, b"another hub"), (b"", CONTEXT)]
)
async def test_who_does_not_know_the_secret_or_means_another_hub_is_refused(secret: bytes, context: bytes) -> None:
    asked = []

    async def answer(question: bytes) -> bytes:
        asked.append(question)
        return question

    async with listening(answer) as port:
        with pytest.raises((NotAPeer, OSError, EOFError)):
            await connected("127.0.0.1", port, secret, context)
    assert asked == []


async def test_a_listener_that_does_not_know_the_secret_is_not_believed() -> None:
    """It may answer whatever it likes."""
    gone = asyncio.Event()

    async def pretend(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(await reader.readexactly(16))
        writer.write(bytes(200))
        with contextlib.suppress(OSError):
            await reader.read()
        writer.transport.abort()
        await asyncio.sleep(0)
        gone.set()

    async with await asyncio.start_server(pretend, "127.0.0.1", 0) as server:
        with pytest.raises(NotAPeer):
            await connected("127.0.0.1", server.sockets[0].getsockname()[1], SECRET, CONTEXT)
        await gone.wait()


class Meddler:
    """Passes bytes between two hubs on, and changes what the first says at one place.

    Args:
        port: Where the second one listens.
        change: Makes others of the bytes after the greeting.
    """

    def __init__(self, port: int, change: object) -> None:
        self._port = port
        self._change = change
        self.gone = asyncio.Event()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        onward_reader, onward = await asyncio.open_connection("127.0.0.1", self._port)
        back = asyncio.create_task(self._pass_back(onward_reader, writer))
        try:
            for size in (16, 4 + 16 + len(b"synovia hub 1")):  # random bytes, and the greeting
                onward.write(await reader.readexactly(size))
            while said := await reader.read(65_536):
                onward.write(self._change(said))  # type: ignore[operator]
        except OSError:
            pass
        finally:
            onward.transport.abort()
            await back
            await asyncio.sleep(0)  # the transports are closed in the next turn of the loop
            self.gone.set()

    async def _pass_back(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while said := await reader.read(65_536):
                writer.write(said)
        writer.transport.abort()


async def ask_again_and_again(link: Link) -> None:
    while True:
        await link.ask(b"once")


@pytest.mark.parametrize(
    "change",
    [
        lambda said: said[:-1] + bytes([said[-1] ^ 1]),
        lambda said: said + said,
        lambda said: b"\xff\xff\xff\xff" + said[4:],
    ],
    ids=["another word", "the same again", "too long"],
)
async def test_what_somebody_in_between_changes_or_says_again_is_not_run_twice_nor_otherwise(change: object) -> None:
    asked: list[bytes] = []

    async def answer(question: bytes) -> bytes:
        asked.append(question)
        return question

    async with listening(answer) as port:
        meddler = Meddler(port, change)
        async with await asyncio.start_server(meddler.serve, "127.0.0.1", 0) as server:
            place = server.sockets[0].getsockname()[1]
            link = Link(await connected("127.0.0.1", place, SECRET, CONTEXT))
            with pytest.raises(LinkLost):
                await ask_again_and_again(link)
            await link.close()
            await meddler.gone.wait()
    assert asked.count(b"once") <= 1


async def test_a_hub_that_says_nothing_any_more_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("synovia.hubs.link.SILENCE_SECONDS", 0.05)
    monkeypatch.setattr("synovia.hubs.link._PING_SECONDS", 0.01)
    monkeypatch.setattr(Channel, "send", silenced := _Silenced(Channel.send))
    async with listening() as port:
        link = Link(await connected("127.0.0.1", port, SECRET, CONTEXT))
        assert await link.ask(b"1") == b"11"
        silenced.on = True
        async with asyncio.timeout(PATIENCE):
            with pytest.raises(LinkLost, match="nothing any more"):
                await link.ask(b"2")
        assert not link.is_open
        await link.close()


class _Silenced:
    """Sends, or does as if."""

    def __init__(self, send: object) -> None:
        self.send = send
        self.on = False

    def __get__(self, channel: Channel, _: type) -> object:
        return lambda payload: None if self.on else self.send(channel, payload)  # type: ignore[operator]


def hubs_let_in() -> int:
    return sum(task.get_name() == "other hub" for task in asyncio.all_tasks())


async def test_strangers_who_connect_and_say_nothing_keep_no_hub_out() -> None:
    async with listening() as port:
        strangers = [await asyncio.open_connection("127.0.0.1", port) for _ in range(MOST_STRANGERS + 10)]
        await until(lambda: hubs_let_in() == MOST_STRANGERS)
        link = Link(await connected("127.0.0.1", port, SECRET, CONTEXT))
        assert await link.ask(b"1") == b"11"
        await link.close()
        for _, writer in strangers:
            writer.transport.abort()


async def test_a_hub_that_has_vanished_gives_its_place_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its machine is gone, so nothing ends its connection."""
    monkeypatch.setattr("synovia.hubs.listener.MOST_CONNECTIONS", 1)
    monkeypatch.setattr("synovia.hubs.listener.SILENCE_SECONDS", 0.05)
    async with listening() as port:
        vanished = await connected("127.0.0.1", port, SECRET, CONTEXT)
        await until(lambda: hubs_let_in() == 0)
        link = Link(await connected("127.0.0.1", port, SECRET, CONTEXT))
        assert await link.ask(b"1") == b"11"
        await link.close()
        await vanished.close()


async def test_a_hub_that_takes_no_answers_loses_its_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("synovia.hubs.listener.SILENCE_SECONDS", 0.2)
    monkeypatch.setattr("synovia.hubs.listener.MOST_RUNNING", 10)
    asked = []

    async def answer(question: bytes) -> bytes:
        asked.append(question)
        return bytes(1_000_000)

    async with listening(answer) as port:
        channel = await connected("127.0.0.1", port, SECRET, CONTEXT)
        for number in range(1, 1001):
            channel.send(number.to_bytes(8) + b"?")
        await until(lambda: hubs_let_in() == 0)
        assert len(asked) < 100
        await channel.close()


async def test_a_link_that_is_asked_nothing_says_that_it_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("synovia.hubs.link._PING_SECONDS", 0.01)
    monkeypatch.setattr("synovia.hubs.link._IDLE_PING_SECONDS", 0.02)
    heard: asyncio.Queue[bytes] = asyncio.Queue()

    async def listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        channel = await accepted(reader, writer, SECRET, CONTEXT)
        with contextlib.suppress(OSError, EOFError):
            while True:
                heard.put_nowait(await channel.receive())
        writer.transport.abort()

    async with await asyncio.start_server(listen, "127.0.0.1", 0) as server:
        link = Link(await connected("127.0.0.1", server.sockets[0].getsockname()[1], SECRET, CONTEXT))
        async with asyncio.timeout(PATIENCE):
            assert [await heard.get(), await heard.get()] == [PING, PING]
        await link.close()


async def test_strangers_do_not_fill_the_log(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    async with listening() as port:
        for _ in range(20):
            with pytest.raises((NotAPeer, OSError, EOFError)):
                await connected("127.0.0.1", port, b"another secret!!", CONTEXT)
        assert len(caplog.messages) == 1
        monkeypatch.setattr("synovia.hubs.listener.REFUSED_SECONDS", 0.0)
        with pytest.raises((NotAPeer, OSError, EOFError)):
            await connected("127.0.0.1", port, b"another secret!!", CONTEXT)
        assert "(20 since the last such line)" in caplog.messages[-1]
