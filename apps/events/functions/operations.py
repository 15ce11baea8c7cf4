"""What programs ask: deployments, jobs that another scheduler begins, and how the application is."""

from datetime import datetime

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from events.schema import Deployed, Event, Notification, Pass, Release, Setup
from synovia import ActionContext, Id, MutationContext, QueryContext, between, cron, field, http, job, mutation, query

DAY = 86_400_000


class Deployment(Deployed):
    """What a deployment tells when it has ended."""

    started_at: datetime
    finished_at: datetime


@http.route("/webhooks/deployments", methods=["POST"], public=True, max_body_bytes=10_000)
async def deployed(ctx: ActionContext, request: Request) -> Response:
    """Note a deployment, once however often it is told."""
    said = await http.signed_delivery(request, ctx.env(Setup).deploy_secret, Deployment)
    return JSONResponse({"new": await ctx.run_mutation(note_release, said.id, said.content)}, 202)


@mutation(internal=True)
async def note_release(ctx: MutationContext, delivery: str, said: Deployment) -> bool:
    """Add to the history of releases."""
    db, what = ctx.as_application().db, said.model_dump(include=set(Deployed.model_fields))
    if await db.get(Id[Release](delivery)) is not None:
        return False
    at, took = int(said.finished_at.timestamp() * 1000), (said.finished_at - said.started_at).total_seconds()
    await db.insert(Release(id=Id(delivery), **what, deployed_at=at, seconds=took))
    return True


@query(capability="releases.read")
async def releases(ctx: QueryContext) -> list[Release]:
    """List what was deployed, the newest first."""
    return await ctx.db.query(Release).using("by_time").order("desc").take(100)


@query(internal=True)
async def newest(ctx: QueryContext) -> str | None:
    """Tell which commit was deployed last."""
    release = await ctx.as_application().db.query(Release).using("by_time").order("desc").first()
    return None if release is None else release.commit


@http.route("/status", methods=["GET"], public=True)
async def status(ctx: ActionContext, request: Request) -> Response:
    """Tell that functions run, and which release this is; the hub itself is told of by ``/health``."""
    return JSONResponse({"status": "ok", "release": await ctx.run_query(newest)})


@http.route("/jobs/reminders", methods=["POST"], capability="jobs.run")
async def run_reminders(ctx: ActionContext, request: Request) -> Response:
    """Remind now, for a scheduler elsewhere that has the key of a service."""
    return JSONResponse({"events": await ctx.run_mutation(remind_all)})


@cron(daily_at="09:00")
@mutation(internal=True)
async def remind_all(ctx: MutationContext) -> int:
    """Remind everybody of what begins within a day, once of each event."""
    db, begun = ctx.as_application().db, 0
    soon = db.query(Event).using("by_publication", published=True, starts_at=between(ctx.now, ctx.now + DAY))
    for event in await soon.where(field("reminded") == False).take(100):  # noqa: E712
        await ctx.scheduler.run_job(remind, db.query(Pass).using("by_event", event_id=event.id), event.title)
        await db.patch(event, reminded=True)
        begun += 1
    return begun


@job
async def remind(ctx: MutationContext, passes: list[Pass], title: str) -> None:
    """Tell those who hold passes."""
    await ctx.db.insert_many(Notification(auth_id=each.auth_id, text=f"{title} begins soon.") for each in passes)
