"""What tests and trials of events do in it, whoever calls: a caller of a test, or a client over a socket."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from synovia import http

APPLICATION = Path(__file__).parents[2] / "apps" / "events"
SECRET = "a secret of these tests"
SOON = 4_000_000_000_000


@dataclass(frozen=True)
class Concert:
    """An event with one tier; its owner is a caller or a client."""

    owner: Any
    workspace: str
    event: str
    tier: str

    async def left(self) -> int:
        """Tell how many tickets are left."""
        tiers = await self.owner.query("gatherings:tiers", {"eventId": self.event})
        return next(int(tier["left"]) for tier in tiers if tier["_id"] == self.tier)


async def concert(owner: Any, stock: int = 50, slug: str = "harbour") -> Concert:
    """Set up an organization with a published event."""
    workspace = await owner.mutation("workspaces:found", {"organization": "Arts", "slug": slug, "workspace": "Nights"})
    plan = {"workspaceId": workspace, "title": "Harbour Nights", "venue": "Pier 7", "startsAt": SOON}
    event = await owner.mutation("gatherings:plan", plan)
    tier = {"eventId": event, "name": "Standing", "price": 3_500, "stock": stock}
    tier_id = await owner.mutation("gatherings:add_tier", tier)
    await owner.mutation("gatherings:publish", {"eventId": event})
    return Concert(owner, workspace, event, tier_id)


def payment(order: str, sequence: int, status: str, payment: str = "p1") -> bytes:
    """Write what a provider says."""
    return json.dumps({"payment": payment, "order": order, "sequence": sequence, "status": status}).encode()


def signed(id: str, body: bytes, secret: str = SECRET) -> dict[str, str]:
    """Give the headers of a message."""
    return http.signed_headers(SecretStr(secret), id, body)
