"""A concert to try out: ``ada@events.example`` owns it, ``dan@events.example`` is at the door, 24 people have passes."""

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
TIERS = (("Standing", 3_500, 120, 18), ("Balcony", 5_500, 40, 6), ("Patron", 12_000, 10, 0))
GUESTS = (
    "Alma Ben Cleo Dora Emil Finn Greta Hugo Ida Jon Kira Lars Mia Nora Otto Pia Quin Rosa Sam Tara Ugo Vera Wim Zoe"
)


@seed
async def concert(ctx: MutationContext) -> None:
    """Write what there is to look at."""
    organization = await ctx.db.insert(Organization(name="Harbour Arts", slug="harbour"))
    workspace = await ctx.db.insert(Workspace(organization_id=organization, name="Concerts"))
    for name, role in MEMBERS.items():
        member = WorkspaceMember(workspace_id=workspace, auth_id=f"dev|{name}@events.example", role=role)
        await ctx.db.insert(member)
    await ctx.db.insert(PlatformRole(auth_id="dev|root@events.example", role="admin"))
    today = ctx.now // HOUR * HOUR
    evening = Event(
        workspace_id=workspace, title="Harbour Nights", venue="Pier 7", starts_at=today + 30 * HOUR, published=True
    )
    event = await ctx.db.get_one(await ctx.db.insert(evening))
    for title, hours in (("Doors", 30), ("The Tide", 31), ("Night Ferry", 33)):
        await ctx.db.insert(Session(**event.place, title=title, starts_at=today + hours * HOUR))
    tiers = [
        await ctx.db.insert(TicketTier(**event.place, name=name, price=price, stock=stock, left=stock - sold))
        for name, price, stock, sold in TIERS
    ]
    for number, name in enumerate(GUESTS.split()):
        tier, email = int(number % 4 == 3), f"{name.lower()}@guests.example"
        order = Order(
            **event.place, tier_id=tiers[tier], auth_id=f"dev|{email}", email=email, holder=name, amount=TIERS[tier][1],
            status="paid", expires_at=today, hour=today - number * number % 11 * HOUR,
        )  # fmt: skip
        code = f"{ctx.random.getrandbits(80):020x}"
        await ctx.db.insert(Pass(**order.entry, order_id=await ctx.db.insert(order), code=code))
    await ctx.db.insert(DpTemplate(**event.place, headline="I am at Harbour Nights"))
