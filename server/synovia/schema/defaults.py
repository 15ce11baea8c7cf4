"""Defaults that are missing, and those that their fields cannot hold: pydantic takes them as they are, so rows have them."""

from __future__ import annotations

from collections.abc import Iterator
from reprlib import repr as shortened

from pydantic import BaseModel, ValidationError
from pydantic_core import PydanticUndefined

from synovia.schema.annotations import allows_none
from synovia.schema.faults import plain


def is_of_table(model: type[BaseModel]) -> bool:
    """Tell whether a model is a table, also while its class is being made."""
    return any(info.alias == "_id" for info in model.model_fields.values())


def faults_of_none(model: type[BaseModel]) -> Iterator[tuple[str, str]]:
    """Tell which fields of a model may be None and have no default that goes with that, by their Python names, and why."""
    table = is_of_table(model)
    for name, info in model.model_fields.items():
        if allows_none(info.annotation):
            if table and info.default is not None:
                yield name, "may be None, so its default has to be None: it is stored as nothing"
            elif info.is_required():
                yield name, "may be None, so it needs the default None"


def faults_in_defaults(model: type[BaseModel]) -> Iterator[tuple[str, str]]:
    """Tell which fields of a model cannot hold their own defaults, by their Python names, and why.

    None are told while names in its annotations are not known yet, and what a ``default_factory`` makes is not looked at.
    """
    defaults = {
        info.validation_alias or info.alias or name: (name, info.default)
        for name, info in model.model_fields.items()
        if info.default is not PydanticUndefined and info.alias != "_id"  # which every row is given
    }
    if not defaults or not model.__pydantic_complete__:
        return
    try:
        model.__pydantic_validator__.validate_python({alias: default for alias, (_, default) in defaults.items()})
    except ValidationError as error:
        for each in error.errors(include_url=False, include_context=False, include_input=False):
            if each["type"] != "missing" and each["loc"] and each["loc"][0] in defaults:
                name, default = defaults[str(each["loc"][0])]
                yield name, f"cannot hold its default {shortened(default)}: {plain(each['msg'])}"
    except Exception:  # of the application's own validator, which has to do with fields that are missing here
        return
