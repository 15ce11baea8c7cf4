"""A row of each kind in a workspace of events that has a concert already, for tests of what others see of it."""

from __future__ import annotations

from typing import Any

from events import schema as its
from synovia import Id, MutationContext, mutation


@mutation(internal=True)
async def plant(ctx: MutationContext) -> str:
    """Write what the seeds leave out; give the id of the event."""
    db = ctx.db
    order, made = await db.query(its.Order).first(), await db.query(its.Pass).first()
    template, user = await db.query(its.DpTemplate).first(), "dev|ada@events.example"
    assert order is not None
    assert made is not None
    assert template is not None
    place: dict[str, Any] = {"workspace_id": order.workspace_id}
    of: dict[str, Any] = {"event_id": order.event_id, **place}
    await db.insert(its.User(auth_id=user, email="ada@events.example", name="Ada"))
    await db.insert(its.TeamMember(auth_id=user, team="Door", role="door", **place))
    draft = await db.insert(its.Event(title="Secret Night", venue="Pier", starts_at=2**42, **place))
    await db.insert(its.Session(event_id=draft, title="Secret", starts_at=2**42, **place))
    await db.insert(its.TicketTier(event_id=draft, name="Secret", price=1, stock=1, left=1, **place))
    await db.insert(its.CheckIn(pass_id=made.id, holder="Alma", scanner="d", scan_id="1", scanned_at=1, **of))
    batch = await db.insert(its.DpBatch(template_id=template.id, total=1, by=user, **of))
    picture = await ctx.files.write(b"\x89PNG\r\n\x1a\n" + bytes(32), name="1.png", type="image/png")
    who: dict[str, Any] = {"auth_id": user, "email": "ada@events.example", "holder": "Ada"}
    await db.insert(its.GeneratedDp(batch_id=batch, number=0, status="done", picture=picture, **who, **of))
    await db.insert(its.Campaign(batch_id=batch, subject="S", text="T", **place))
    await db.insert(its.Notification(auth_id=user, text="Secret"))
    await db.insert(its.Payment(id=Id("p1"), order_id=order.id, sequence=1, status="created"))
    await db.insert(its.Release(id=Id("d1"), commit="c", environment="e", status="s", deployed_at=1, seconds=1.0))
    await ctx.audit("events.look", subject=draft, data={})
    return draft
