"""What changes of a recording are expected to show, before the server has answered."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from motion.desktop.words.naming import Row
from synovia_client import OptimisticStore

LISTS = ("recordings:list_of_me", "recordings:list_shared", "recordings:list_archived")
FIELDS = ("notes", "exerciseType", "tags", "subjectId", "subjectAlias")


def updated(store: OptimisticStore, args: dict[str, Any]) -> None:
    """Show what ``recordings:update`` and ``recordings:rename`` change: what says nothing goes, as at the server."""
    given = {name: args[name] for name in FIELDS if name in args}

    def change(recording: Row) -> Row:
        rest = {name: value for name, value in recording.items() if name not in given}
        return rest | {name: value for name, value in given.items() if value}

    _change_everywhere(store, str(args["recordingId"]), change)


def shared(store: OptimisticStore, args: dict[str, Any]) -> None:
    """Show what ``recordings:share`` changes."""

    def change(recording: Row) -> Row:
        return recording | {"sharedWith": list(dict.fromkeys([*recording.get("sharedWith", ()), args["userId"]]))}

    _change_everywhere(store, str(args["recordingId"]), change)


def unshared(store: OptimisticStore, args: dict[str, Any]) -> None:
    """Show what ``recordings:unshare`` changes."""

    def change(recording: Row) -> Row:
        rest = {name: value for name, value in recording.items() if name != "sharedWith"}
        others = [user for user in recording.get("sharedWith", ()) if user != args["userId"]]
        return rest | ({"sharedWith": others} if others else {})

    _change_everywhere(store, str(args["recordingId"]), change)


def _change_everywhere(store: OptimisticStore, recording_id: str, change: Callable[[Row], Row]) -> None:
    def in_list(rows: list[Row]) -> list[Row]:
        return [change(row) if row["_id"] == recording_id else row for row in rows]

    for path in LISTS:
        for args, value in store.get_all_queries(path):
            store.set_query(path, args, in_list(value))
    for args, value in store.get_all_queries("recordings:page_mine"):
        store.set_query("recordings:page_mine", args, {**value, "items": in_list(value["items"])})
    opened = store.get_query("recordings:get", {"recordingId": recording_id})
    if opened is not None:
        store.set_query("recordings:get", {"recordingId": recording_id}, change(opened))
