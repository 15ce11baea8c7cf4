"""With rules, a function gives what it would give of a table that holds only the visible rows."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apps import ruled
from synovia.functions.registry import collect
from synovia.store.base import Batch, Write
from synovia.testing import TestApp

REGISTRY = collect("ruled", [ruled])
CALLER = "dev|ann@example.org"
EVERYTHING = {"tenant": "both"}

ROWS = st.lists(
    st.fixed_dictionaries(
        {
            "tenant": st.sampled_from(["a", "b"]),
            "rank": st.integers(0, 3),
            "kind": st.sampled_from(["x", "y"]),
            "tags": st.lists(st.sampled_from(["p", "q"]), max_size=2, unique=True),
            "open": st.booleans(),
        }
    ),
    max_size=24,
)
RULES = st.fixed_dictionaries(
    {
        "tenant": st.sampled_from(["a", "b", "both", "neither"]),
        "kind": st.sampled_from([None, "x"]),
        "tag": st.sampled_from([None, "p"]),
        "byRow": st.booleans(),
    }
)
QUERIES = st.fixed_dictionaries(
    {
        "index": st.sampled_from(ruled.INDEXES),
        "descending": st.booleans(),
        "size": st.integers(1, 7),
        "least": st.sampled_from([None, 1, 2]),
        "checked": st.booleans(),
    }
)


def is_visible(row: dict[str, Any], rule: dict[str, Any]) -> bool:
    """Say in Python what the rules of the application say."""
    return (
        rule["tenant"] in (row["tenant"], "both")
        and rule["kind"] in (None, row["kind"])
        and (rule["tag"] is None or rule["tag"] in row["tags"])
        and (not rule["byRow"] or row["open"])
    )


def comparable(answer: Any, *, live: bool) -> Any:
    """Leave out cursors, which name places of the table, and where pages end if it is live: there it stays as rows move."""
    pages = [[row for page in answer["pages"] for row in page]] if live else answer["pages"]
    return {**{name: value for name, value in answer.items() if name != "cursors"}, "pages": pages}


async def answers(
    rows: Sequence[dict[str, Any] | None], rule: dict[str, Any], query: dict[str, Any], *, live: bool
) -> list[Any]:
    """Ask one question before and after some rows are changed, as a caller of whom the rules say this.

    Args:
        rows: Each under its number; where there is None, there is no row.
    """
    async with TestApp(REGISTRY) as app:
        me = {"_id": CALLER, **{name: value for name, value in rule.items() if value is not None}}
        table = "checked" if query["checked"] else "rows"
        writes = [Write(table, f"{n:03}", None, {"_id": f"{n:03}", **row}) for n, row in enumerate(rows) if row]
        await app.engine.wait_for(await app.store.commit(Batch([*writes, Write("callers", CALLER, None, me)])))
        ann, asked = app.caller("ann@example.org"), {name: value for name, value in query.items() if value is not None}
        async with ann.subscribe("ruled:ask", asked) as shown:
            found = [shown.value if live else await ann.query("ruled:ask", asked)]
            await app.trusted.mutation("ruled:raise_some", {})
            return [*found, shown.value if live else await ann.query("ruled:ask", asked)]


@pytest.mark.slow
@settings(max_examples=60)
@given(ROWS, RULES, QUERIES, st.booleans())
def test_rules_are_the_same_as_a_table_of_what_is_visible(
    rows: list[dict[str, Any]], rule: dict[str, Any], query: dict[str, Any], live: bool
) -> None:
    async def both() -> None:
        said = {**rule, "byRow": rule["byRow"] and query["checked"]}
        visible = [row if is_visible(row, said) else None for row in rows]
        with_rules = await answers(rows, rule, query, live=live)
        without = await answers(visible, EVERYTHING, query, live=False)
        assert [comparable(each, live=live) for each in with_rules] == [comparable(each, live=live) for each in without]

    asyncio.run(both())
