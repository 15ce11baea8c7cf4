"""An application that says what it is told: in documents, in the log, on standard output, in errors."""

from __future__ import annotations

import logging
from typing import Any

from synovia import FunctionError, Id, Index, MutationContext, QueryContext, Table, mutation, query

logger = logging.getLogger("loud")


class Text(Table, name="texts", indexes=[Index("by_text", "text")]):
    text: str
    more: Any = None


@mutation(public=True)
async def put(ctx: MutationContext, text: str, more: Any = None) -> Id[Text]:
    print(text)
    logger.warning("%s", text)
    return await ctx.db.insert(Text(text=text, more=more))


@mutation(public=True)
async def fail(ctx: MutationContext, text: str) -> None:
    print(text)
    raise FunctionError("bad", text, {"why": text})


@mutation(public=True)
async def crash(ctx: MutationContext, text: str) -> None:
    raise RuntimeError(text)


@query(public=True)
async def of(ctx: QueryContext, text: str) -> list[Text]:
    print(text)
    return await ctx.db.query(Text).using("by_text", text=text).collect()
