"""Versions of an application, each with tables, functions and migrations of its own."""

from __future__ import annotations

from types import ModuleType
from typing import Any

from synovia.functions.function import function_of
from synovia.functions.migration import migration_of
from synovia.functions.registry import Registry, collect


def version(name: str, *declared: Any) -> Registry:
    """Give an application of one module, whose tables and functions were declared anywhere."""
    module = ModuleType(name)
    for each in declared:
        if function_of(each) is not None or migration_of(each) is not None:
            each.__module__ = name
        setattr(module, each.__name__, each)
    return collect(name, [module])
