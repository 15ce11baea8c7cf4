from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from openapi_spec_validator import OpenAPIV31SpecValidator, validate

from helpers.http_server import APPS, Served, serving
from synovia.functions.registry import load_application
from synovia.http.openapi import describe

MOTION = Path(__file__).parents[2] / "apps" / "motion"
APPLICATIONS = [APPS / "ledger.py", APPS / "gateway.py", MOTION]
ALICE = "dev:alice@example.org"


def described(application: Path) -> Any:
    return json.loads(json.dumps(describe(load_application(application))))


def body_schema(document: Any, path: str) -> Any:
    content = document["paths"][f"/api/run/{path.replace(':', '/')}"]["post"]["requestBody"]["content"]
    return content["application/json"]["schema"]


def check(document: Any, schema: Any, value: Any) -> None:
    """Hold a value against a schema of a document."""
    Draft202012Validator({**schema, "components": document["components"]}).validate(value)


def fits(document: Any, schema: Any, value: Any) -> bool:
    return bool(Draft202012Validator({**schema, "components": document["components"]}).is_valid(value))


@pytest.mark.slow
@pytest.mark.parametrize("application", APPLICATIONS, ids=lambda path: path.stem)
def test_the_description_is_valid(application: Path) -> None:
    validate(described(application), cls=OpenAPIV31SpecValidator)


@pytest.mark.parametrize("application", APPLICATIONS, ids=lambda path: path.stem)
def test_there_is_one_operation_for_each_function_that_clients_may_call(application: Path) -> None:
    registry = load_application(application)
    document = described(application)
    operations = [each for item in document["paths"].values() for each in item.values()]
    names = [each["operationId"] for each in operations]
    assert len(names) == len(set(names))
    callable_ones = {path.replace(":", ".") for path, each in registry.functions.items() if not each.internal}
    hidden = {path.replace(":", ".") for path, each in registry.functions.items() if each.internal}
    assert callable_ones <= set(names)
    assert not hidden & set(names)
    assert len(operations) == 1 + len(callable_ones) + sum(len(route.methods) for route in registry.routes)


def test_nothing_of_internal_functions_is_told() -> None:
    assert "hidden" in {path.partition(":")[2] for path in load_application(APPS / "ledger.py").functions}
    assert "hidden" not in json.dumps(described(APPS / "ledger.py"))


@pytest.mark.slow
def test_the_same_application_has_the_same_description_in_every_process() -> None:
    code = (
        "import sys, synovia.functions.registry as a, synovia.http.openapi as o, synovia.http.values as v;"
        "sys.stdout.buffer.write(v.dump(o.describe(a.load_application(sys.argv[1]))))"
    )
    found = {
        subprocess.run(
            [sys.executable, "-c", code, str(MOTION)], capture_output=True, check=True, env={"PYTHONHASHSEED": seed}
        ).stdout
        for seed in ("1", "2")
    }
    assert len(found) == 1


def test_access_is_told() -> None:
    paths = described(APPS / "gateway.py")["paths"]
    assert paths["/pages/{slug}"]["get"]["security"] == [{}, {"token": []}]
    assert paths["/pages/{slug}"]["put"]["security"] == [{"token": []}]
    assert paths["/pages/{slug}"]["put"]["summary"] == "Write a page."
    told = "It cannot be changed afterwards.\n\nFor everybody who is signed in."
    assert paths["/pages/{slug}"]["put"]["description"] == told
    assert paths["/files/{name}"]["get"]["parameters"] == [
        {"name": "name", "in": "path", "required": True, "schema": {"type": "string"}}
    ]


async def test_it_is_served_and_can_be_switched_off() -> None:
    async with serving() as served:
        answer = await served.ask("GET", "/openapi.json")
        assert (answer.status, answer.headers["content-type"]) == (200, "application/json")
        assert answer.json == {**described(APPS / "ledger.py"), "servers": [{"url": "/"}]}
    async with serving(openapi=False) as served:
        assert (await served.ask("GET", "/openapi.json")).status == 404


GOOD: list[tuple[str, Any]] = [
    ("open_account", {"name": "alice", "samples": [1, 2.5, {"$numberDouble": "NaN"}]}),
    ("open_account", {"name": "bob"}),
    ("open_account", {"name": "carol", "samples": [[1, 2], [3, 4]]}),
    ("pay_in", {"name": "alice", "cents": 5}),
    ("balance", {"name": "alice"}),
    ("accounts", {"limit": 2}),
    ("accounts", {}),
    ("whoami", {}),
    ("mean", {"series": {"label": "x", "samples": [[1, 2], [{"$numberDouble": "Infinity"}]]}}),
    ("mean", {"series": {"label": "x", "samples": []}}),
    ("at", {"moment": {"$date": "2026-11-21T08:00:00.000Z"}, "raw": {"$binary": {"base64": "AA=="}}}),
    ("everything", {"value": {"$numberLong": "9007199254740993"}}),
    ("pay_twice", {"name": "bob", "cents": 1}),
]
BAD: list[tuple[str, Any]] = [
    ("open_account", {}),
    ("open_account", {"name": 5}),
    ("open_account", {"name": "dave", "samples": ["1"]}),
    ("open_account", {"name": "dave", "other": 1}),
    ("accounts", {"limit": 0}),
    ("accounts", {"limit": 1.5}),
    ("accounts", []),
    ("at", {"moment": "2026-11-21T08:00:00.000Z", "raw": {"$binary": {"base64": "AA=="}}}),
    ("mean", {"series": {"samples": []}}),
]


async def run(served: Served, name: str, args: Any) -> Any:
    answer = await served.post(f"/api/run/ledger/{name}", args, token=ALICE)
    return answer.status, answer.json


async def test_what_is_described_is_what_is_taken_and_given() -> None:
    """Each request that fits its schema is taken and answered by what fits; each other one is refused."""
    async with serving() as served:
        document = (await served.ask("GET", "/openapi.json")).json
        for name, args in GOOD:
            check(document, body_schema(document, f"ledger:{name}"), args)
            status, given = await run(served, name, args)
            assert status == 200, given
            responses = document["paths"][f"/api/run/ledger/{name}"]["post"]["responses"]
            check(document, responses["200"]["content"]["application/json"]["schema"], given)
        error = document["components"]["responses"]["Error"]["content"]["application/json"]["schema"]
        for name, args in BAD:
            assert not fits(document, body_schema(document, f"ledger:{name}"), args), (name, args)
            status, given = await run(served, name, args)
            assert status == 400, given
            check(document, error, given)


async def test_integers_beyond_what_json_keeps_fit_too() -> None:
    async with serving() as served:
        document = (await served.ask("GET", "/openapi.json")).json
        schema = document["components"]["schemas"]["synovia.Int64"]
        for value, good in ((5, True), ({"$numberLong": "9007199254740993"}, True), (5.5, False), ("5", False)):
            assert fits(document, schema, value) is good
