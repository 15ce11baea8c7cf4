"""Structures inside documents, arguments and results."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Self, cast

from pydantic import BaseModel, ConfigDict, GetCoreSchemaHandler
from pydantic.alias_generators import to_camel
from pydantic_core import CoreSchema, core_schema

from synovia.errors import SchemaError
from synovia.schema.defaults import faults_in_defaults, faults_of_none, is_of_table
from synovia.schema.encrypted import marker_of
from synovia.schema.faults import no_such_fields
from synovia.schema.hidden_types import check_annotations
from synovia.schema.reading import field_value
from synovia.schema.refused_tables import check_fields
from synovia.schema.shared import SharedDoc
from synovia.schema.unknown_fields import may_be_unknown, unknown_fields
from synovia.schema.wire_names import clash_of


class Model(BaseModel):
    """A structure inside documents, arguments or results. It does not change: ``model_copy(update=...)`` gives another.

    Values that come from a client are taken strictly (no ``"5"`` for 5); documents are read leniently, because other
    programs write them too (mongosh stores 5e9 as a double).
    """

    model_config = ConfigDict(
        alias_generator=to_camel,
        validate_by_name=True,
        validate_by_alias=True,
        strict=True,
        extra="ignore",
        frozen=True,
        hide_input_in_errors=True,  # it may be what nobody may see
        ignored_types=(SharedDoc,),
    )

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        check_annotations(cls)  # before pydantic reads them

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        schema = handler(source)
        target = handler.resolve_ref_schema(schema)
        if target["type"] == "model":
            # Strict fields, but the model itself may come as a map: pydantic's strict mode would insist on an instance.
            cast(core_schema.ModelSchema, target)["strict"] = False
        return schema

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        super().__pydantic_init_subclass__(**kwargs)
        check_fields(cls)
        clash = clash_of(cls)
        if clash is not None:
            raise SchemaError(f"{cls.__name__}: the fields {clash}")
        # The defaults of tables are looked at when the application is whole, and so is what names something further down.
        for name, fault in (*faults_of_none(cls), *(() if is_of_table(cls) else faults_in_defaults(cls))):
            raise SchemaError(f"{cls.__name__}.{name} {fault}")

    if not TYPE_CHECKING:

        def __init__(self, /, **fields: Any) -> None:
            """Make one.

            Raises:
                InvalidArguments: It is given what is none of its fields: what stands in a document beside them is passed
                    over, but what a program says here would be lost.
                ValidationError: A field is missing, or cannot hold what it is given.
            """
            if may_be_unknown(type(self), fields) and (unknown := [*unknown_fields(type(self), fields)]):
                raise no_such_fields(self._called(), unknown)
            super().__init__(**fields)

        __init__.__pydantic_base_init__ = True  # it is no other way of making one: documents are read without it

    @classmethod
    def _called(cls) -> str:
        """Tell its name in errors."""
        return cls.__name__

    def __repr_args__(self) -> Iterator[tuple[str | None, Any]]:
        """Leave encrypted fields out. Asked of the fields each time: they are made anew when what they name is there."""
        fields = type(self).model_fields
        for name, value in super().__repr_args__():
            info = None if name is None else fields.get(name)
            if info is None or marker_of(info) is None:
                yield name, value

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """Make a copy, with some fields changed: by their Python names, to what these may hold.

        Raises:
            ValidationError: A field cannot hold what it is given.
        """
        copy = super().model_copy(deep=deep)
        for name, value in (update or {}).items():
            if name not in type(self).model_fields:
                raise TypeError(f"{type(self).__name__} has no field {name!r}")
            copy.__dict__[name] = field_value(type(self), name, value)
            copy.__pydantic_fields_set__.add(name)
        return copy
