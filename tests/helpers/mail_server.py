"""A small real SMTP server on this machine."""

from __future__ import annotations

import asyncio
from email import message_from_bytes, policy
from email.message import EmailMessage


class MailServer:
    """Takes mail for everybody but ``refused``, for good, and ``put_off``, for now."""

    def __init__(self) -> None:
        self.received: list[tuple[str, EmailMessage]] = []
        self.refused: str | None = None
        self.put_off: str | None = None
        self._server: asyncio.Server | None = None
        self.port = 0

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        def say(line: str) -> None:
            writer.write(f"{line}\r\n".encode())

        to: list[str] = []
        say("220 mail under test")
        try:
            while line := (await reader.readline()).decode().strip():
                command = line.partition(" ")[0].upper()
                if command == "RCPT":
                    address = line.partition("<")[2].partition(">")[0]
                    answer = {self.refused: "550 nobody here", self.put_off: "450 later"}.get(address, "250 fine")
                    to += [address] * answer.startswith("250")
                    say(answer)
                elif command == "DATA":
                    say("354 go on")
                    data = (await reader.readuntil(b"\r\n.\r\n")).removesuffix(b".\r\n")
                    self.received += [(each, message_from_bytes(data, policy=policy.default)) for each in to]
                    to = []
                    say("250 taken")
                elif command == "QUIT":
                    say("221 bye")
                    break
                else:
                    say("250 fine")
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()
