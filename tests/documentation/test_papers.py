"""The papers of the project agree with one another: licence, versions of Python, what continuous integration runs."""

from __future__ import annotations

import json
import tomllib
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
DISTRIBUTIONS = {
    "synovia-protocol": "protocol",
    "synovia": "server",
    "synovia-client": "clients/python",
    "synovia-qt": "clients/qt",
    "synovia-motion": "apps/motion",
}
LICENSE = (ROOT / "LICENSE").read_text(encoding="utf-8")


def read_toml(path: str) -> dict[str, Any]:
    return tomllib.loads((ROOT / path).read_text(encoding="utf-8"))


def test_the_license_is_apache_2() -> None:
    assert LICENSE.split("\n", 3)[1].strip() == "Apache License"
    assert "END OF TERMS AND CONDITIONS" in LICENSE


@pytest.mark.parametrize(("name", "folder"), DISTRIBUTIONS.items())
def test_every_distribution_carries_the_license(name: str, folder: str) -> None:
    installed = distribution(name)
    assert installed.metadata["License-Expression"] == "Apache-2.0"
    assert installed.read_text("licenses/LICENSE") == LICENSE
    assert (ROOT / folder / "LICENSE").read_text(encoding="utf-8") == LICENSE


@pytest.mark.parametrize(
    "folder", ["clients/js", "apps/motion/desk", "server/dashboard", "examples/convex-chat/front", "tests/browser"]
)
def test_every_npm_package_names_the_license(folder: str) -> None:
    package = json.loads((ROOT / folder / "package.json").read_text(encoding="utf-8"))
    assert package["license"] == "Apache-2.0"
    if not package.get("private"):
        assert (ROOT / folder / "LICENSE").read_text(encoding="utf-8") == LICENSE


def test_continuous_integration_begins_at_the_oldest_python() -> None:
    job = yaml.safe_load((ROOT / ".github/workflows/ci.yml").read_text(encoding="utf-8"))["jobs"]["test"]
    oldest, *others = job["strategy"]["matrix"]["python"]
    assert others
    assert {
        read_toml(f"{folder}/pyproject.toml")["project"]["requires-python"] for folder in DISTRIBUTIONS.values()
    } == {f">={oldest}"}
    assert read_toml("pyproject.toml")["tool"]["mypy"]["python_version"] == oldest
    assert [step["env"]["PYTHON"] for step in job["steps"] if step.get("run") == ".ci/run"] == [
        "python${{ matrix.python }}"
    ]


def test_hooks_before_a_commit_fetch_nothing() -> None:
    config = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))
    assert {each["repo"] for each in config["repos"]} == {"local"}
    hooks = [hook for each in config["repos"] for hook in each["hooks"]]
    assert {hook["entry"].split()[0] for hook in hooks} == {".venv/bin/ruff", ".venv/bin/mypy"}
    assert {hook["language"] for hook in hooks} == {"system"}


@pytest.mark.parametrize(
    "form", sorted((ROOT / ".github" / "ISSUE_TEMPLATE").glob("*.yml")), ids=lambda path: path.name
)
def test_issue_forms_are_complete(form: Path) -> None:
    fields = yaml.safe_load(form.read_text(encoding="utf-8")).get("body", [])
    assert form.name == "config.yml" or any(field["type"] != "markdown" for field in fields)
    for field in fields:
        assert field["attributes"].get("label") or field["attributes"].get("value")
