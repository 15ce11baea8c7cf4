"""How to speak to each server on a plain socket: how to follow a room, and how to change one field of one document."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from benchmarks.crowd import SYNC, hello
from benchmarks.probe import room as query_of
from benchmarks.wire import client_frame
from synovia_protocol.codec import encode
from synovia_protocol.messages import SUBPROTOCOL, Mutation

NOBODY = "nobody"
"""A room that is empty: whoever writes follows it."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """How a client arrives.

    Attributes:
        path: Of the WebSocket.
        subprotocol: Of it, if the server wants one.
        sends: What the client sends when so many frames have come.
        frames: So many frames have come when it has its first result.
    """

    path: str
    subprotocol: str | None
    sends: Mapping[int, bytes]
    frames: int


class Dialect:
    """One server's ways.

    Attributes:
        answers: Whether a write is answered to the writer.
    """

    answers = True

    def arrival(self, room: str) -> Arrival:
        raise NotImplementedError

    def write(self, number: int, room: str, sensor: str) -> bytes:
        """Give the frame that sets the level of a sensor to a number, which counts up from 1 on each connection."""
        raise NotImplementedError


class Synovia(Dialect):
    def arrival(self, room: str) -> Arrival:
        return Arrival(SYNC, SUBPROTOCOL, {0: hello([query_of(room)])}, 2)

    def write(self, number: int, room: str, sensor: str) -> bytes:
        args = {"sensorId": sensor, "level": number}
        return client_frame(encode(Mutation(number, "sensors:set_level", args)))


class Feathers(Dialect):
    """Socket.IO's packets: ``0`` opens, ``40`` connects, ``42N`` calls and ``43N`` answers."""

    def arrival(self, room: str) -> Arrival:
        found = _packet(0, "find", "sensors", {"room": room})
        return Arrival(f"/socket.io/?EIO=4&transport=websocket&room={room}", None, {1: _text(b"40"), 2: found}, 3)

    def write(self, number: int, room: str, sensor: str) -> bytes:
        return _packet(number, "patch", "sensors", sensor, {"level": number}, {})


class Broadcaster(Dialect):
    def arrival(self, room: str) -> Arrival:
        return Arrival(f"/rooms/{room}", None, {}, 1)

    def write(self, number: int, room: str, sensor: str) -> bytes:
        return _text(json.dumps({"id": sensor, "level": number}).encode())


class Broker(Dialect):
    answers = False

    def arrival(self, room: str) -> Arrival:
        return Arrival(f"/rooms/{room}", None, {}, 0)

    def write(self, number: int, room: str, sensor: str) -> bytes:
        return _text(json.dumps({"room": room, "_id": sensor, "level": number}).encode())


def _packet(number: int, *arguments: object) -> bytes:
    return _text(b"42%d%s" % (number, json.dumps(arguments, separators=(",", ":")).encode()))


def _text(payload: bytes) -> bytes:
    return client_frame(payload, text=True)
