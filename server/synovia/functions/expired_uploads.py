"""Uploads that no mutation has accepted in time: what hubs do about them by themselves."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from synovia import keys
from synovia.functions.context import MutationContext
from synovia.functions.database import SystemWriter
from synovia.functions.files import BY_EXPIRY, UPLOADS
from synovia.functions.function import Function
from synovia.schema.files import upload_limits

FORGET_UPLOADS: Final = "_uploads:forget"
_AT_ONCE: Final = 500


async def forget_uploads(ctx: MutationContext) -> None:
    """Forget uploads that nobody has accepted in time, some hundreds at a time; what they have brought is swept later."""
    writer = SystemWriter(ctx.db)
    over = await writer.scan(UPLOADS.name, BY_EXPIRY, keys.between((), high=(ctx.now, True)), _AT_ONCE)
    for document in over:
        writer.change(UPLOADS.name, document, None)
    if len(over) == _AT_ONCE:
        await ctx.scheduler.run_after(timedelta(), FORGET_UPLOADS)


def takes_uploads(function: Function) -> bool:
    """Tell whether an argument of a function is an upload."""
    fields = function.arguments.model_fields.values()
    return any(next(upload_limits(info.annotation, tuple(info.metadata)), None) is not None for info in fields)
