"""The release of Synovia stands in one place, ``synovia_protocol/version.py``; whatever else names it says the same."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest

import synovia
import synovia_client
from synovia_client.link import CLIENT_NAME
from synovia_protocol.version import __version__

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "protocol" / "synovia_protocol" / "version.py"
FOLDERS = {
    "synovia-protocol": "protocol",
    "synovia": "server",
    "synovia-client": "clients/python",
    "synovia-qt": "clients/qt",
    "synovia-motion": "apps/motion",
}


def project_of(folder: str) -> dict[str, Any]:
    return tomllib.loads((ROOT / folder / "pyproject.toml").read_text(encoding="utf-8"))


@pytest.mark.parametrize(("name", "folder"), FOLDERS.items())
def test_distributions_are_of_this_release_and_need_one_another_of_it(name: str, folder: str) -> None:
    described = project_of(folder)
    assert described["project"]["dynamic"] == ["version"]
    assert (ROOT / folder / described["tool"]["hatch"]["version"]["path"]).resolve() == SOURCE
    assert version(name) == __version__, "reinstall: make clean, or pip install --editable"
    own = [need for need in described["project"]["dependencies"] if need.startswith("synovia")]
    assert own == [f"{need.partition('==')[0]}=={__version__}" for need in own]


def test_packages_tell_their_version() -> None:
    assert synovia.__version__ == synovia_client.__version__ == __version__
    assert f"synovia-client-python/{__version__}" == CLIENT_NAME


@pytest.mark.slow
def test_the_command_line_tells_it() -> None:
    told = subprocess.run(
        [sys.executable, "-m", "synovia.cli", "--version"], capture_output=True, text=True, check=True
    )
    assert told.stdout == f"synovia {__version__}\n"


def test_the_javascript_client_is_of_this_release() -> None:
    package = json.loads((ROOT / "clients/js/package.json").read_text(encoding="utf-8"))
    locked = json.loads((ROOT / "clients/js/package-lock.json").read_text(encoding="utf-8"))
    desk = json.loads((ROOT / "apps/motion/desk/package-lock.json").read_text(encoding="utf-8"))
    told = re.search(r'VERSION = "(.*)"', (ROOT / "clients/js/src/version.ts").read_text(encoding="utf-8"))
    assert told is not None
    assert {
        package["version"],
        locked["version"],
        locked["packages"][""]["version"],
        desk["packages"]["../../../clients/js"]["version"],
        told[1],
    } == {__version__}


@pytest.mark.parametrize("folder", ["apps/motion/desk", "tests/browser"])
def test_packages_that_are_never_published_have_no_version(folder: str) -> None:
    package = json.loads((ROOT / folder / "package.json").read_text(encoding="utf-8"))
    assert package["private"]
    assert "version" not in package
