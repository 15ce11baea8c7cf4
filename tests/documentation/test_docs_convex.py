"""The two sides of docs/coming-from-convex.md: the TypeScript compiles with npm ``convex``, the Python does the same."""

from __future__ import annotations

import importlib
import json
import os
import subprocess
from pathlib import Path

import pytest

from helpers.documentation_pages import ROOT, page
from helpers.documentation_programs import write_files
from synovia.auth.settings import AuthSettings
from synovia.codegen import generate
from synovia.errors import FunctionError
from synovia.functions.registry import Registry, load_application
from synovia.store.base import Batch, Write
from synovia.testing import TestApp

GUIDE = page("docs/coming-from-convex.md")
FRONT = ROOT / "examples" / "convex-chat" / "front"
SERVER = """
import type { DataModelFromSchemaDefinition, MutationBuilder, QueryBuilder } from "convex/server";
import type schema from "../schema.js";

type DataModel = DataModelFromSchemaDefinition<typeof schema>;
export declare const query: QueryBuilder<DataModel, "public">;
export declare const mutation: MutationBuilder<DataModel, "public">;
"""
"""What Convex itself generates for functions in TypeScript."""


@pytest.fixture
def talk(folder: Path) -> Registry:
    write_files(GUIDE, folder)
    (folder / "talk" / "__init__.py").touch()
    importlib.invalidate_caches()
    return load_application(folder / "talk")


@pytest.mark.slow
def test_both_sides_compile_and_fit_one_front_end(talk: Registry, folder: Path) -> None:
    tsc = FRONT / "node_modules" / ".bin" / "tsc"
    if not tsc.exists():
        if os.environ.get("CI") == "true":
            raise FileNotFoundError(tsc)
        pytest.skip(f"there is no compiler: cd {FRONT} && npm ci")
    generated = folder / "convex" / "_generated"
    (found,) = generate(talk, convex=generated)
    found.apply()
    (generated / "server.d.ts").write_text(SERVER)
    (folder / "node_modules").symlink_to(FRONT / "node_modules", target_is_directory=True)
    config = {"extends": str(FRONT / "tsconfig.json"), "include": ["convex", "front"]}
    (folder / "tsconfig.json").write_text(json.dumps(config))
    ended = subprocess.run(
        [str(tsc), "--pretty", "false", "-p", str(folder)], capture_output=True, text=True, check=False
    )
    assert ended.stdout == ""
    wrong = folder / "front" / "Wrong.tsx"
    wrong.write_text('import { api } from "../convex/_generated/api";\nexport const path = api.messages.lst;\n')
    ended = subprocess.run([str(tsc), "-p", str(folder)], capture_output=True, text=True, check=False)
    assert "TS2551" in ended.stdout, "the compiler has seen nothing"


async def test_the_functions_do_what_they_did(talk: Registry) -> None:
    async with TestApp(talk) as app:
        ada = app.caller("ada@example.org")
        with pytest.raises(FunctionError, match="who are you"):
            await ada.mutation("messages:send", {"channel": "a", "body": "hello"})
        user = {"_id": "j57ada", "_creationTime": 1.0, "tokenIdentifier": "dev|ada@example.org", "name": "Ada"}
        await app.store.commit(Batch([Write("users", "j57ada", None, user)]))
        made = await ada.mutation("messages:send", {"channel": "a", "body": "hello"})
        await ada.mutation("messages:like", {"id": made})
        found = await ada.query("messages:list", {"channel": "a", "paginationOpts": {"numItems": 5, "cursor": None}})
        assert [(each["_id"], each["author"], each["likes"]) for each in found["items"]] == [(made, "j57ada", 1)]


def test_the_issuer_is_a_setting() -> None:
    (block,) = GUIDE.code("json")
    (issuer,) = AuthSettings(issuers=json.loads(block.code)).issuers
    (config,) = [block.code for block in GUIDE.code("ts") if block.file == "convex/auth.config.ts"]
    assert f'domain: "{issuer.issuer}"' in config
    assert f'applicationID: "{issuer.audience[0]}"' in config
