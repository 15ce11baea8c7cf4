"""Traces of a real server: from a call over its run, reads and commit to what is pushed, and to calls that it schedules."""

from __future__ import annotations

import asyncio
import http.server
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, ParentBased

from helpers.http_server import Served
from helpers.patience import PATIENCE
from helpers.sync_server import Running, client_of, serving
from helpers.written_applications import write_application
from synovia import Synovia
from synovia.config import Settings
from synovia.engine.tracing import UNTRACED
from synovia.errors import SchemaError
from synovia.tracing import new_tracing, untraced
from synovia.tracing.spans import MOST_PUSHES, SpanTracer
from synovia_client import Client
from synovia_protocol.codec import encode
from synovia_protocol.messages import ModifyQuerySet, Mutation, QueryAdd

APPLICATION = """
from datetime import timedelta

class Note(Table):
    text: str

@query(public=True)
async def texts(ctx: QueryContext) -> list[str]:
    return [each.text for each in await ctx.db.query(Note).collect()]

@mutation(public=True)
async def post(ctx: MutationContext, text: str) -> None:
    if await ctx.db.query(Note).count() > 100:
        raise InvalidArguments("full")
    await ctx.db.insert(Note(text=text))

@mutation(public=True)
async def refuse(ctx: MutationContext) -> None:
    raise InvalidArguments("no")

@query(public=True)
async def count(ctx: QueryContext) -> int:
    return await ctx.db.query(Note).count()

@mutation(public=True)
async def refuse_nothing(ctx: MutationContext) -> None:
    pass

@mutation(public=True)
async def later(ctx: MutationContext) -> None:
    await ctx.scheduler.run_after(timedelta(), f"{__name__}:post", {"text": "later"})

@action(public=True)
async def twice(ctx: ActionContext, text: str) -> None:
    for _ in range(2):
        await ctx.run_mutation(f"{__name__}:post", {"text": text})
"""


class Traced:
    """A server, and the spans that it has made."""

    def __init__(self, running: Running, exporter: InMemorySpanExporter) -> None:
        self.running, self.exporter = running, exporter
        self.name = running.app.registry.name

    async def until(self, name: str, count: int = 1) -> list[ReadableSpan]:
        """Wait until there are so many spans of a name."""
        await self.meets(lambda: len(self.named(name)) >= count)
        return self.named(name)

    async def meets(self, condition: Callable[[], bool]) -> None:
        """Wait until the spans are as they shall be."""
        async with asyncio.timeout(PATIENCE):
            while not condition():  # noqa: ASYNC110 (the exporter knows no event)
                await asyncio.sleep(0.005)

    def named(self, name: str) -> list[ReadableSpan]:
        return [each for each in self.exporter.get_finished_spans() if each.name == name]

    async def one(self, name: str) -> ReadableSpan:
        return (await self.until(name))[0]


@asynccontextmanager
async def traced(folder: Path, provider: TracerProvider | None = None) -> AsyncIterator[Traced]:
    provider, exporter = provider or TracerProvider(), InMemorySpanExporter()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    async with serving(application=write_application(folder, APPLICATION), tracer_provider=provider) as running:
        yield Traced(running, exporter)


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Traced]:
    async with traced(tmp_path) as found:
        yield found


def is_within(inner: ReadableSpan, outer: ReadableSpan) -> bool:
    """Tell whether a span is a part of another one."""
    return inner.parent is not None and inner.parent.span_id == outer.context.span_id


def known_to(transactions: list[ReadableSpan]) -> set[int]:
    """Give the spans of the calls that some transactions know: the parent of one call, links to several."""
    linked = {link.context.span_id for each in transactions for link in each.links}
    return linked | {each.parent.span_id for each in transactions if each.parent}


async def test_from_the_call_to_what_is_pushed(site: Traced) -> None:
    async with client_of(site.running) as writer, client_of(site.running) as reader:
        await reader.subscribe(1, f"{site.name}:texts")
        await writer.mutate(f"{site.name}:post", {"text": "hello"})
        assert await reader.result(1) == ["hello"]
    call = await site.one(f"mutation {site.name}:post")
    assert call.parent is None
    assert call.attributes is not None
    assert call.attributes["synovia.outcome"] == "ok"
    run = next(each for each in await site.until("synovia.run") if is_within(each, call))
    assert any(is_within(each, run) for each in await site.until("synovia.count")), "its reads"
    assert is_within(await site.one("synovia.commit"), call), "the wait for the commit"
    transactions = await site.until("synovia.transaction")
    assert any(is_within(each, call) for each in transactions)
    assert any(is_within(each, call) for each in await site.until(f"live {site.name}:texts", 2)), "the query ran again"
    push = await site.one("synovia.push")
    assert is_within(push, call)
    assert push.attributes is not None
    assert push.attributes["synovia.queries"] == 1


async def test_calls_that_are_committed_together_share_a_transaction(site: Traced) -> None:
    async with client_of(site.running) as client:
        frames = [client.mutation(f"{site.name}:post", {"text": str(number)})[1] for number in range(20)]
        await client.send(*frames)
        calls = await site.until(f"mutation {site.name}:post", 20)
    own = {each.context.span_id for each in calls}
    await site.meets(lambda: own <= known_to(site.named("synovia.transaction")))  # some of it may end after the calls


async def test_what_fails_and_what_there_is_not(site: Traced) -> None:
    async with client_of(site.running) as client:
        await client.mutate(f"{site.name}:refuse", {})
        await client.mutate("invented:by_a_client", {})
    failed = await site.one(f"mutation {site.name}:refuse")
    assert (failed.status.is_ok, failed.status.description) == (False, "invalid_arguments")
    unknown = await site.one("mutation")
    assert unknown.attributes is not None
    assert unknown.attributes["synovia.function"] == ""
    assert unknown.status.description == "unknown_function"


async def test_a_call_of_an_action_is_within_it(site: Traced) -> None:
    served = Served(site.running.app, site.running.port)
    body = f'{{"path": "{site.name}:twice", "args": {{"text": "x"}}}}'.encode()
    parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    headers = {"traceparent": parent, "Content-Type": "application/json"}
    assert (await served.ask("POST", "/api/action", body, headers=headers)).status == 200
    action = await site.one(f"action {site.name}:twice")
    assert f"{action.context.trace_id:032x}" == "0af7651916cd43dd8448eb211c80319c", "it goes on with the client's trace"
    assert action.parent is not None
    assert f"{action.parent.span_id:016x}" == "b7ad6b7169203331"
    assert all(is_within(each, action) for each in await site.until(f"mutation {site.name}:post", 2))


@pytest.mark.parametrize("header", ["", "nonsense", "00-0-0-0", "00-" + "0" * 32 + "-" + "0" * 16 + "-01", "\xff" * 9])
async def test_a_header_that_is_none_is_passed_over(site: Traced, header: str) -> None:
    served = Served(site.running.app, site.running.port)
    body = f'{{"path": "{site.name}:texts", "args": {{}}}}'.encode()
    asked = {"traceparent": header, "Content-Type": "application/json"}
    assert (await served.ask("POST", "/api/query", body, headers=asked)).status == 200
    assert (await site.one(f"query {site.name}:texts")).parent is None


async def test_calls_of_a_client_that_traces_are_parts_of_its_spans(site: Traced) -> None:
    tracer = TracerProvider().get_tracer("application")
    async with Client(site.running.url, proxy=None) as client, client.subscribe(f"{site.name}:texts") as live:
        async for _ in live:
            break
        with tracer.start_as_current_span("writing") as writing:
            await client.mutation(f"{site.name}:post", {"text": "x"})
        with tracer.start_as_current_span("acting") as acting:
            await client.action(f"{site.name}:twice", {"text": "y"})
        with tracer.start_as_current_span("reading") as reading:
            await client.query(f"{site.name}:count")
        await client.mutation(f"{site.name}:refuse_nothing")
    parts = {
        f"mutation {site.name}:post": writing,
        f"action {site.name}:twice": acting,
        f"live {site.name}:count": reading,
    }
    for name, around in parts.items():
        part, own = await site.one(name), around.get_span_context()
        assert (part.context.trace_id, part.parent and part.parent.span_id) == (own.trace_id, own.span_id), name
    assert (await site.one(f"live {site.name}:texts")).parent is None, "nobody traced what was subscribed to"
    assert (await site.one(f"mutation {site.name}:refuse_nothing")).parent is None, "nor what came after"


@pytest.mark.parametrize("name", ["", "nonsense", "00-" + "0" * 32 + "-" + "0" * 16 + "-01", "x" * 100_000])
async def test_a_trace_of_a_client_that_is_none_is_passed_over(site: Traced, name: str) -> None:
    async with client_of(site.running) as client:
        adding = ModifyQuerySet((QueryAdd(1, f"{site.name}:texts", {}, traceparent=name),))
        for message in (Mutation(1, f"{site.name}:post", {"text": "x"}, traceparent=name), adding):
            await client.send(encode(message))
        assert (await site.one(f"mutation {site.name}:post")).parent is None
        await site.one(f"live {site.name}:texts")


async def test_a_scheduled_call_is_linked_to_the_one_that_scheduled_it(site: Traced) -> None:
    async with client_of(site.running) as client:
        await client.mutate(f"{site.name}:later", {})
    scheduling = await site.one(f"mutation {site.name}:later")
    run = await site.one(f"mutation {site.name}:post")
    assert run.context.trace_id != scheduling.context.trace_id
    assert [link.context.span_id for link in run.links] == [scheduling.context.span_id]
    assert run.attributes is not None
    assert scheduling.attributes is not None
    assert scheduling.attributes["synovia.scheduled"] == (run.attributes["synovia.scheduled_call"],)


async def test_many_clients_do_not_make_many_spans(site: Traced) -> None:
    app = site.running.app
    await app.mutation(f"{site.name}:post", {"text": "x"})
    tracer = app.tracing.tracer
    assert isinstance(tracer, SpanTracer)
    for _ in range(3 * MOST_PUSHES):
        tracer.pushed(app.engine.head - 1, app.engine.head, queries=1, size=10)
    assert len(await site.until("synovia.push", MOST_PUSHES)) == MOST_PUSHES


async def test_what_is_not_sampled_makes_nothing(tmp_path: Path) -> None:
    async with traced(tmp_path, TracerProvider(sampler=ParentBased(ALWAYS_OFF))) as site:
        await site.running.app.mutation(f"{site.name}:post", {"text": "x"})
        assert site.exporter.get_finished_spans() == ()


# --- off, and by the variables of OpenTelemetry ------------------------------------------------------------------------


def test_off_it_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    found = new_tracing({}, on=False)
    assert isinstance(found, untraced.NoTracing)
    assert found.tracer is UNTRACED
    assert UNTRACED.call("query", "a:b", None) is UNTRACED.call("mutation", "c:d", None), "nothing is made for a call"
    monkeypatch.setattr("synovia.tracing.find_spec", lambda name: None)
    with pytest.raises(SchemaError, match=r"pip install 'synovia\[traces\]'"):
        new_tracing({}, on=True)


class _Receiver(http.server.BaseHTTPRequestHandler):
    received: list[ExportTraceServiceRequest]

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.path == "/v1/traces":
            self.received.append(ExportTraceServiceRequest.FromString(body))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        pass


@contextmanager
def receiver() -> Iterator[tuple[str, list[ExportTraceServiceRequest]]]:
    """Run what takes spans by OTLP over HTTP; give its address, and what has come."""
    received: list[ExportTraceServiceRequest] = []
    handler = type("Receiver", (_Receiver,), {"received": received})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}", received
        finally:
            server.shutdown()


async def test_by_a_setting_they_are_sent_by_otlp(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with receiver() as (address, received):
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", address)
        hub = Synovia(write_application(tmp_path, APPLICATION), settings=Settings(traces=True))
        async with hub.lifespan():
            await hub.mutation(f"{hub.registry.name}:post", {"text": "hello"})
        [sent] = [each for request in received for each in request.resource_spans]
    names = {attribute.key: attribute.value.string_value for attribute in sent.resource.attributes}
    assert names["service.name"] == "synovia"
    spans = {span.name for scope in sent.scope_spans for span in scope.spans}
    assert {f"mutation {hub.registry.name}:post", "synovia.run", "synovia.commit", "synovia.transaction"} <= spans
