"""Trying to reach across tenants over a socket, by functions in which every rule is forgotten."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from helpers.running_hub import RunningHub
from synovia.functions.access import CallOrigin
from synovia_client import Client, FunctionError

VERBS = ("patch", "delete", "delete for good", "restore", "replace")


@dataclass
class Intruder:
    """Somebody of another tenant, of none, or nobody.

    Attributes:
        tenant: Whose rows they may see; None: nobody's.
        of: Whose rows they want.
    """

    hub: RunningHub
    client: Client
    tenant: str | None
    of: str

    async def tries(self, table: str, scope: str) -> None:
        """Expect that nothing of others is to be had from a table, whose field ``scope`` tells whose a row is."""
        asked = {"table": table, "field": scope, "of": self.of}
        everything = await self.client.query("forgetful:everything", asked)
        async with self.client.subscribe("forgetful:everything", asked) as live:
            assert await anext(aiter(live)) == everything, table
        own, hidden = [row["id"] for row in everything["rows"]], await self._ids_of_others(table, everything)
        assert {row[scope] for row in everything["rows"]} <= {self.tenant}, table
        assert (everything["count"], everything["groups"]) == (len(own), 1 if own else 0)
        assert everything["last"] == (self.tenant if own else None)
        assert {id_ for found in everything["indexes"].values() for id_ in found} <= set(own)
        assert set(await self._pages(table)) == set(own)
        refused = "forbidden" if table == "synovia:AuditEntry" else "not_found"  # the first is kept by the server
        assert hidden, f"there is nothing of others in {table}"
        for id_ in hidden[:2]:
            assert await self.client.query("forgetful:guess", {"table": table, "id": id_}) is False
            for verb in VERBS:
                assert await self._code("forgetful:spoil", table=table, id=id_, verb=verb) == refused, (table, verb)
            assert await self._code("forgetful:copy", table=table, id=id_) != "done"

    async def _ids_of_others(self, table: str, seen: dict[str, Any]) -> list[str]:
        outcome = await self.hub.app.engine.query(
            "forgetful:ids", {"table": table}, None, origin=CallOrigin.APPLICATION
        )
        ids: list[str] = list(outcome.value())
        return [id_ for id_ in ids if id_ not in {row["id"] for row in seen["rows"]}]

    async def _pages(self, table: str) -> list[str]:
        found, cursor = list[str](), None
        while True:
            page = await self.client.query("forgetful:page", {"table": table, "cursor": cursor})
            found += page["items"]
            if (cursor := page.get("nextCursor")) is None:
                return found

    async def _code(self, path: str, **args: Any) -> str:
        try:
            await self.client.mutation(path, args)
        except FunctionError as error:
            return error.code
        return "done"
