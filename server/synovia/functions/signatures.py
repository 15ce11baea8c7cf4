"""What a function takes and gives, from its annotations."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, cast, get_args, get_origin

from pydantic import BaseModel, ConfigDict, PydanticSchemaGenerationError, PydanticUserError, TypeAdapter, create_model
from pydantic.alias_generators import to_camel
from pydantic.fields import FieldInfo

from synovia.errors import SchemaError
from synovia.functions.annotations import hints_of, told
from synovia.functions.creation_times import may_hold_rows
from synovia.functions.model_faults import endless, faults_of_models
from synovia.functions.parameters import signature_of
from synovia.functions.sendable import hint, unreturnable, unsendable
from synovia.schema import Table, clash_of
from synovia.schema.annotations import models_in
from synovia.schema.defaults import faults_in_defaults

Caller = Literal["client", "schedule"]


@dataclass(frozen=True, slots=True)
class Signature:
    """What a function takes and gives.

    Attributes:
        arguments: The model of its arguments, with their names on the wire as aliases.
        returns: The annotation of its result.
        result: Checks and dumps it.
        rows_of: The table if the result is a plain list of its rows.
        holds_rows: Whether rows may stand somewhere in it.
    """

    arguments: type[BaseModel]
    returns: Any
    result: TypeAdapter[Any]
    rows_of: type[Table] | None
    holds_rows: bool

    @classmethod
    def of(cls, name: str, body: Callable[..., Awaitable[Any]], *, by: Caller | None, handed: int = 1) -> Signature:
        """Read it; all modules have to be loaded, so that names resolve.

        Args:
            name: Of the arguments' model: schemas of equal names and fields would become one.
            by: Who calls it; None: only the application's actions, which may pass any object.
            handed: How many of its first parameters the server hands it.

        Raises:
            SchemaError: An argument or the result has no annotation, or one that cannot be; or nobody could call it.
        """
        hints = hints_of(body, include_extras=True)
        if faults := [
            f"{_place(each)} {fault}" for each, kind in hints.items() if (fault := endless(kind)) is not None
        ]:
            raise SchemaError("; ".join(faults))
        unresolved = (each for kind in hints.values() for each in models_in(kind) if not each.__pydantic_complete__)
        if faults := faults_of_models(unresolved):
            raise SchemaError("; ".join(faults))
        fields = {each.name: _field(each, hints) for each in list(signature_of(body).parameters.values())[handed:]}
        if "return" not in hints:
            raise SchemaError("its result has no annotation")
        arguments = _model(name, fields)
        returns = hints["return"]
        result = _adapter("its result", returns)
        faults = [f"the arguments {clash}" for clash in [clash_of(arguments)] if clash]
        faults += [f"argument {argument!r} {fault}" for argument, fault in faults_in_defaults(arguments)]
        if by is not None:
            faults += unsendable(arguments, by_schedule=by == "schedule")
        faults += unreturnable(result)
        if faults:
            raise SchemaError("; ".join(faults))
        return cls(arguments, returns, result, _listed_table(returns), may_hold_rows(returns))


def _place(hint: str) -> str:
    return "its result" if hint == "return" else f"argument {hint!r}"


def _field(parameter: inspect.Parameter, hints: Mapping[str, Any]) -> tuple[Any, Any]:
    if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD, parameter.POSITIONAL_ONLY):
        raise SchemaError(f"argument {parameter.name!r} must be a plain named one")
    if parameter.name not in hints:
        raise SchemaError(f"argument {parameter.name!r} has no annotation")
    default = FieldInfo() if parameter.default is parameter.empty else parameter.default
    return hints[parameter.name], default


def _model(name: str, fields: Mapping[str, tuple[Any, Any]]) -> type[BaseModel]:
    config = ConfigDict(
        alias_generator=to_camel, strict=True, extra="forbid", validate_by_name=False, hide_input_in_errors=True
    )
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings(
                "ignore", "Field name .* shadows an attribute", UserWarning
            )  # nobody sees this model
            return create_model(name, __config__=config, **cast(dict[str, Any], fields))
    except Exception as error:  # whatever is wrong with what stands in an annotation
        for argument, (annotation, _) in fields.items():
            _adapter(f"argument {argument!r}", annotation)
        raise SchemaError(told(error)) from error


def _adapter(place: str, annotation: Any) -> TypeAdapter[Any]:
    try:
        return _configured(annotation)
    except PydanticSchemaGenerationError as error:
        kind = getattr(annotation, "__qualname__", str(annotation))
        raise SchemaError(f"{place}: {kind} cannot travel{hint(kind)}") from error
    except Exception as error:
        raise SchemaError(f"{place}: {told(error)}") from error


def _configured(annotation: Any) -> TypeAdapter[Any]:
    try:
        return TypeAdapter(annotation, config=ConfigDict(hide_input_in_errors=True))
    except PydanticUserError as error:
        if error.code != "type-adapter-config-unused":
            raise
        return TypeAdapter(annotation)  # a model, a dataclass or a TypedDict has a configuration of its own


def _listed_table(annotation: Any) -> type[Table] | None:
    arguments = get_args(annotation)
    if get_origin(annotation) is list and isinstance(arguments[0], type) and issubclass(arguments[0], Table):
        return arguments[0]
    return None
