"""What docs/http.md takes for granted."""

from synovia import Id, NotFound, QueryContext, Table, query


class Recording(Table):
    notes: str


@query(signed_in=True)
async def get(ctx: QueryContext, recording_id: Id[Recording]) -> Recording:
    recording = await ctx.db.get(Recording, recording_id)
    if recording is None:
        raise NotFound("no such recording")
    return recording
