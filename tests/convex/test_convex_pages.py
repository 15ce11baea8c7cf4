from __future__ import annotations

from typing import Any

import pytest

from helpers.convex_wire import ConvexWire, add, convex_wire
from helpers.sync_server import Running


def options(items: int, cursor: str | None = None, **more: Any) -> dict[str, Any]:
    return {"channel": "a", "paginationOpts": {"numItems": items, "cursor": cursor, "id": 1, **more}}


async def send(wire: ConvexWire, *bodies: int) -> None:
    for body in bodies:
        await wire.mutate("messages:send", {"channel": "a", "author": "a", "body": str(body)})


def bodies(page: Any) -> list[int]:
    return [int(row["body"]) for row in page["page"]]


async def first(wire: ConvexWire, args: dict[str, Any], journal: str | None = None) -> Any:
    """Follow a page, and give its result with its journal."""
    number = len(wire.results)
    transition = await wire.follow(add(number, "messages:page", args, journal=journal))
    return transition["modifications"][0]


async def test_pages_stay_where_they_are(running: Running) -> None:
    async with convex_wire(running.port) as wire:
        await wire.follow()
        await send(wire, *range(6))
        one = (await first(wire, options(2)))["value"]
        two = (await first(wire, options(2, one["continueCursor"])))["value"]
        rest = (await first(wire, options(5, two["continueCursor"])))["value"]
        assert [bodies(page) for page in (one, two, rest)] == [[5, 4], [3, 2], [1, 0]]
        assert [page["isDone"] for page in (one, two, rest)] == [False, False, True]
        assert isinstance(rest["continueCursor"], str)
        await send(wire, 6)
        assert [bodies(wire.results[number]) for number in range(3)] == [[6, 5, 4], [3, 2], [1, 0]]
        end = (await first(wire, options(5, rest["continueCursor"])))["value"]
        assert (end["page"], end["isDone"]) == ([], True)


async def test_a_page_is_cut_in_two(running: Running) -> None:
    async with convex_wire(running.port) as wire:
        await wire.follow()
        await send(wire, *range(5))
        whole = (await first(wire, options(9)))["value"]
        assert bodies(whole) == [4, 3, 2, 1, 0]
        split, end = whole["splitCursor"], whole["continueCursor"]
        upper = (await first(wire, options(9, endCursor=split)))["value"]
        lower = (await first(wire, options(9, split, endCursor=end)))["value"]
        assert (bodies(upper), bodies(lower)) == ([4, 3, 2], [1, 0])
        assert (upper["continueCursor"], upper["isDone"], lower["isDone"]) == (split, False, True)
        await send(wire, 5)
        assert (bodies(wire.results[1]), bodies(wire.results[2])) == ([5, 4, 3, 2], [1, 0])


async def test_the_last_page_takes_in_what_is_appended(running: Running) -> None:
    async with convex_wire(running.port) as wire:
        await wire.follow(add(0, "messages:oldest", options(3)))
        await send(wire, *range(5))
        assert (bodies(wire.results[0]), wire.results[0]["isDone"]) == ([0, 1, 2, 3, 4], True)


async def test_a_journal_brings_a_page_back_and_without_one_it_begins_anew(running: Running) -> None:
    async with convex_wire(running.port) as wire:
        await wire.follow()
        await send(wire, *range(6))
        journal = (await first(wire, options(2)))["journal"]
        assert isinstance(journal, str)
        async with convex_wire(running.port) as other:
            await other.follow()
            await send(other, 6)
            kept = await first(other, options(2), journal)
            anew = await first(other, options(2))
            assert (bodies(kept["value"]), bodies(anew["value"])) == ([6, 5, 4], [6, 5])
            await send(other, 7)
            assert (bodies(other.results[0]), bodies(other.results[1])) == ([7, 6, 5, 4], [7, 6, 5])


async def test_a_cursor_of_another_list_is_an_invalid_cursor(running: Running) -> None:
    async with convex_wire(running.port) as wire:
        await wire.follow()
        await send(wire, *range(3))
        cursor = (await first(wire, options(2)))["value"]["continueCursor"]
        await wire.follow(
            add(1, "messages:page", {**options(2, cursor), "channel": "b"}),
            add(2, "messages:page", options(2, "nonsense")),
            add(3, "messages:page", options(2), journal="nonsense"),
        )
        for number in (1, 2, 3):
            assert wire.results[number]["errorData"]["paginationError"] == "InvalidCursor"
            assert "InvalidCursor" in wire.results[number]["errorMessage"]


@pytest.mark.slow
async def test_a_page_that_grows_out_of_all_proportion_has_to_be_cut(running: Running) -> None:
    async with convex_wire(running.port) as wire:
        await wire.follow()
        await wire.mutate("messages:sendMany", {"channel": "a", "count": 2100})
        end = (await first(wire, options(1)))["value"]["continueCursor"]
        await wire.mutate("messages:sendMany", {"channel": "a", "count": 1500})
        assert wire.results[0]["pageStatus"] == "SplitRecommended"
        await wire.mutate("messages:sendMany", {"channel": "a", "count": 1400})
        grown = wire.results[0]
        assert (grown["pageStatus"], grown["continueCursor"]) == ("SplitRequired", end)
        upper = (await first(wire, options(1, endCursor=grown["splitCursor"])))["value"]
        lower = (await first(wire, options(1, grown["splitCursor"], endCursor=end)))["value"]
        assert len(upper["page"]) + len(lower["page"]) == 2901
        assert upper["pageStatus"] is None
