"""``/metrics`` of a real server: what it counts, and who may see it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping

import pytest
from prometheus_client.parser import text_string_to_metric_families

from helpers.http_server import Answer, Served
from helpers.sync_server import Running, client_of, serving
from synovia.metrics import missing, new_metrics
from synovia.metrics.calls import SECONDS

Figures = Mapping[tuple[str, tuple[tuple[str, str], ...]], float]


async def ask(running: Running, token: str | None = None, **headers: str) -> Answer:
    return await Served(running.app, running.port).ask("GET", "/metrics", headers=headers, token=token)


def figures_in(answer: Answer) -> Figures:
    """Read an answer as Prometheus does."""
    assert answer.status == 200
    families = text_string_to_metric_families(answer.body.decode())
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in families
        for sample in family.samples
    }


def functions_in(answer: Answer) -> set[str]:
    """Tell which mutations are named, the server's own aside."""
    named = {label for _, labels in figures_in(answer) if ("kind", "mutation") in labels for label in labels}
    return {value for name, value in named if name == "function" and not value.startswith("_")}


def figure(figures: Figures, name: str, **labels: str) -> float:
    return figures.get((name, tuple(sorted(labels.items()))), 0.0)


@pytest.fixture
async def running() -> AsyncIterator[Running]:
    async with serving() as running:
        yield running


async def test_pushes_budgets_and_the_scheduler_are_told(running: Running) -> None:
    key = (await running.app.service_keys.create("prometheus", ["operator"])).token
    async with client_of(running) as client:
        await client.subscribe(1, "notes:on_board", {"board": "a"})
        await client.mutate("notes:post", {"board": "a", "text": "x"})  # answered behind the transition
        figures = figures_in(await ask(running, key))
    assert figure(figures, "synovia_transitions_total") == 2
    limits = running.app.engine.limits
    assert figure(figures, "synovia_memory_budget_bytes", budget="held_results") == limits.max_held_bytes
    for name in ("calls_running", "calls_failed_total", "late_seconds"):
        assert figures["synovia_scheduled_" + name, ()] == 0


async def test_calls_are_counted_by_function_and_by_what_came_of_them(running: Running) -> None:
    key = (await running.app.service_keys.create("prometheus", ["operator"])).token
    async with client_of(running) as client:
        await client.subscribe(1, "notes:on_board", {"board": "a"})
        for text in ("x", "y", "z"):
            await client.mutate("notes:post", {"board": "a", "text": text})
        assert (await client.mutate("notes:post", {"board": 5})).error is not None
        assert (await client.mutate("notes:invented", {})).error is not None
        figures = figures_in(await ask(running, key))

    posted = {"kind": "mutation", "function": "notes:post"}
    assert figure(figures, "synovia_calls_total", **posted, outcome="ok") == 3
    assert figure(figures, "synovia_calls_total", **posted, outcome="invalid_arguments") == 1
    assert figure(figures, "synovia_calls_total", kind="mutation", function="", outcome="unknown_function") == 1
    assert figure(figures, "synovia_call_duration_seconds_count", **posted) == 4
    assert figure(figures, "synovia_call_duration_seconds_bucket", **posted, le="+Inf") == 4
    assert 0 < figure(figures, "synovia_call_duration_seconds_sum", **posted) < 4 * SECONDS[-1]
    assert figure(figures, "synovia_live_query_runs_total", function="notes:on_board", outcome="ok") >= 2
    assert figure(figures, "synovia_commits_total") == 4  # the key is one, too
    assert figure(figures, "synovia_connections") == 1
    assert figure(figures, "synovia_live_queries") == 1
    assert figure(figures, "synovia_sent_frames_total") >= 7
    assert figure(figures, "synovia_sent_bytes_total") > 100


async def test_two_hubs_of_one_process_count_for_themselves(running: Running) -> None:
    async with serving(development=True) as other, client_of(running) as client:
        await client.mutate("notes:post", {"board": "a", "text": "x"})
        counted = figures_in(await ask(other))
    assert figure(counted, "synovia_calls_total", kind="mutation", function="notes:post", outcome="ok") == 0


async def test_names_that_clients_invent_take_no_memory(running: Running) -> None:
    key = (await running.app.service_keys.create("prometheus", ["operator"])).token
    async with client_of(running) as client:
        await client.mutate("invented:first", {})
        before = functions_in(await ask(running, key))
        for number in range(50):
            await client.mutate(f"invented:number_{number}", {})
        assert functions_in(await ask(running, key)) == before
        assert "" in before


@pytest.mark.parametrize("token", [None, 'dev:ada@example.org?roles:=["operator"]'])
async def test_only_an_operators_key_opens_them(running: Running, token: str | None) -> None:
    answer = await ask(running, token)
    assert (answer.status, answer.code) == ((401, "unauthenticated") if token is None else (403, "forbidden"))
    assert b"synovia_" not in answer.body


async def test_a_key_without_the_role_and_one_that_was_revoked_open_nothing(running: Running) -> None:
    keys = running.app.service_keys
    other = await keys.create("billing", ["service"])
    assert (await ask(running, other.token)).code == "forbidden"
    made = await keys.create("prometheus", ["operator"])
    assert (await ask(running, made.token)).status == 200
    await keys.revoke(made.key.id)
    assert (await ask(running, made.token)).code == "invalid_token"


async def test_on_loopback_in_development_they_are_open_and_in_the_format_that_is_asked_for() -> None:
    async with serving(development=True) as running:
        plain = await ask(running)
        assert plain.headers["content-type"].startswith("text/plain")
        asked = await ask(running, accept="application/openmetrics-text; version=1.0.0")
        assert asked.headers["content-type"].startswith("application/openmetrics-text")
        assert asked.body.endswith(b"# EOF\n")


async def test_calls_that_are_given_up_are_counted_as_such(running: Running) -> None:
    engine = running.app.engine
    gate = asyncio.Event()

    async def hang(*_: object, **__: object) -> None:
        gate.set()
        await asyncio.Event().wait()

    engine._mutations.run = hang  # type: ignore[method-assign, assignment]
    call = asyncio.create_task(engine.mutate("notes:post", {"board": "a", "text": "x"}, None))
    await gate.wait()
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    key = (await running.app.service_keys.create("prometheus", ["operator"])).token
    counted = figures_in(await ask(running, key))
    assert figure(counted, "synovia_calls_total", kind="mutation", function="notes:post", outcome="cancelled") == 1


async def test_without_the_library_a_server_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("synovia.metrics.find_spec", lambda name: None)
    assert isinstance(new_metrics(()), missing.NoMetrics)
    async with serving(development=True) as running, client_of(running) as client:
        await client.mutate("notes:post", {"board": "a", "text": "x"})
        answer = await ask(running)
    assert answer.status == 501
    assert "pip install 'synovia[metrics]'" in answer.json["error"]["message"]
