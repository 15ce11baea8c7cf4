"""The application of ``transfer``: accounts, and money that is moved between two of them."""

from __future__ import annotations

from synovia import FunctionError, Id, MutationContext, Table, mutation

BALANCE = 1_000_000


class Account(Table, name="accounts", text_ids=True):
    balance: int


@mutation(public=True)
async def open_many(ctx: MutationContext, first: int, count: int) -> None:
    for number in range(first, first + count):
        await ctx.db.insert(Account(id=Id(f"a{number}"), balance=BALANCE))


@mutation(public=True)
async def transfer(ctx: MutationContext, source: Id[Account], target: Id[Account], amount: int) -> int:
    giver, taker = await ctx.db.get(source), await ctx.db.get(target)
    if giver is None or taker is None or giver.balance < amount:
        raise FunctionError("insufficient", "there is too little to give")
    await ctx.db.patch(giver, balance=giver.balance - amount)
    await ctx.db.patch(taker, balance=taker.balance + amount)
    return giver.balance - amount
