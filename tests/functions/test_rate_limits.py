"""How much may be done in a time: spent in a mutation's transaction, by every hub together, told with the time to wait."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from apps import limited
from helpers.patience import PATIENCE
from helpers.running_hub import running_hub
from synovia import FunctionError, InvalidArguments, RateLimit, RateLimitState, SchemaError
from synovia.functions.registry import collect
from synovia.store.base import Store
from synovia.testing import Caller, TestApp

pytestmark = pytest.mark.alike

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


@pytest.fixture
async def app(any_store: Store) -> AsyncIterator[TestApp]:
    async with TestApp(collect("limited", [limited]), any_store) as app:
        yield app


async def post(caller: Caller, who: str = "ann", size: float = 1) -> float:
    """Post something, or give the seconds to wait."""
    return await waiting(caller, "limited:post", who=who, text="hello", size=size)


def milliseconds(app: TestApp) -> int:
    return int(app.clock.now * 1000)


async def waiting(caller: Caller, path: str, **args: object) -> float:
    try:
        await caller.mutation(path, args)
    except FunctionError as error:
        if error.code != "rate_limited":
            raise
        return float(error.data["retryAfter"])
    return 0


async def test_a_bucket_lets_a_burst_pass_and_fills_at_a_steady_rate(app: TestApp) -> None:
    caller = app.caller()
    assert [await post(caller) for _ in range(4)] == [0, 0, 0, 10]
    assert await post(caller, "bob") == 0, "each key has a bucket of its own"
    assert await caller.query("limited:posts") == 4, "who is refused has written nothing"
    await app.advance(timedelta(seconds=9.5))
    assert await post(caller) == 0.5
    await app.advance(timedelta(seconds=0.5))
    assert [await post(caller), await post(caller)] == [0, 10]
    await app.advance(10 * MINUTE)
    assert [await post(caller, size=3), await post(caller, size=2)] == [0, 20], "it holds no more than the burst"


async def test_a_window_counts_anew_at_each_multiple_of_its_length(app: TestApp) -> None:
    caller = app.caller()
    into = milliseconds(app) % 3_600_000
    assert [await waiting(caller, "limited:mail", size=size) for size in (3, 2)] == [0, 0]
    assert await waiting(caller, "limited:mail") == pytest.approx((3_600_000 - into) / 1000)
    await app.advance(timedelta(milliseconds=3_600_000 - into))
    assert [await waiting(caller, "limited:mail", size=size) for size in (5, 1)] == [0, 3600]


async def test_what_is_left_is_followed_live(app: TestApp) -> None:
    caller = app.caller()
    async with caller.subscribe("limited:left", {"who": "ann"}) as left:
        assert left.value == [3, 5]
        await post(caller, size=2)
        await waiting(caller, "limited:mail", size=5)
        assert left.value == [1, 0]
        await app.advance(timedelta(seconds=10))
        assert left.value[0] == 2


async def test_no_more_is_spent_by_many_at_once(app: TestApp) -> None:
    waits = await asyncio.gather(*(post(app.caller()) for _ in range(20)))
    assert sorted(waits)[:4] == [0, 0, 0, 10]
    assert await app.caller().query("limited:posts") == 3


async def test_what_counts_no_more_is_deleted(app: TestApp) -> None:
    caller = app.caller()
    for who in ("ann", "bob"):
        await post(caller, who)
    assert None not in await states(app)
    await app.advance(2 * HOUR)
    assert await states(app) == [None, None]


async def states(app: TestApp) -> list[object]:
    ts, _ = await app.store.newest()
    return list(await app.store.snapshot(ts).get(RateLimitState.spec.name, ["posts:ann", "posts:bob"]))


@pytest.mark.parametrize("size", [0, -1, 4, float("nan"), float("inf")])
async def test_what_can_never_be_spent_is_refused(app: TestApp, size: float) -> None:
    with pytest.raises(FunctionError) as refused:
        await app.caller().mutation("limited:post", {"who": "ann", "text": "", "size": size})
    assert refused.value.code == InvalidArguments.CODE


async def test_a_key_is_a_short_text(app: TestApp) -> None:
    with pytest.raises(FunctionError, match="a key is a text of up to 180"):
        await app.caller().mutation("limited:post", {"who": "x" * 181, "text": ""})
    assert await post(app.caller(), " Zoë:\n") == 0


async def test_spending_has_to_be_awaited(app: TestApp) -> None:
    with pytest.raises(FunctionError) as failed:
        await app.caller().mutation("limited:forgets")
    assert failed.value.code == "server_error"
    assert (await app.caller().query("limited:left", {"who": "ann"}))[1] == 5


async def test_an_action_that_has_run_in_part_is_not_taken_for_one_that_has_not(app: TestApp) -> None:
    with pytest.raises(FunctionError) as refused:
        await app.caller().action("limited:post_twice", {"who": "ann"})
    assert (refused.value.code, refused.value.data) == (
        "rate_limited",
        {"limit": "posts", "retryAt": milliseconds(app) + 10_000},
    )


async def test_clients_wait_and_are_let_through() -> None:
    async with running_hub("sqlite://:memory:", collect("limited", [limited])) as hub, asyncio.timeout(PATIENCE):
        client = await hub.connect("ann")
        await asyncio.gather(*(client.mutation("limited:quick") for _ in range(6)))


async def test_over_http_the_time_to_wait_is_in_the_head(app: TestApp) -> None:
    for _ in range(3):
        await post(app.caller())
    body = {"path": "limited:post", "args": {"who": "ann", "text": ""}}
    answer = await app.caller().http.post("/api/mutation", json=body)
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "10")


@pytest.mark.parametrize(
    ("wrong", "text"),
    [
        ({"name": "a:b"}, "without a colon"),
        ({"rate": 0}, "the rate is a number above 0"),
        ({"per": timedelta()}, "per is a timedelta"),
        ({"burst": 0.5}, "burst is at least 1"),
        ({"burst": 2, "window": True}, "a window has none"),
    ],
)
def test_limits_that_cannot_be(wrong: dict[str, object], text: str) -> None:
    with pytest.raises(SchemaError, match=text):
        RateLimit(**{"name": "a", "rate": 1, "per": MINUTE, **wrong})  # type: ignore[arg-type]


def test_two_limits_of_one_name_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limited, "AGAIN", RateLimit("posts", 1, per=MINUTE), raising=False)
    with pytest.raises(SchemaError, match=r"two limits are named 'posts': .*limited\.py"):
        collect("limited", [limited])
