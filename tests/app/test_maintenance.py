"""What hubs do by themselves: the daily sweep of unused arrays, as a cron."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
from pydantic import ValidationError

from synovia.app import Synovia
from synovia.config import Settings
from synovia.functions.registry import load_application
from synovia.maintenance import SWEEP, ArraySettings, with_upkeep
from synovia.store import arrays
from synovia.store.sweep import Swept
from synovia.testing import TestApp

MOTION = Path(__file__).parents[2] / "apps" / "motion"


def application(settings: ArraySettings) -> TestApp:
    """Give the motion application with what a hub adds to it."""
    app: TestApp

    async def sweep(grace: float) -> Swept:
        return await app.engine.sweep_arrays(grace)

    app = TestApp(with_upkeep(load_application(MOTION), settings, sweep))
    return app


async def test_unused_arrays_go_once_a_day(caplog: pytest.LogCaptureFixture) -> None:
    async with application(ArraySettings()) as app:
        unused = await arrays.write_array(app.store.arrays, np.arange(10.0))
        await app.advance(timedelta(hours=23))
        assert await app.store.arrays.get_manifest(unused.digest) is not None
        with caplog.at_level("INFO", "synovia"):
            await app.advance(timedelta(days=2))
        assert await app.store.arrays.get_manifest(unused.digest) is None
        assert app.engine.swept == Swept(arrays=1, chunks=1, bytes=80)
        assert "swept 1 arrays, 1 chunks, 80 bytes" in caplog.text


async def test_a_longer_grace_keeps_them_longer() -> None:
    async with application(ArraySettings(grace=7 * 86_400)) as app:
        unused = await arrays.write_array(app.store.arrays, np.arange(10.0))
        await app.advance(timedelta(days=6))
        assert await app.store.arrays.get_manifest(unused.digest) is not None
        await app.advance(timedelta(days=3))
        assert await app.store.arrays.get_manifest(unused.digest) is None


def test_it_can_be_left_to_the_command_line() -> None:
    registry = load_application(MOTION)
    assert with_upkeep(registry, ArraySettings(sweep_at=""), sweep=None) is registry  # type: ignore[arg-type]


async def test_clients_cannot_sweep() -> None:
    async with application(ArraySettings()) as app:
        outcome = await app.engine.run_action(SWEEP, {}, app.caller("anna@example.org").identity)
        assert outcome.error is not None
        assert outcome.error.code == "unknown_function"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("GRACE", "3599"),
        ("GRACE", "inf"),
        ("GRACE", "nan"),
        ("GRACE", "a day"),
        ("SWEEP_AT", "25:00"),
        ("SWEEP_AT", "noon"),
        ("SWEEP_AT", "3"),
    ],
)
def test_settings_that_cannot_be(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(f"SYNOVIA_ARRAYS_{name}", value)
    with pytest.raises(ValidationError):
        Settings()


def test_settings_from_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SYNOVIA_ARRAYS_GRACE", "7200")
    monkeypatch.setenv("SYNOVIA_ARRAYS_SWEEP_AT", "22:15")
    assert Settings().arrays == ArraySettings(grace=7200, sweep_at="22:15")


def test_every_hub_has_it() -> None:
    function = Synovia(MOTION, settings=Settings(store=None)).registry.functions[SWEEP]
    assert function.internal
    assert function.cron is not None
    assert function.cron.text == "30 3 * * * UTC"
