"""A mail server for tests: it keeps what it is given."""

from __future__ import annotations

from email.message import EmailMessage

from synovia.identity import SignInUnavailable


class Mailbox:
    """Takes messages as a mail server would.

    Attributes:
        sent: What it has taken, in order.
        down: Whether it refuses everything, as a mail server that cannot be reached.
        refused: How often it has.
    """

    def __init__(self) -> None:
        self.sent: list[EmailMessage] = []
        self.down = False
        self.refused = 0

    async def send(self, message: EmailMessage) -> None:
        """Take a message.

        Raises:
            SignInUnavailable: It is down.
        """
        if self.down:
            self.refused += 1
            raise SignInUnavailable("the mail server is down")
        self.sent.append(message)
