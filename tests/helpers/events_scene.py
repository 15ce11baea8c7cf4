"""What tests and trials of events do in it, whoever calls: a caller of a test, or a client over a socket."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from pydantic import SecretStr

from synovia import http

APPLICATION = Path(__file__).parents[2] / "apps" / "events"
SECRET = "a secret of these tests"
SOON = 4_000_000_000_000


class Calls(Protocol):
    """Somebody who calls functions."""

    async def query(self, path: str, args: Mapping[str, Any] | None = None) -> Any: ...

    async def mutation(self, path: str, args: Mapping[str, Any] | None = None) -> Any: ...


@dataclass(frozen=True)
class Concert:
    """An event with one tier."""

    owner: Calls
    workspace: str
    event: str
    tier: str

    async def left(self) -> int:
        """Tell how many tickets are left."""
        [tier] = await self.owner.query("gatherings:tiers", {"eventId": self.event})
        return int(tier["left"])


async def concert(owner: Calls, stock: int = 50, slug: str = "harbour") -> Concert:
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
