"""The OpenAPI description of an application: one operation for each function that clients may call, and for each route."""

from __future__ import annotations

import hashlib
import inspect
import re
from typing import Any, Final

from synovia.functions.access import Access
from synovia.functions.expired_uploads import takes_uploads
from synovia.functions.function import Function, Kind
from synovia.functions.registry import Registry
from synovia.functions.routing import HttpRoute
from synovia.http.jsonschema import OWN, PREFIX, Described
from synovia.http.samples import OPERATION as SAMPLES
from synovia.http.uploads import OPERATIONS as UPLOADS
from synovia.http.values import dump

VERSION: Final = "3.1.1"
_ABOUT = (
    'Functions take their arguments as an object of JSON and answer `{"result": ...}`, or `{"error": {"code", '
    '"message", "data"}}`. The same functions are at `POST /api/query`, `/api/mutation` and `/api/action`, with '
    '`{"path": "module:function", "args": {...}}` as the body.'
)
_ERROR = {
    "type": "object",
    "properties": {
        "error": {
            "type": "object",
            "properties": {
                "code": {"type": "string", "description": "For programs."},
                "message": {"type": "string", "description": "For people."},
                "data": {"description": "More for programs; null if there is no more."},
            },
            "required": ["code", "message", "data"],
        }
    },
    "required": ["error"],
}
_PARAMETERS = {
    "After": {
        "name": "Synovia-After",
        "in": "header",
        "description": "The Synovia-Ts of an earlier answer: this one shows at least what that one did.",
        "schema": {"type": "string", "pattern": "^[0-9]{1,19}$"},
    },
    "Key": {
        "name": "Idempotency-Key",
        "in": "header",
        "description": "Chosen at random for each mutation: sent again under the same key it runs once.",
        "schema": {"type": "string", "minLength": 16, "maxLength": 255},
    },
}
_SEEN = {"description": "The instant that is shown, or that of the commit.", "schema": {"type": "string"}}
_FAILURE = {"4XX": {"$ref": "#/components/responses/Error"}, "5XX": {"$ref": "#/components/responses/Error"}}
_WITH_BODY = {"POST", "PUT", "PATCH"}


def describe(registry: Registry) -> dict[str, Any]:
    """Describe an application; the same application gives the same document."""
    functions = sorted((each for each in registry.functions.values() if not each.internal), key=lambda each: each.path)
    described = Described(functions)
    paths = {f"/api/run/{each.path.replace(':', '/')}": {"post": _function(each, described)} for each in functions}
    paths["/api/array"] = {"post": dict(SAMPLES)}
    if any(map(takes_uploads, functions)):
        paths.update(UPLOADS)
    for route in registry.routes:
        paths.setdefault(_template(route, registry.routes), {}).update(_operations(route))
    document = {"paths": dict(sorted(paths.items())), "components": _components(described)}
    version = hashlib.sha256(dump(document)).hexdigest()[:12]
    info = {"title": registry.name, "version": version, "description": _ABOUT}
    return {"openapi": VERSION, "info": info, **document}


def _components(described: Described) -> dict[str, Any]:
    error = {"description": "What went wrong.", "content": _json({"$ref": f"{PREFIX}{OWN}Error"})}
    return {
        "schemas": dict(sorted({**described.definitions, f"{OWN}Error": _ERROR}.items())),
        "responses": {"Error": error},
        "parameters": _PARAMETERS,
        "headers": {"Ts": _SEEN},
        "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
    }


def _function(function: Function, described: Described) -> dict[str, Any]:
    names = ("After", "Key") if function.kind is Kind.MUTATION else ("After",)
    result = {"type": "object", "properties": {"result": described.result(function)}, "required": ["result"]}
    done: dict[str, Any] = {"description": "The result.", "content": _json(result)}
    if function.kind is not Kind.ACTION:
        done["headers"] = {"Synovia-Ts": {"$ref": "#/components/headers/Ts"}}
    return {
        "operationId": _operation(function),
        "tags": [function.module],
        **_told(inspect.getdoc(function.body) or "", function.access),
        "x-synovia-kind": str(function.kind),
        "parameters": [{"$ref": f"#/components/parameters/{name}"} for name in names],
        "requestBody": {"required": True, "content": _json(described.arguments(function))},
        "responses": {"200": done, **_FAILURE},
    }


def _operation(function: Function) -> str:
    """Name an operation as generated clients can: no two functions share the name."""
    return function.path.replace("/", ".").replace(":", ".")


def _operations(route: HttpRoute) -> dict[str, Any]:
    name = _operation(route)
    alone = len(route.methods) == 1
    found = {}
    for method in route.methods:
        operation: dict[str, Any] = {
            "operationId": name if alone else f"{name}-{method.lower()}",
            "tags": [route.module],
            **_told(route.summary, route.access),
        }
        if method in _WITH_BODY:
            operation["requestBody"] = {"content": {"*/*": {}}}
        operation["responses"] = {"default": {"description": "As the route answers."}, **_FAILURE}
        found[method.lower()] = {**operation, **route.openapi}
        found[method.lower()]["parameters"] = [*_in_path(route), *route.openapi.get("parameters", [])]
    return found


def _template(route: HttpRoute, routes: tuple[HttpRoute, ...]) -> str:
    """Write a path as OpenAPI does; paths that differ only in the names of parameters are one there."""
    first = next(each for each in routes if each.segments == route.segments)
    return re.sub(r"\{(\w+)(:\w+)?\}", r"{\1}", first.pattern)


def _in_path(route: HttpRoute) -> list[dict[str, Any]]:
    names = re.findall(r"\{(\w+)", route.pattern)
    return [{"name": name, "in": "path", "required": True, "schema": {"type": "string"}} for name in names]


def _told(text: str, access: Access) -> dict[str, Any]:
    summary, _, rest = text.partition("\n")
    rest = inspect.cleandoc(rest) if rest else ""
    who = _who(access)
    told: dict[str, Any] = {"summary": summary} if summary else {}
    told["description"] = f"{rest}\n\nFor {who}." if rest else f"For {who}."
    told["security"] = [{}, {"token": []}] if access.public else [{"token": []}]
    return told


def _who(access: Access) -> str:
    if access.public:
        return "everybody"
    if access.roles:
        return " or ".join(f"the role `{role}`" for role in access.roles)
    return "everybody who is signed in" if access.signed_in else f"roles with the capability `{access.capability}`"


def _json(schema: dict[str, Any]) -> dict[str, Any]:
    return {"application/json": {"schema": schema}}
