"""The reception in a terminal: a live table that keeps the server's order, with Textual.

Start a hub, ``synovia dev examples/reception/reception.py``, then ``python examples/textual/waiting_list.py``.
It needs ``pip install synovia-client textual``.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import DataTable, Footer, Header, Input, Static

from synovia_client import Change, Client, FunctionError, ItemEdits, Subscription, SynoviaError

Row = dict[str, Any]


class LiveTable(DataTable[str]):
    """Shows the rows of a query, in their order; the cursor stays with its row.

    Args:
        columns: The title of each column, and what makes its text of a row.
        key: The field that makes two rows the same row.
    """

    def __init__(self, columns: Mapping[str, Callable[[Row], str]], key: str = "_id", **options: Any) -> None:
        super().__init__(cursor_type="row", zebra_stripes=True, **options)
        self._texts = columns
        self._key = key
        self.keys: list[str] = []

    def on_mount(self) -> None:
        """Lay out the columns; the first one, of places, is what rows are sorted by."""
        self.add_column("#", key="#", width=3)
        for title in self._texts:
            self.add_column(title, key=title)

    @property
    def current_key(self) -> str | None:
        """The key of the row under the cursor; None for an empty table."""
        return self.keys[self.cursor_row] if 0 <= self.cursor_row < len(self.keys) else None

    def follow(self, change: Change[list[Row]]) -> None:
        """Show what has come, gone, moved and changed, and nothing else anew."""
        if change.edits is None:
            return
        chosen, place = self.current_key, self.cursor_row
        if isinstance(change.edits, ItemEdits) and len(self.keys) == change.edits.length:
            self._edit(change.value, change.edits)
        else:
            self._replace(change.value)
        self._number()
        row = self.keys.index(chosen) if chosen in self.keys else min(place, len(self.keys) - 1)
        self.move_cursor(row=max(row, 0))

    def _replace(self, rows: list[Row]) -> None:
        self.clear()
        self.keys = []
        for row in rows:
            self._add(row)
            self.keys.append(row[self._key])

    def _edit(self, rows: list[Row], edits: ItemEdits) -> None:
        for index in edits.went:
            self.remove_row(self.keys[index])
        for row in edits.came.values():
            self._add(row)
        self.keys = [row[self._key] for row in rows]
        for index in edits.changed:
            for title, text in self._texts.items():
                self.update_cell(self.keys[index], title, text(rows[index]), update_width=True)

    def _add(self, row: Row) -> None:
        self.add_row("", *(text(row) for text in self._texts.values()), key=row[self._key])

    def _number(self) -> None:
        """Say of each row where it stands, and put it there."""
        for place, key in enumerate(self.keys, start=1):
            self.update_cell(key, "#", str(place))
        self.sort("#", key=int)


class WaitingList(App[None]):
    """Who waits; somebody comes, is hurried, is called in."""

    TITLE = "Reception"
    CSS = """
    #trouble { height: auto; padding: 0 1; background: $warning; color: $text; display: none; }
    #trouble.shown { display: block; }
    #arrival { margin: 0 1; }
    LiveTable { height: 1fr; margin: 0 1; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("n", "arrival", "Somebody new"),
        Binding("f", "hurry", "To the front"),
        Binding("c", "call_in", "Call in"),
        Binding("q", "quit", "Quit"),
    ]

    def __init__(self, url: str, token: str) -> None:
        super().__init__()
        self.client = Client(url, token=token)

    def compose(self) -> ComposeResult:
        """Lay out the window."""
        yield Header()
        yield Static(id="trouble")
        yield Input(placeholder="Who has come? (Enter)", id="arrival")
        yield LiveTable(
            {
                "Name": lambda row: row["name"],
                "Reason": lambda row: row["reason"],
                "Note": lambda row: " · ".join(filter(None, ["urgent" * row["urgent"], row["note"]])),
            }
        )
        yield Footer()

    @property
    def table(self) -> LiveTable:
        """The table of who waits."""
        return self.query_one(LiveTable)

    async def on_mount(self) -> None:
        """Connect, and follow the query."""
        self.unlisten = self.client.on_state_change(lambda state: self.show_trouble())
        await self.client.open()
        self.run_worker(self.follow(self.client.subscribe("reception:waiting")))
        self.table.focus()

    async def on_unmount(self) -> None:
        """Leave in good order: what shows troubles has gone by now."""
        self.unlisten()
        await self.client.close()

    async def follow(self, line: Subscription[list[Row]]) -> None:
        """Bring each change to the table; who is slow gets one that leads over what it has missed."""
        try:
            async for change in line.changes():
                self.table.follow(change)
        except SynoviaError as error:  # the client is closed, or refused for good
            self.show_trouble(str(error))

    def show_trouble(self, text: str = "") -> None:
        """Say why there is no connection, or why something failed."""
        text = text or self.client.trouble or ""
        trouble = self.query_one("#trouble", Static)
        trouble.update(text)
        trouble.set_class(bool(text), "shown")

    def action_arrival(self) -> None:
        """Go to where one types who has come."""
        self.query_one(Input).focus()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Put somebody at the end of the line."""
        event.input.clear()
        self.table.focus()
        self.run_worker(self.change("reception:arrive", {"name": event.value}))

    def action_hurry(self) -> None:
        """Put the chosen one at the head of the line."""
        self._call_of_chosen("reception:hurry")

    def action_call_in(self) -> None:
        """Take the chosen one out of the line."""
        self._call_of_chosen("reception:leave")

    def _call_of_chosen(self, path: str) -> None:
        if self.table.current_key is not None:
            self.run_worker(self.change(path, {"visitId": self.table.current_key}))

    async def change(self, path: str, args: dict[str, Any]) -> None:
        """Run a mutation, and say why it failed if it did."""
        try:
            await self.client.mutation(path, args)
        except FunctionError as error:
            self.notify(error.message, severity="error")


if __name__ == "__main__":
    WaitingList(sys.argv[1] if len(sys.argv) > 1 else "ws://127.0.0.1:8000", "dev:ada@example.org").run()
