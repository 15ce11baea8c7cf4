"""Functions in folders: their addresses over HTTP and their description."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from openapi_spec_validator import OpenAPIV31SpecValidator, validate

from helpers.http_server import serving
from helpers.running_hub import running_hub
from helpers.written_applications import function, write_application
from synovia.functions.registry import load_application
from synovia.http.openapi import describe

CREATE = "\n@mutation(public=True)\nasync def create(ctx: MutationContext, title: str) -> str:\n    return title\n"


async def test_every_way_in_takes_a_path_with_slashes(tmp_path: Path) -> None:
    application = write_application(tmp_path, {"mutations/of/teams.py": CREATE, "mutations/teams.py": function("name")})
    async with serving(application) as served:
        answer = await served.call("mutation", "mutations/of/teams:create", {"title": "A"})
        assert (answer.status, answer.json) == (200, {"result": "A"})
        answer = await served.post("/api/run/mutations/of/teams/create", {"title": "B"})
        assert (answer.status, answer.json) == (200, {"result": "B"})
        assert (await served.post("/api/run/mutations/teams/name", {})).json == {"result": "name"}
        for path in ("mutations/of/create", "mutations/of/teams/", "/mutations/of/teams/create", "teams/create", "/x"):
            answer = await served.post(f"/api/run/{path}", {})
            assert answer.status == 404, path
        for path in ("mutations/of/teams/create", "mutations:of:teams:create", "mutations//of/teams:create", "/:", ":"):
            assert (await served.call("mutation", path)).code == "unknown_function", path
    async with running_hub("sqlite://:memory:", application) as hub:
        client = await hub.connect("ada")
        assert await client.mutation("mutations/of/teams:create", {"title": "C"}) == "C"
        async with client.subscribe("mutations/teams:name") as shown:
            assert shown.value == "name"


def test_functions_of_one_name_in_several_modules_are_all_described(tmp_path: Path) -> None:
    """Their arguments may well be the same, also as those of a model of that name."""
    model = "class create(BaseModel):\n    model_config = ConfigDict(extra='forbid')\n    title: str\n"
    use = "\n@query(public=True)\nasync def use(ctx: QueryContext, given: create) -> create:\n    return given\n"
    head = "from pydantic import BaseModel, ConfigDict\n"
    files = {"a.py": CREATE, "b.py": CREATE, "a/b.py": CREATE, "x/a.py": CREATE, "model.py": head + model + use}
    files["a/__init__.py"] = files.pop("a.py")
    document = json.loads(json.dumps(describe(load_application(write_application(tmp_path, files)))))
    validate(document, cls=OpenAPIV31SpecValidator)
    operations = {path: item["post"]["operationId"] for path, item in document["paths"].items()}
    for module in ("a", "b", "a/b", "x/a"):
        assert operations[f"/api/run/{module}/create"] == f"{module.replace('/', '.')}.create"
        assert set(arguments(document, f"/api/run/{module}/create")["properties"]) == {"title"}
    assert "create" in arguments(document, "/api/run/model/use")["properties"]["given"]["$ref"]
    assert document["paths"]["/api/run/a/b/create"]["post"]["tags"] == ["a/b"]


def test_a_route_of_several_methods_and_a_function_do_not_share_an_operation(tmp_path: Path) -> None:
    route = (
        "from starlette.requests import Request\nfrom starlette.responses import Response\nfrom synovia import http\n"
        "\n@http.route('/things', methods=['GET', 'PUT'], public=True)\n"
        "async def things(ctx: ActionContext, request: Request) -> Response:\n    return Response()\n"
    )
    files = {"a/__init__.py": route, "b.py": '__synovia_path__ = "a/things"\n' + function("get")}
    document = describe(load_application(write_application(tmp_path, files)))
    names = [each["operationId"] for item in document["paths"].values() for each in item.values()]
    assert sorted(names) == ["a.things-get", "a.things-put", "a.things.get", "samples"]


def arguments(document: Any, path: str) -> Any:
    content = document["paths"][path]["post"]["requestBody"]["content"]
    return content["application/json"]["schema"]
