"""What the test of the Tk example shows, in a process of its own: a screen that goes away ends whoever has windows on it.

``python -m examples.tk_scenes SCENE``
"""

from __future__ import annotations

import asyncio
import sys
import tkinter as tk
from typing import Any

from examples.waiting_lists import RECEPTION, changes, example
from helpers.patience import PATIENCE
from helpers.running_hub import running_hub

program = example("tk/waiting_list")


def shown(table: Any) -> list[tuple[str, ...]]:
    return [(key, *map(str, table.item(key, "values"))) for key in table.get_children()]


def each_change_is_shown_and_the_selection_stays_with_its_row(root: Any) -> None:
    table = program.LiveTable(root, {"Name": lambda row: row["name"], "Note": lambda row: row["note"]})
    for number, change in enumerate(changes(seed=2, count=200)):
        chosen, before = table.selection(), set(table.get_children())
        table.follow(change)
        assert shown(table) == [(row["_id"], row["name"], row["note"]) for row in change.value]
        keys = table.get_children()
        if chosen and chosen[0] in keys:
            assert table.selection() == chosen
        elif chosen:  # a neighbour is chosen, if there is one
            assert len(table.selection()) == bool(before.intersection(keys))
        if keys and number % 7 == 0:
            table.selection_set(keys[number % len(keys)])


async def the_program_on_a_hub(root: Any) -> None:
    async with running_hub("sqlite://:memory:", RECEPTION) as hub:
        other = await hub.connect("grace")
        ids = [await other.mutation("reception:arrive", {"name": name}) for name in ("Ada", "Ben")]
        window = program.WaitingList(root, f"ws://127.0.0.1:{hub.port}", "dev:ada@example.org")

        async def until(names: list[str]) -> None:
            async with asyncio.timeout(PATIENCE):
                while [row[1] for row in shown(window.table)] != names:
                    root.update()
                    await asyncio.sleep(0)

        await until(["Ada", "Ben"])
        window.name.insert(0, "Cleo")
        window.arrive()
        await until(["Ada", "Ben", "Cleo"])
        window.table.selection_set(ids[1])
        window.hurry()
        await until(["Ben", "Ada", "Cleo"])
        assert window.table.selection() == (ids[1],)
        window.call_in()
        await until(["Ada", "Cleo"])
        assert window.table.selection() == (ids[0],)
        window.arrive()
        async with asyncio.timeout(PATIENCE):
            while window.trouble.cget("text") != "a visit needs a name":
                root.update()
                await asyncio.sleep(0)
        await asyncio.to_thread(window.client.close)  # the hub answers in this thread
        window.close()


if __name__ == "__main__":
    window = tk.Tk()
    if sys.argv[1] == "table":
        each_change_is_shown_and_the_selection_stays_with_its_row(window)
    else:
        asyncio.run(the_program_on_a_hub(window))
