"""What a request says to a route of an application, as a model: its body of JSON, and what stands behind the ``?``."""

from __future__ import annotations

from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from starlette.requests import Request

from synovia.errors import InvalidArguments
from synovia.http.reading import check_type, read_json
from synovia.schema import FROM_CLIENT
from synovia.schema.annotations import alternatives, element_of, fields_of
from synovia.schema.faults import refusal

M = TypeVar("M", bound=BaseModel)


async def json_body(request: Request, content: type[M]) -> M:
    """Read a body of JSON, as the arguments of functions are read over HTTP.

    Args:
        content: The model of what it says; names are in camelCase in JSON.

    Raises:
        InvalidArguments: It does not fit the model (400); the data lists each fault.
        FunctionError: It is not JSON (400), too large (413), too slow (408), or said to be something else (415).
    """
    check_type(request)
    value = await read_json(await request.body())
    if not isinstance(value, dict):
        raise InvalidArguments("the body is an object: name and value of each field")
    try:
        return content.model_validate(value, context=FROM_CLIENT)
    except ValidationError as error:
        raise refusal("the body", error) from None


def query_params(request: Request, content: type[M]) -> M:
    """Read what stands behind the ``?`` of an address; a field that is a list may stand there several times.

    Args:
        content: The model of what it says; names are in camelCase in addresses.

    Raises:
        InvalidArguments: It does not fit the model (400); the data lists each fault.
    """
    given: dict[str, Any] = {}
    for python_name, info in fields_of(content).items():
        name, is_list = info.alias or python_name, _is_list(info.annotation)
        values = request.query_params.getlist(name)
        if len(values) > 1 and not is_list:
            fault = f"it is there {len(values)} times"
            raise InvalidArguments(f"the address: {name}: {fault}", [{"at": name, "message": fault}])
        if values:
            given[name] = values if is_list else values[0]
    try:
        return content.model_validate(given, context=FROM_CLIENT, strict=False)
    except ValidationError as error:
        raise refusal("the address", error) from None


def _is_list(annotation: Any) -> bool:
    return any(element_of(kind) is not None for kind in alternatives(annotation))
