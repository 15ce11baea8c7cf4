"""Tickets are reserved, paid, given back; never more than there are."""

from datetime import timedelta
from typing import Literal

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from events.access import find_having, get_having
from events.functions.service_calls import ask_service
from events.schema import Event, Notification, Order, Pass, Payment, PaymentState, Quantity, Setup, TicketTier
from synovia import (
    ActionContext,
    Attachment,
    FunctionError,
    Id,
    Model,
    MutationContext,
    NotFound,
    QueryContext,
    RateLimit,
    Retry,
    action,
    http,
    mutation,
    query,
    require_identity,
)

RESERVATIONS = RateLimit("reservations", 20, per=timedelta(minutes=1))
HELD = timedelta(minutes=15)
HOUR = 3_600_000
PATIENT = Retry(attempts=8, first=timedelta(seconds=2))


class PaymentEvent(PaymentState):
    """What the provider says."""

    payment: str
    order: Id[Order]


class Hour(Model):
    """What was sold in an hour that began at ``start``."""

    start: int
    orders: int
    tickets: int
    amount: int


# --- buying


@mutation(signed_in=True)
async def reserve(ctx: MutationContext, tier_id: Id[TicketTier], quantity: Quantity = 1) -> Id[Order]:
    """Hold tickets for a quarter of an hour."""
    me, db, tier = require_identity(ctx), ctx.as_application().db, await ctx.db.get_one(tier_id)
    await RESERVATIONS.spend(ctx, me.key)
    if tier.left < quantity:
        raise FunctionError("sold_out", f"{tier.left} tickets are left", {"left": tier.left})
    await db.patch(tier, left=tier.left - quantity)
    expires_at = ctx.now + HELD // timedelta(milliseconds=1)
    order = Order(
        **tier.place, tier_id=tier.id, auth_id=me.key, email=me.email or "", holder=me.name or me.email or "Guest",
        quantity=quantity, amount=quantity * tier.price, expires_at=expires_at,
    )  # fmt: skip
    id_ = await db.insert(order)
    await ctx.scheduler.run_at(expires_at, expire, id_)
    return id_


@mutation(internal=True)
async def expire(ctx: MutationContext, order_id: Id[Order]) -> None:
    """Give back what was not paid."""
    order = await ctx.db.get(order_id)
    if order is not None and order.status == "reserved":
        await _end(ctx, order, "expired")


async def _end(ctx: MutationContext, order: Order, status: Literal["expired", "refunded"]) -> None:
    db = ctx.as_application().db
    tier = await db.get_one(order.tier_id)
    if order.status in ("reserved", "paid"):
        await db.patch(tier, left=tier.left + order.quantity)
    await db.patch(order, status=status)
    await db.patch_where(db.query(Pass).using("by_order", order_id=order.id), cancelled=True)


@query(signed_in=True)
async def mine(ctx: QueryContext) -> list[Order]:
    """List the caller's orders, the newest first."""
    orders = ctx.db.query(Order).using("by_buyer", auth_id=require_identity(ctx).key)
    return await orders.order("desc").take(50)


@query(signed_in=True)
async def get(ctx: QueryContext, order_id: Id[Order]) -> Order | None:
    """Give an order that the caller may see."""
    return await ctx.db.get(order_id)


# --- paying


@action(signed_in=True)
async def checkout(ctx: ActionContext, order_id: Id[Order]) -> str:
    """Give the address at which an order is paid."""
    order = await ctx.run_query(get, order_id)
    if order is None or order.auth_id != require_identity(ctx).key:
        raise NotFound("there is no such order")
    if order.status != "reserved":
        raise FunctionError("not_reserved", f"this order is {order.status}")
    answer = await ask_service(ctx, "payments", {"order": order.id, "amount": order.amount})
    return str(answer.json()["pay"])


@http.route("/webhooks/payments", methods=["POST"], public=True, max_body_bytes=10_000)
async def payment_said(ctx: ActionContext, request: Request) -> Response:
    """Take what the payment provider says."""
    said = await http.signed_delivery(request, ctx.env(Setup).payment_secret, PaymentEvent)
    return JSONResponse({"new": await ctx.run_mutation(take, said.content)})


@mutation(internal=True)
async def take(ctx: MutationContext, said: PaymentEvent) -> bool:
    """Take in what the provider says; what is known already, or older than that, changes nothing."""
    db = ctx.as_application().db
    order, known = await db.get_one(said.order), await db.get(Payment, Id(said.payment))
    if known is not None and known.sequence >= said.sequence:
        return False
    payment = Payment(id=Id(said.payment), order_id=order.id, sequence=said.sequence, status=said.status)
    await (db.insert(payment) if known is None else db.replace(payment))
    if said.status == "succeeded":
        await _settle(ctx, order, said.payment)
    elif said.status == "refunded" and order.status != "refunded":
        others = db.query(Payment).using("by_order", order_id=order.id, status="succeeded")
        if await others.first() is None:  # else it was paid twice, and is paid still
            await _end(ctx, order, "refunded")
    return True


async def _settle(ctx: MutationContext, order: Order, payment: str) -> None:
    db = ctx.as_application().db
    tier = await db.get_one(order.tier_id)
    if order.status == "expired" and tier.left >= order.quantity:
        await db.patch(tier, left=tier.left - order.quantity)  # paid too late, and there are some
    elif order.status != "reserved":
        await ctx.scheduler.run_after(timedelta(), pay_back, order.id, payment)
        return
    await db.patch(order, status="paid", hour=ctx.now // HOUR * HOUR)
    codes = [f"{ctx.random.getrandbits(80):020x}" for _ in range(order.quantity)]
    await db.insert_many(Pass(**order.entry, order_id=order.id, code=code) for code in codes)
    await db.insert(Notification(auth_id=order.auth_id, text=f"{order.quantity} tickets are yours."))
    if order.email:
        await ctx.scheduler.run_after(timedelta(), mail_passes, order.email, codes)


@mutation(signed_in=True)
async def refund(ctx: MutationContext, order_id: Id[Order]) -> None:
    """Pay an order back; it is refunded when the provider says so."""
    order = await get_having(ctx, "orders.refund", order_id)
    if order.status != "paid":
        raise FunctionError("not_paid", f"this order is {order.status}")
    await ctx.audit("orders.refund", subject=order.id)
    await ctx.scheduler.run_after(timedelta(), pay_back, order.id)


@action(internal=True, retry=PATIENT)
async def pay_back(ctx: ActionContext, order_id: Id[Order], payment: str | None = None) -> None:
    """Have the provider pay an order back, or one payment of it: somebody who pays twice has paid once."""
    await ask_service(ctx, "refunds", {"order": order_id, "payment": payment})


@action(internal=True, retry=PATIENT)
async def mail_passes(ctx: ActionContext, email: str, codes: list[str]) -> None:
    """Mail a buyer their passes, of each kind that the service makes."""
    kinds, files = (await ask_service(ctx, "wallets")).json(), list[Attachment]()
    for number, code in enumerate(codes, 1):
        for kind in kinds:
            paper = await ask_service(ctx, f"passes/{code}/wallet.{kind}")
            files.append(Attachment(f"pass-{number}.{kind}", paper.content, paper.headers["content-type"]))
    await ctx.mail.send(email, "Your tickets", "They are attached. See you there!", attachments=files)


# --- looking


@query(signed_in=True)
async def sales(ctx: QueryContext, event_id: Id[Event]) -> list[Hour]:
    """Tell an organizer what was sold by the hour, live."""
    if await find_having(ctx, "sales.read", event_id) is None:
        return []
    by_hour = ctx.db.query(Order).using("by_event", event_id=event_id, status="paid").group_by("hour")
    orders, tickets, amounts = await by_hour.count(), await by_hour.sum("quantity"), await by_hour.sum("amount")
    return [
        Hour(start=hour, orders=orders[hour], tickets=int(tickets[hour]), amount=int(amounts[hour])) for hour in orders
    ]
