from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import numpy as np
import pytest

from helpers.http_server import Served, serving
from helpers.running_hub import MOTION

SAMPLES = np.random.default_rng(3).normal(size=3_000)


@pytest.fixture
async def ledger() -> AsyncIterator[Served]:
    async with serving() as served:
        await served.call("mutation", "ledger:open_account", {"name": "alice", "samples": SAMPLES.tolist()})
        yield served


async def digest_of(served: Served) -> str:
    (account,) = (await served.call("query", "ledger:accounts")).json["result"]
    return str(account["samples"]["$array"]["digest"])


async def ask(served: Served, **wanted: Any) -> Any:
    return await served.post("/api/array", {"path": "ledger:accounts", "digest": await digest_of(served), **wanted})


async def test_samples_come_to_the_last_bit(ledger: Served) -> None:
    whole = await ask(ledger)
    assert (whole.status, whole.headers["synovia-dtype"]) == (200, "float64")
    assert whole.headers["content-type"] == "application/octet-stream"
    assert whole.body == SAMPLES.astype("<f8").tobytes()
    part = await ask(ledger, args={"limit": 5}, start=10, stop=20)
    assert part.body == SAMPLES[10:20].astype("<f8").tobytes()
    assert (await ask(ledger, start=3_000)).body == b""


async def test_samples_can_be_thinned(ledger: Served) -> None:
    thinned = np.frombuffer((await ask(ledger, points=20)).body).reshape(10, 2)
    assert thinned[:, 0].tolist() == SAMPLES.reshape(10, 300).min(axis=1).tolist()
    assert thinned[:, 1].tolist() == SAMPLES.reshape(10, 300).max(axis=1).tolist()


@pytest.mark.parametrize(
    ("wanted", "status", "code"),
    [
        ({"start": -1}, 400, "bad_range"),
        ({"start": 5, "stop": 4}, 400, "bad_range"),
        ({"stop": 3_001}, 400, "bad_range"),
        ({"start": 2**62}, 400, "bad_range"),
        ({"points": 1}, 400, "bad_range"),
        ({"points": 2**40}, 400, "bad_range"),
        ({"start": 1.5}, 400, "invalid_arguments"),
        ({"start": True}, 400, "invalid_arguments"),
        ({"digest": "zz" * 32}, 400, "invalid_arguments"),
        ({"digest": "00"}, 400, "invalid_arguments"),
        ({"other": 1}, 400, "invalid_arguments"),
        ({"args": []}, 400, "invalid_arguments"),
        ({"digest": "00" * 32}, 404, "array_not_found"),
        ({"path": "ledger:nothing"}, 404, "unknown_function"),
        ({"path": "ledger:pay_in"}, 400, "wrong_kind"),
        ({"path": "ledger:whoami"}, 401, "unauthenticated"),
        ({"path": "ledger:balance", "args": {"name": "alice"}}, 404, "array_not_found"),
    ],
)
async def test_what_is_not_shown_or_not_there_is_refused(
    ledger: Served, wanted: dict[str, Any], status: int, code: str
) -> None:
    answer = await ask(ledger, **wanted)
    assert (answer.status, answer.code) == (status, code)


async def test_only_who_may_see_a_recording_reads_its_samples() -> None:
    async with serving(MOTION) as served:
        for name in ("anna", "eve"):
            register = {"name": name, "role": "physiotherapist"}
            await served.call("mutation", "users:register", register, token=f"dev:{name}@example.org")
        knees = {"leftKnee": [1.0, 2.0], "rightKnee": [3.0, 4.0], "sampleRate": 100}
        saved = await served.call("mutation", "recordings:save", knees, token="dev:anna@example.org")
        args = {"recordingId": saved.json["result"]}
        shown = await served.call("query", "recordings:get", args, token="dev:anna@example.org")
        wanted = {
            "path": "recordings:get",
            "args": args,
            "digest": shown.json["result"]["leftKnee"]["$array"]["digest"],
        }
        mine = await served.post("/api/array", wanted, token="dev:anna@example.org")
        assert np.frombuffer(mine.body).tolist() == [1.0, 2.0]
        for path, arguments in (("recordings:get", args), ("recordings:list_mine", {})):
            hers = {**wanted, "path": path, "args": arguments}
            answer = await served.post("/api/array", hers, token="dev:eve@example.org")
            assert answer.code in ("not_found", "array_not_found")
            assert answer.status == 404
        assert (await served.post("/api/array", wanted)).status == 401
