"""A hub in a process of its own."""

from __future__ import annotations

import asyncio
import cProfile
import importlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import uvloop
from pydantic import SecretStr

from benchmarks import sensors
from benchmarks.processes import Child, Handlers, Pipe, answer_all, child, cpu_seconds, peak_memory
from benchmarks.results import Setting
from synovia.app import Synovia
from synovia.cli.server import listen, make_server, memory_looked_after
from synovia.config import Settings
from synovia.functions.registry import Registry, collect
from synovia.hubs.settings import HubsSettings
from synovia.limits.settings import HubLimits

HOST = "127.0.0.1"
EMBEDDED = "sqlite://:memory:"
MOTION = Path(__file__).parents[1] / "apps" / "motion"
_ALL = 1 << 40
_HUBS = HubsSettings(secret=SecretStr("the hubs of a benchmark"))
PATIENT = HubLimits(
    idle_timeout=3600.0,  # raw readers never say anything
    max_connections_per_address=_ALL,  # everybody comes from one address here
    max_running_per_address=_ALL,
    max_running_queries_per_address=32,
    max_chunks_per_address=_ALL,
    max_anonymous_upload_bytes_per_hour=_ALL,
    max_subscriptions_per_address=_ALL,
    max_messages_per_second=_ALL,
    max_messages_per_second_per_address=_ALL,
    max_bytes_per_second=_ALL,
    max_bytes_per_second_per_address=_ALL,
)


class HubProcess:
    """A hub.

    Attributes:
        port: Where it listens.
    """

    def __init__(self, process: Child, port: int) -> None:
        self._process = process
        self.port = port

    @property
    def url(self) -> str:
        return f"ws://{HOST}:{self.port}"

    async def cpu(self) -> float:
        """Tell the CPU seconds it has used."""
        return float(await self._process.ask("cpu"))

    async def memory(self) -> float:
        """Tell the most memory it has used, in MiB."""
        return float(await self._process.ask("memory"))

    async def runs(self) -> int:
        """Tell how often the query of ``sensors`` has been run."""
        return int(await self._process.ask("runs"))

    async def operator_token(self, role: str) -> str:
        """Open a session of an operator, by a key with a role."""
        return str(await self._process.ask("operator", role))

    async def again(self) -> int:
        """Tell how many mutations were run again, and batches submitted again."""
        return int(await self._process.ask("again"))

    async def loaded(self, count: int) -> None:
        """Wait until ``count`` live queries have a first result; TimeoutError if that takes minutes."""
        async with asyncio.timeout(180):
            while await self._process.ask("loaded") < count:  # noqa: ASYNC110 (another process)
                await asyncio.sleep(0.05)


@asynccontextmanager
async def hub(
    store: str,
    setting: Setting,
    name: str,
    limits: HubLimits = PATIENT,
    application: Path | None = None,
    modules: tuple[str, ...] = ("bank", "sensors"),
) -> AsyncIterator[HubProcess]:
    """Run a hub with these modules of ``benchmarks``, or for development with another application, over a store.

    Under ``setting.profile`` it leaves ``NAME.prof`` there.
    """
    profile = f"{setting.profile}/{name}.prof" if setting.profile else None
    async with child(f"hub {name}", _main, profile, store, limits, application or modules) as process:
        yield HubProcess(process, int(await process.ask("port")))


def _main(pipe: Pipe, profile: str | None, store: str, limits: HubLimits, application: Path | tuple[str, ...]) -> None:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        if profile is None:
            runner.run(_serve(pipe, store, limits, application))
            return
        profiler = cProfile.Profile()
        try:
            profiler.runcall(runner.run, _serve(pipe, store, limits, application))
        finally:
            profiler.dump_stats(profile)


async def _serve(pipe: Pipe, store: str, limits: HubLimits, application: Path | tuple[str, ...]) -> None:
    served = application if isinstance(application, Path) else _collected(application)
    settings = Settings(store=None, limits=limits, convex=True, hubs=_HUBS)
    app = Synovia(served, store=store, settings=settings, development=isinstance(application, Path))
    with listen(HOST, 0) as listener:
        await app.start()
        server = make_server(app)
        serving = asyncio.create_task(server.serve([listener]), name="server")
        try:
            async with memory_looked_after():
                await answer_all(pipe, _handlers(app, listener.getsockname()[1]))
        finally:
            server.should_exit = True
            await serving
            await app.stop()


def _collected(modules: tuple[str, ...]) -> Registry:
    return collect("benchmarks", [importlib.import_module(f"benchmarks.{name}") for name in modules])


def _handlers(app: Synovia, port: int) -> Handlers:
    async def where() -> int:
        return port

    async def loaded() -> int:
        return sum(live.loaded for live in app.engine.live)

    async def again() -> int:
        return app.engine.stage.outdated + app.engine.committer.counters["conflicts"]

    async def runs() -> int:
        return sensors.RUNS[0]

    async def operator(role: str) -> str:
        key = await app.service_keys.create("ops", [role])
        return (await app.operators.open(key.token)).token or ""

    return {
        "port": where, "operator": operator, "runs": runs, "again": again, "cpu": cpu_seconds, "memory": peak_memory,
        "loaded": loaded,
    }  # fmt: skip
