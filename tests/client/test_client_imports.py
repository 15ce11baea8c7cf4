"""What importing the client brings along."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

PROGRAM = """
import json, sys
import {module}
print(json.dumps(sorted({{name.partition(".")[0] for name in sys.modules}})))
"""


@pytest.mark.slow
@pytest.mark.parametrize("module", ["synovia_client", "synovia_client.blocking"])
def test_importing_the_client_brings_no_server_and_no_database(module: str) -> None:
    run = subprocess.run(
        [sys.executable, "-c", PROGRAM.format(module=module)], capture_output=True, text=True, check=True
    )
    loaded = set(json.loads(run.stdout))
    assert {"synovia_client", "synovia_protocol", "websockets", "numpy"} <= loaded
    assert loaded.isdisjoint(
        {
            "synovia",
            "starlette",
            "uvicorn",
            "pymongo",
            "bson",
            "pydantic",
            "apps",
            "pandas",
            "polars",
            "anywidget",
        }
    )
