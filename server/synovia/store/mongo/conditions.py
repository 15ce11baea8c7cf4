"""Conditions on fields in MongoDB's query language."""

from __future__ import annotations

from typing import Any, Final

from synovia.store.filters import AllOf, AnyOf, Comparison, Filter, Not

_OPERATORS: Final = {"eq": "$eq", "ne": "$ne", "lt": "$lt", "le": "$lte", "gt": "$gt", "ge": "$gte", "in": "$in"}


def to_query(condition: Filter | None) -> dict[str, Any]:
    """Translate a condition; None matches every document."""
    match condition:
        case None:
            return {}
        case Comparison(field, operator, value):
            return {field: {_OPERATORS[operator]: list(value) if operator == "in" else value}}
        case AllOf(conditions):
            return {"$and": [to_query(each) for each in conditions]} if conditions else {}
        case AnyOf(conditions):
            return {"$or": [to_query(each) for each in conditions]} if conditions else {"$nor": [{}]}
        case Not(negated):
            return {"$nor": [to_query(negated)]}
