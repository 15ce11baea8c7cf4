"""A made-up payment provider: it keeps payments in memory, and tells of them as real ones do, twice, in any order."""

import asyncio
import json
import random
from dataclasses import dataclass
from uuid import uuid4

import httpx2
from pydantic import SecretStr

from synovia import http

TRIES = 6


@dataclass
class Payment:
    """A payment, with how much was said of it."""

    id: str
    order: str
    amount: int
    sequence: int = 1
    paid: bool = False


class Provider:
    """Takes payments, and signs what it says of them.

    Args:
        hook: The address at which somebody listens.
    """

    def __init__(self, client: httpx2.AsyncClient, hook: str, secret: SecretStr, seed: int | None = None) -> None:
        self._client = client
        self._hook = hook
        self._secret = secret
        self._chance = random.Random(seed)
        self._tasks = set[asyncio.Task[None]]()
        self.payments = dict[str, Payment]()

    def create(self, order: str, amount: int) -> Payment:
        """Open a payment; that is told only with what comes of it, so maybe after that."""
        payment = Payment(uuid4().hex, order, amount)
        self.payments[payment.id] = payment
        return payment

    def pay(self, payment: Payment) -> None:
        """Take the money."""
        if not payment.paid:
            payment.paid, payment.sequence = True, 2
            self._tell(self._message(payment, 1, "created"), self._message(payment, 2, "succeeded"))

    def refund(self, order: str, only: str | None = None) -> int:
        """Give back what was paid for an order, or one payment; tell in how many payments."""
        paid = [
            each for each in self.payments.values() if each.order == order and each.paid and only in (None, each.id)
        ]
        for payment in paid:
            payment.paid = False
            payment.sequence += 1
            self._tell(self._message(payment, payment.sequence, "refunded"))
        return len(paid)

    def _message(self, payment: Payment, sequence: int, status: str) -> tuple[str, bytes]:
        said = {"payment": payment.id, "order": payment.order, "sequence": sequence, "status": status}
        return f"{payment.id}-{sequence}", json.dumps(said).encode()

    def _tell(self, *messages: tuple[str, bytes]) -> None:
        task = asyncio.create_task(self._send([*messages, *messages]))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _send(self, messages: list[tuple[str, bytes]]) -> None:
        self._chance.shuffle(messages)
        for id, body in messages:
            for attempt in range(TRIES):
                if await self._taken(id, body):
                    break
                await asyncio.sleep(0.5 * 2**attempt)

    async def _taken(self, id: str, body: bytes) -> bool:
        try:
            answer = await self._client.post(
                self._hook, content=body, headers=http.signed_headers(self._secret, id, body)
            )
        except httpx2.HTTPError:
            return False
        return answer.status_code < 500

    async def settled(self) -> None:
        """Wait until everything is told."""
        await asyncio.gather(*self._tasks)
