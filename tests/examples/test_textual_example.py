"""The reception in a terminal: a table of Textual that keeps the server's order."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from examples.waiting_lists import RECEPTION, changes, example
from helpers.patience import PATIENCE
from helpers.running_hub import running_hub

pytest.importorskip("textual")

from textual.app import App, ComposeResult
from textual.widgets import Input

program = example("textual/waiting_list")


def shown(table: Any) -> list[list[str]]:
    """Give the cells as a person reads them, without the places."""
    return [table.get_row_at(index)[1:] for index in range(table.row_count)]


async def test_the_table_shows_each_change_and_the_cursor_stays_with_its_row() -> None:
    table = program.LiveTable({"Name": lambda row: row["name"], "Note": lambda row: row["note"]})

    class Window(App[None]):
        def compose(self) -> ComposeResult:
            yield table

    async with Window().run_test():
        for number, change in enumerate(changes(seed=1, count=120)):
            chosen = table.current_key
            table.follow(change)
            assert shown(table) == [[row["name"], row["note"]] for row in change.value]
            keys = [row["_id"] for row in change.value]
            if chosen in keys:
                assert table.current_key == chosen
            assert [table.get_row_at(index)[0] for index in range(len(keys))] == [str(n + 1) for n in range(len(keys))]
            if keys and number % 5 == 0:
                table.move_cursor(row=number % len(keys))


async def test_the_program_on_a_hub() -> None:
    async with running_hub("sqlite://:memory:", RECEPTION) as hub:
        other = await hub.connect("grace")
        ids = [await other.mutation("reception:arrive", {"name": name}) for name in ("Ada", "Ben")]
        window = program.WaitingList(f"ws://127.0.0.1:{hub.port}", "dev:ada@example.org")
        async with window.run_test(size=(90, 20)) as pilot:

            async def until(names: list[str]) -> None:
                async with asyncio.timeout(PATIENCE):
                    while [row[0] for row in shown(window.table)] != names:
                        await pilot.pause()

            await until(["Ada", "Ben"])
            await pilot.press("n", *"Cleo", "enter")
            await until(["Ada", "Ben", "Cleo"])
            await pilot.press("down", "f")  # Ben
            await until(["Ben", "Ada", "Cleo"])
            assert window.table.current_key == ids[1]
            await other.mutation("reception:leave", {"visitId": ids[0]})
            await until(["Ben", "Cleo"])
            await pilot.press("c")
            await until(["Cleo"])
            await pilot.press("n", "enter")
            async with asyncio.timeout(PATIENCE):
                while not list(window._notifications):
                    await pilot.pause()
            assert [each.message for each in window._notifications] == ["a visit needs a name"]
            assert not window.query_one(Input).value
