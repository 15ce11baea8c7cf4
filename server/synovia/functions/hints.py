"""What is said beside an error of Python's or pydantic's that does not tell what to write instead."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from pydantic import ValidationError

from synovia.functions.query import Query
from synovia.schema import Table

_STEPS: Final[Mapping[str, str]] = {
    **dict.fromkeys(("filter", "filter_by"), "where(field(...) == ...)"),
    **dict.fromkeys(("with_index", "withIndex", "index"), "using(index, ...)"),
    **dict.fromkeys(("with_search_index", "withSearchIndex"), "search(index, text, ...)"),
    **dict.fromkeys(("order_by", "sort", "orderBy"), "using(index) and order('asc' or 'desc')"),
    **dict.fromkeys(("limit", "head"), "take(n)"),
    **dict.fromkeys(("all", "to_list", "fetch", "execute"), "collect()"),
    **dict.fromkeys(("one", "one_or_none", "single", "maybe_single"), "unique()"),
    **dict.fromkeys(("delete", "remove"), "ctx.db.delete_where(query)"),
    **dict.fromkeys(("update", "patch"), "ctx.db.patch_where(query, ...)"),
}
"""What other libraries call a step of a query, and what it is here."""
READS: Final = "a query is read by await query.collect(), .take(n), .first(), .unique() or .paginate(cursor, size)"
_FROZEN: Final = "rows do not change: ctx.db.patch(row, field=...) writes, row.model_copy(update=...) gives another"


def hint_for(error: Exception) -> str | None:
    """Say what is to be written instead, of mistakes that are made by who comes from elsewhere."""
    match error:
        case AttributeError(name=str(name), obj=Query()) if name in _STEPS:
            return f"it is {_STEPS[name]} here"
        case AttributeError(name=str(name), obj=type() as table) if (
            issubclass(table, Table) and name in table.model_fields
        ):
            return f"a condition on a field is written field({name!r}) == ..."
        case TypeError() if re.search(r"\bQuery\b(?!\.)", str(error)):
            return READS
        case ValidationError() if error.errors(include_url=False)[0]["type"] == "frozen_instance":
            return _FROZEN
    return None
