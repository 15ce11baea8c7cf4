"""A concert to try out: ``ada@events.example`` owns it, ``dan@events.example`` is at the door, 24 people have passes."""

from __future__ import annotations

from typing import Any

from events.schema import (
    DpTemplate,
    Event,
    Order,
    Organization,
    Pass,
    PlatformRole,
    Role,
    Session,
    TicketTier,
    Workspace,
    WorkspaceMember,
)
from synovia import MutationContext, seed

HOUR = 3_600_000
MEMBERS: dict[str, Role] = {"ada": "owner", "olga": "organizer", "dan": "door"}
GUESTS = (
    "Alma Ben Cleo Dora Emil Finn Greta Hugo Ida Jon Kira Lars Mia Nora Otto Pia Quin Rosa Sam Tara Ugo Vera Wim Zoe"
)


@seed
async def concert(ctx: MutationContext) -> None:
    """Write what there is to look at."""
    organization = await ctx.db.insert(Organization(name="Harbour Arts", slug="harbour"))
    workspace = await ctx.db.insert(Workspace(organization_id=organization, name="Concerts"))
    place: dict[str, Any] = {"workspace_id": workspace}
    for name, role in MEMBERS.items():
        await ctx.db.insert(WorkspaceMember(auth_id=f"dev|{name}@events.example", role=role, **place))
    await ctx.db.insert(PlatformRole(auth_id="dev|root@events.example", role="admin"))
    today = ctx.now // HOUR * HOUR
    event = Event(title="Harbour Nights", venue="Pier 7", starts_at=today + 30 * HOUR, published=True, **place)
    of: dict[str, Any] = {"event_id": await ctx.db.insert(event), **place}
    for title, hours in (("Doors", 30), ("The Tide", 31), ("Night Ferry", 33)):
        await ctx.db.insert(Session(title=title, starts_at=today + hours * HOUR, **of))
    tiers = [
        await ctx.db.insert(TicketTier(name=name, price=price, stock=stock, left=stock - sold, **of))
        for name, price, stock, sold in (
            ("Standing", 3_500, 120, 18),
            ("Balcony", 5_500, 40, 6),
            ("Patron", 12_000, 10, 0),
        )
    ]
    for number, name in enumerate(GUESTS.split()):
        tier, price = (tiers[1], 5_500) if number % 4 == 3 else (tiers[0], 3_500)
        email = f"{name.lower()}@guests.example"
        who: dict[str, Any] = {"auth_id": f"dev|{email}", "email": email}
        order = Order(
            tier_id=tier, name=name, quantity=1, amount=price, status="paid", expires_at=today,
            hour=today - number * number % 11 * HOUR, **of, **who,
        )  # fmt: skip
        made = Pass(
            order_id=await ctx.db.insert(order), holder=name, code=f"{ctx.random.getrandbits(80):020x}", **of, **who
        )
        await ctx.db.insert(made)
    await ctx.db.insert(DpTemplate(headline="I am at Harbour Nights", **of))
