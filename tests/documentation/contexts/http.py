"""What docs/http.md takes for granted."""

from synovia import Id, MutationContext, NotFound, QueryContext, Table, mutation, query


class Recording(Table):
    notes: str


@query(signed_in=True)
async def get(ctx: QueryContext, recording_id: Id[Recording]) -> Recording:
    recording = await ctx.db.get(Recording, recording_id)
    if recording is None:
        raise NotFound("no such recording")
    return recording


class Ticket(Table):
    title: str
    minutes: int


@mutation(signed_in=True)
async def add_ticket(ctx: MutationContext, title: str, minutes: int) -> Id[Ticket]:
    return await ctx.db.insert(Ticket(title=title, minutes=minutes))


@query(signed_in=True)
async def titles(ctx: QueryContext, count: int, tags: list[str]) -> list[str]:
    return [each.title for each in await ctx.db.query(Ticket).take(count)]
