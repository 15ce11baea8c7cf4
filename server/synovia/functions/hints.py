"""What is said beside an error of Python's or pydantic's that does not tell what to write instead."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from pydantic import ValidationError
from pydantic.errors import PydanticSchemaGenerationError

from synovia.functions.database_reader import DatabaseReader
from synovia.functions.query import Query
from synovia.schema import Table
from synovia.schema.faults import meant

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
_CHANGES: Final[Mapping[str, str]] = {
    "insert": "a row is inserted as ctx.db.insert(User(name=...))",
    "patch": "changes are named: ctx.db.patch(row, name=...), or of the id of a row ctx.db.patch(id, name=...)",
    "replace": "a row takes the place of itself: ctx.db.replace(row.model_copy(update={...}))",
    "delete": "a document is deleted as ctx.db.delete(row), or by the id of a row as ctx.db.delete(id)",
}
"""How documents are changed, of which other libraries say table, id and a map of fields."""
_VERBS: Final[Mapping[str, str]] = {
    **dict.fromkeys(("update", "update_one", "set"), "ctx.db.patch(row, name=...)"),
    **dict.fromkeys(("add", "create", "save", "insert_one"), "ctx.db.insert(User(name=...))"),
    **dict.fromkeys(("remove", "delete_one"), "ctx.db.delete(row)"),
    **dict.fromkeys(("find", "find_one", "select", "all", "filter"), "ctx.db.query(User), or ctx.db.get(User, id)"),
}
"""What other libraries call what ``ctx.db`` does, and what it is here."""
_CHANGE: Final = re.compile(r"DatabaseWriter\.(insert|patch|replace|delete)\(\)")
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
        case AttributeError(name="_id", obj=Table()):
            return "the id of a row is row.id here"
        case AttributeError(name=str(name), obj=Table() as row) if fault := meant(name, type(row).model_fields):
            return fault.removeprefix(": ")
        case AttributeError(name=str(name), obj=DatabaseReader()) if name in _VERBS:
            return f"it is {_VERBS[name]} here"
        case TypeError() if change := _CHANGE.search(str(error)):
            return _CHANGES[change[1]]
        case TypeError() if re.search(r"\bQuery\.where\(\)", str(error)):
            return "a condition is where(field('name') == value)"
        case TypeError() if re.search(r"\bQuery\b(?!\.)", str(error)):
            return READS
        case ValidationError() if error.errors(include_url=False)[0]["type"] == "frozen_instance":
            return _FROZEN
        case PydanticSchemaGenerationError() if "numpy.ndarray" in str(error):
            return "a field of samples is a Float64Array, or an Array for any dtype and shape"
    return None
