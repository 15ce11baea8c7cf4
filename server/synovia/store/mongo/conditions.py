"""Conditions on fields in MongoDB's query language."""

from __future__ import annotations

import re
from typing import Any, Final

from bson import Regex

from synovia.store.filters import AllOf, AnyOf, Comparison, Filter, Not

_ORDERS: Final = {"lt": "$lt", "le": "$lte", "gt": "$gt", "ge": "$gte"}


def to_query(condition: Filter | None) -> dict[str, Any]:
    """Translate a condition; None matches every document."""
    match condition:
        case None:
            return {}
        case Comparison():
            return _comparison(condition)
        case AllOf(conditions):
            return {"$and": [to_query(each) for each in conditions]} if conditions else {}
        case AnyOf(conditions):
            return {"$or": [to_query(each) for each in conditions]} if conditions else {"$nor": [{}]}
        case Not(negated):
            return {"$nor": [to_query(negated)]}


def _comparison(comparison: Comparison) -> dict[str, Any]:
    field, value = comparison.field, comparison.value
    match comparison.operator:
        case "eq":
            return {field: {"$eq": value}}
        case "ne":  # $ne itself takes no regular expression
            return {field: {"$not": {"$eq": value}}}
        case "in" if any(isinstance(each, Regex | re.Pattern) for each in value):  # $in would search by them
            return {"$or": [{field: {"$eq": each}} for each in value]}
        case "in":
            return {field: {"$in": list(value)}}
        case "starts":
            return {field: {"$regex": f"^{re.escape(value)}"}}
        case operator:
            return {field: {_ORDERS[operator]: value}}
