"""The reception in a window of Tk: a live table that keeps the server's order.

Start a hub, ``synovia dev examples/reception/reception.py``, then ``python examples/tk/waiting_list.py``.
It needs ``pip install synovia-client``, and a Python with Tk.
"""

from __future__ import annotations

import queue
import sys
import tkinter as tk
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from tkinter import ttk
from typing import Any

from synovia_client import BlockingClient, Change, FunctionError, ItemEdits

Row = dict[str, Any]
FRAME = 16
"""Milliseconds between two looks at what the client's thread has handed over."""


class Handover:
    """Runs on Tk's thread what another thread hands over; Tk itself may be called on its own thread only."""

    def __init__(self, root: tk.Misc) -> None:
        self._root = root
        self._due: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._timer = root.after(FRAME, self._look)

    def __call__(self, function: Callable[[], None]) -> None:
        """Have a function run; on any thread."""
        self._due.put(function)

    def stop(self) -> None:
        """Run nothing any more."""
        self._root.after_cancel(self._timer)

    def _look(self) -> None:
        self._timer = self._root.after(FRAME, self._look)
        for _ in range(self._due.qsize()):
            self._due.get()()


class LiveTable(ttk.Treeview):
    """Shows the rows of a query, in their order; selection, focus and scroll stay with their rows.

    Args:
        columns: The title of each column, and what makes its text of a row.
        key: The field that makes two rows the same row.
    """

    def __init__(self, master: tk.Misc, columns: Mapping[str, Callable[[Row], str]], key: str = "_id") -> None:
        super().__init__(master, columns=list(columns), show="headings", selectmode="browse")
        self._texts = columns
        self._key = key
        self.tag_configure("urgent", foreground="#b3261e")
        for title in columns:
            self.heading(title, text=title, anchor="w")

    def follow(self, change: Change[list[Row]]) -> None:
        """Show what has come, gone, moved and changed, and nothing else anew."""
        edits = change.edits
        if edits is None:
            return
        if not isinstance(edits, ItemEdits) or len(self.get_children()) != edits.length:
            self.delete(*self.get_children())
            for row in change.value:
                self._insert("end", row)
            return
        chosen, focused, keys = self.selection(), self.focus(), self.get_children()
        gone = [keys[index] for index in edits.went]
        moved = {index: keys[source] for source, index in edits.moved}
        stays = [key for key in chosen if key not in gone] or self._neighbour(chosen, gone)
        self.delete(*gone)
        self.detach(*moved.values())
        for index in sorted([*edits.came, *moved]):  # rising: whatever stands before a place is right already
            if index in moved:
                self.move(moved[index], "", index)
            else:
                self._insert(index, change.value[index])
        for index in edits.changed:
            row = change.value[index]
            self.item(row[self._key], values=self._values(row), tags=_tags(row))
        self.selection_set(stays)
        self.focus(focused if focused not in gone else (*stays, "")[0])

    def _neighbour(self, chosen: tuple[str, ...], gone: list[str]) -> list[str]:
        """Give what is to be chosen in place of a row that goes: the next one, else the one before."""
        if not chosen:
            return []
        keys = [key for key in self.get_children() if key not in gone or key == chosen[0]]
        place = keys.index(chosen[0])
        return [*keys[place + 1 :], *reversed(keys[:place])][:1]

    def _insert(self, index: int | str, row: Row) -> None:
        self.insert("", index, iid=row[self._key], values=self._values(row), tags=_tags(row))  # type: ignore[arg-type]

    def _values(self, row: Row) -> list[str]:
        return [text(row) for text in self._texts.values()]


def _tags(row: Row) -> tuple[str, ...]:
    return ("urgent",) if row.get("urgent") else ()


class WaitingList:
    """Who waits; somebody comes, is hurried, is called in."""

    def __init__(self, root: tk.Tk, url: str, token: str) -> None:
        self.root = root
        self._handover = Handover(root)
        self.client = BlockingClient(url, token=token, call=self._handover)
        root.title("Reception")
        style = ttk.Style(root)
        if root.tk.call("tk", "windowingsystem") == "x11":
            style.theme_use("clam")  # elsewhere the system's own is the default
        style.configure("Treeview", rowheight=26)
        root.geometry("640x420")
        root.protocol("WM_DELETE_WINDOW", self.close)
        self.trouble = ttk.Label(root, background="#fff3cd", foreground="#6b4c00", padding=(12, 6))
        self.name = ttk.Entry(self._bar(), width=30)
        self.name.grid(row=0, column=0, sticky="ew")
        self.name.bind("<Return>", lambda _: self.arrive())
        self.table = LiveTable(
            root,
            {"Name": lambda row: row["name"], "Reason": lambda row: row["reason"], "Note": lambda row: row["note"]},
        )
        self.table.pack(fill="both", expand=True, padx=12, pady=(0, 12))
        self.client.on_state_change(lambda _: self.show_trouble(self.client.trouble))
        self.client.subscribe("reception:waiting", {}, on_change=self.changed)

    def _bar(self) -> ttk.Frame:
        bar = ttk.Frame(self.root, padding=12)
        bar.columnconfigure(0, weight=1)
        for column, (text, command) in enumerate(
            {"Add": self.arrive, "To the front": self.hurry, "Call in": self.call_in}.items(), start=1
        ):
            ttk.Button(bar, text=text, command=command).grid(row=0, column=column, padx=(8, 0))
        bar.pack(fill="x")
        return bar

    def changed(self, change: Change[list[Row]]) -> None:
        """Bring a change to the table."""
        self.table.follow(change)
        if change.error is not None:
            self.show_trouble(change.error.message)

    def arrive(self) -> None:
        """Put somebody at the end of the line."""
        self._call("reception:arrive", {"name": self.name.get()})
        self.name.delete(0, "end")

    def hurry(self) -> None:
        """Put the chosen one at the head of the line."""
        for visit in self.table.selection():
            self._call("reception:hurry", {"visitId": visit})

    def call_in(self) -> None:
        """Take the chosen one out of the line."""
        for visit in self.table.selection():
            self._call("reception:leave", {"visitId": visit})

    def _call(self, path: str, args: dict[str, Any]) -> None:
        self.client.submit_mutation(path, args).add_done_callback(lambda call: self._handover(lambda: self._told(call)))

    def _told(self, call: Future[Any]) -> None:
        error = None if call.cancelled() else call.exception()
        self.show_trouble(error.message if isinstance(error, FunctionError) else None)

    def show_trouble(self, text: str | None) -> None:
        """Say why there is no connection, or why something failed."""
        self.trouble.configure(text=text or "")
        if text:
            self.trouble.pack(fill="x", before=self.root.winfo_children()[1])
        else:
            self.trouble.pack_forget()

    def close(self) -> None:
        """Leave in good order."""
        self._handover.stop()
        self.client.close()
        self.root.destroy()


if __name__ == "__main__":
    window = tk.Tk()
    WaitingList(window, sys.argv[1] if len(sys.argv) > 1 else "ws://127.0.0.1:8000", "dev:ada@example.org")
    window.mainloop()
