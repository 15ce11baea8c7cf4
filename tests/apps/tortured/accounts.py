"""Money is moved, never made: every instant has the same sum."""

from __future__ import annotations

from synovia import FunctionError, MutationContext, QueryContext, mutation, query

from .schema import Account, Entry


@query(public=True)
async def all_of_them(ctx: QueryContext) -> dict[str, int]:
    return {account.name: account.balance for account in await ctx.db.query(Account).using("by_name").collect()}


@query(public=True)
async def on_side(ctx: QueryContext, side: int) -> dict[str, int]:
    accounts = await ctx.db.query(Account).using("by_side", side=side).collect()
    return {account.name: account.balance for account in accounts}


@query(public=True)
async def ledger(ctx: QueryContext) -> list[Entry]:
    return await ctx.db.query(Entry).using("by_ref").collect()


@mutation(public=True)
async def create(ctx: MutationContext, count: int, balance: int) -> None:
    for number in range(count):
        await ctx.db.insert(Account(name=f"a{number}", side=number % 2, balance=balance))


@mutation(public=True)
async def transfer(ctx: MutationContext, ref: str, source: str, target: str, amount: int) -> int:
    giver = await ctx.db.query(Account).using("by_name", name=source).unique()
    taker = await ctx.db.query(Account).using("by_name", name=target).unique()
    if giver is None or taker is None or giver.balance < amount:
        raise FunctionError("insufficient", f"{source} has too little")
    await ctx.db.patch(giver, balance=giver.balance - amount)
    await ctx.db.patch(taker, balance=taker.balance + amount)
    await ctx.db.insert(Entry(ref=ref, source=source, target=target, amount=amount))
    return giver.balance - amount
