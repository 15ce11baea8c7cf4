"""Fields that refer to arrays."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import BeforeValidator, GetCoreSchemaHandler, PlainSerializer, ValidationInfo
from pydantic_core import CoreSchema, core_schema

from synovia.schema.ids import FROM_DOCUMENT, unchanged
from synovia_protocol.messages import ArrayRef


def _array_from_document(value: Any, info: ValidationInfo) -> Any:
    # From a client, a map that looks like a stored reference is none: which arrays it may name is checked on references.
    match value:
        case {"digest": bytes(digest), "dtype": str(dtype), "shape": [*shape]} if info.context == FROM_DOCUMENT:
            return ArrayRef(bytes(digest), dtype, tuple(shape))
    if not isinstance(value, ArrayRef):
        what = (
            f"not a {type(value).__name__}: clients send a NumPy or typed array, functions what ctx.arrays.write gives"
        )
        raise ValueError(f"an array is needed here, {what}")
    return value


def _float64(value: Any, info: ValidationInfo) -> ArrayRef:
    ref = _array_from_document(value, info)
    if ref.dtype != "float64":
        raise ValueError(f"a float64 array is needed here, this one is {ref.dtype}")
    return ref  # type: ignore[no-any-return]


@dataclass(frozen=True, slots=True)
class ArrayField:
    """Marks a field that refers to an array; ``dtype`` is None for any."""

    dtype: str | None = None

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.is_instance_schema(ArrayRef)


Array = Annotated[ArrayRef, ArrayField(), BeforeValidator(_array_from_document), PlainSerializer(unchanged)]
"""A field that refers to an array of any dtype and shape."""

Float64Array = Annotated[ArrayRef, ArrayField("float64"), BeforeValidator(_float64), PlainSerializer(unchanged)]
"""A field that refers to an array of float64; samples live apart from the document."""
