"""The comparison with peers: each speaks as its clients expect, and the figures are those of the round."""

from __future__ import annotations

import asyncio

import pytest
from benchmarks import buyers, workers
from benchmarks.peers import comparison, servers
from benchmarks.peers.clients import clients
from benchmarks.peers.installed import NotInstalled, output
from benchmarks.results import Setting
from benchmarks.wire import client_frame

pytestmark = pytest.mark.slow


@pytest.mark.mongodb
async def test_all_of_them_tell_who_follows_a_room(mongodb_uri: str) -> None:
    """Without Feathers, whose packages a test does not install."""
    setting = Setting(mongodb_uri, quick=True)
    for start in (servers.synovia, servers.broadcasting, servers.bare_broker):
        async with start(setting, {"a": 3, "b": 1}) as server, clients(["a", "b", "a"]) as crowd:
            assert await crowd.arrive(server.port, server.dialect) > 0
            told = await crowd.write(server.sensors["b"], 2, 100.0)
            assert (len(told.milliseconds), told.frames) == (2, 2)
            assert all(milliseconds > 0 for milliseconds in told.milliseconds)
            assert 20 < told.size / told.frames < 300
            assert await server.cpu() > 0


@pytest.mark.mongodb
async def test_what_is_not_installed_is_named_and_left_out(mongodb_uri: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async def no_script(name: str) -> None:
        raise NotInstalled("no npm")

    monkeypatch.setattr(servers, "script", no_script)
    result = await comparison.run(Setting(mongodb_uri, quick=True), audience=3, writes=2, between=0.0)
    assert result.skipped == "feathers: no npm"
    assert {row.peer for row in result.rows} == {"limit", "FastAPI broadcaster", "bare broker"}


@pytest.mark.mongodb
async def test_workers_answer_queries_mutations_and_pushes(mongodb_uri: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers, "SECONDS", 0.2)
    monkeypatch.setattr(workers, "AUDIENCE", 10)
    async with workers.served(Setting(mongodb_uri, quick=True), 2) as served:
        for kind in workers.KINDS:
            await served.measure(kind)
        assert all(figures.rates[0] > 0 and figures.cpu[0] > 0 for figures in served.figures.values())


@pytest.mark.mongodb
async def test_buyers_are_measured_on_both_stores(mongodb_uri: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(buyers, "SECONDS", 0.1)
    result = await buyers.run(Setting(mongodb_uri, quick=True), buyers=3)
    assert [row.name for row in result.rows] == ["3 buyers of one tier, SQLite", "3 buyers of one tier, MongoDB"]
    assert all(row.figure > 0 and row.peer_figure > 0 for row in result.rows)


async def test_a_program_that_fails_says_why() -> None:
    with pytest.raises(NotInstalled, match="false"):
        await asyncio.wait_for(output("false"), 30)


def test_frames_of_text_differ_from_binary_ones_in_their_first_byte() -> None:
    binary, text = client_frame(b"x" * 200), client_frame(b"x" * 200, text=True)
    assert (binary[0], text[0], binary[1:]) == (0x82, 0x81, text[1:])
