"""Faults of models that show only when all is declared, as their annotations may name what stands further down."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

from pydantic import BaseModel, PydanticUndefinedAnnotation

from synovia.functions.places import place_of, place_of_line
from synovia.schema import Model
from synovia.schema.annotations import fields_of, models_in, type_that_holds_itself
from synovia.schema.defaults import faults_in_defaults, faults_of_none
from synovia.schema.list_bounds import line_of_field


def faults_of_models(models: Iterable[type[BaseModel]]) -> list[str]:
    """Tell what cannot work in models and in those that their fields hold, with ``FILE:LINE``."""
    declared = dict.fromkeys(models)
    found = [fault for model in declared for fault in _unresolved(model)]
    if found:
        return found
    inside = dict.fromkeys(each for model in declared for each in models_in(model))
    found = [fault for model in inside if model not in declared for fault in _unresolved(model)]
    found = found or [fault for model in inside for fault in _endless_types(model)]
    return found or [fault for model in inside if issubclass(model, Model) for fault in _wrong_defaults(model)]


def field_with_place(model: type[BaseModel], name: str) -> str:
    """Name a field and where it is declared; only what is wrong is looked up in the source, as that takes long."""
    return f"{place_of_line(model, line_of_field(model, name))}: {model.__name__}.{name}"


def _unresolved(model: type[BaseModel]) -> Iterator[str]:
    try:
        model.model_rebuild(_parent_namespace_depth=0)
    except PydanticUndefinedAnnotation as error:  # of a field, or of a model in it, which is told itself
        for name, info in model.model_fields.items():
            if re.search(rf"ForwardRef\(.*\b{re.escape(str(error.name))}\b", str(info.annotation)):
                yield (
                    f"{field_with_place(model, name)} names {error.name!r}, which its module neither declares nor imports"
                    " when it runs"
                )
    except Exception as error:  # whatever is wrong with what is named there
        yield f"{place_of(model)}: {model.__name__}: {type(error).__name__}: {str(error).partition(chr(10))[0]}"


def _endless_types(model: type[BaseModel]) -> Iterator[str]:
    for name, info in fields_of(model).items():
        if (fault := endless(info.annotation)) is not None:
            yield f"{field_with_place(model, name)} {fault}"


def endless(annotation: Any) -> str | None:
    """Say what is wrong with a type that holds itself; None if there is none in an annotation."""
    name = type_that_holds_itself(annotation)
    return (
        None if name is None else f"names the type {name!r}, which holds itself: make it a Model, which may name itself"
    )


def _wrong_defaults(model: type[BaseModel]) -> Iterator[str]:
    for name, fault in (*faults_of_none(model), *faults_in_defaults(model)):
        yield f"{field_with_place(model, name)} {fault}"
