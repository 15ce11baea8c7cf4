"""A small application for tests of HTTP: accounts with money, and functions that misbehave on request."""

from __future__ import annotations

import asyncio
import datetime as dt
from typing import Annotated, Any

from pydantic import Field

from synovia import (
    ActionContext,
    Float64Array,
    FunctionError,
    Id,
    Index,
    Model,
    MutationContext,
    NotFound,
    QueryContext,
    Table,
    Unauthenticated,
    action,
    mutation,
    query,
)

runs: list[str] = []
"""What has begun, in order."""
gate = asyncio.Event()
"""Functions that wait do so until a test opens this."""


class Account(Table, name="accounts", indexes=[Index("by_name", "name", unique=True)]):
    name: str
    cents: int = 0
    samples: Float64Array | None = None


class Series(Model):
    label: str
    samples: list[Float64Array]


@query(public=True)
async def everything(ctx: QueryContext, value: Any) -> Any:
    """Give back what was given."""
    return value


@query(public=True)
async def balance(ctx: QueryContext, name: str) -> int:
    """Tell what an account holds.

    Raises:
        NotFound: There is no such account.
    """
    account = await ctx.db.query(Account).using("by_name", name=name).unique()
    if account is None:
        raise NotFound("there is no such account")
    return account.cents


@query(public=True)
async def accounts(ctx: QueryContext, limit: Annotated[int, Field(ge=1, le=100)] = 10) -> list[Account]:
    return await ctx.db.query(Account).take(limit)


@query(signed_in=True)
async def whoami(ctx: QueryContext) -> str:
    if ctx.identity is None:
        raise Unauthenticated("sign in first")
    return str(ctx.identity.email)


@query(public=True)
async def mean(ctx: QueryContext, series: Series) -> list[float]:
    return [float((await ctx.arrays.read(each)).mean()) for each in series.samples]


@query(public=True)
async def broken(ctx: QueryContext) -> str:
    raise RuntimeError("the secret of the query")


@query(public=True)
async def wait_for_gate(ctx: QueryContext) -> str:
    await gate.wait()
    return "open"


@query(public=True)
async def at(ctx: QueryContext, moment: dt.datetime, raw: bytes) -> tuple[dt.datetime, bytes]:
    return moment, raw


@mutation(public=True)
async def open_account(ctx: MutationContext, name: str, samples: Float64Array | None = None) -> Id[Account]:
    runs.append(f"open {name}")
    return await ctx.db.insert(Account(name=name, samples=samples))


@mutation(public=True)
async def pay_in(ctx: MutationContext, name: str, cents: Annotated[int, Field(gt=0)]) -> int:
    """Pay in, and tell the new balance."""
    runs.append(f"pay {name} {cents}")
    account = await ctx.db.query(Account).using("by_name", name=name).unique()
    if account is None:
        raise NotFound("there is no such account")
    if cents > 1_000_000:
        raise FunctionError("too_rich", "nobody has that much", {"most": 1_000_000, "raw": b"\x00"})
    await ctx.db.patch(account, cents=account.cents + cents)
    return account.cents + cents


@mutation(public=True)
async def pay_at_gate(ctx: MutationContext, name: str) -> None:
    runs.append(f"gate {name}")
    await gate.wait()
    await ctx.db.insert(Account(name=name))


@mutation(internal=True)
async def hidden(ctx: MutationContext) -> None:
    return None


@action(public=True)
async def pay_twice(ctx: ActionContext, name: str, cents: int) -> int:
    await ctx.run_mutation("ledger:pay_in", {"name": name, "cents": cents})
    return int(await ctx.run_mutation("ledger:pay_in", {"name": name, "cents": cents}))
