"""What docs/scheduling.md takes for granted."""

from synovia import QueryContext, roles


@roles({"admin": set()})
async def roles_of(ctx: QueryContext) -> str | None:
    return "admin"
