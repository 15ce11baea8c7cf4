"""The documentation site builds without a warning, and its reference has everything that is exported."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from helpers.documentation_pages import ROOT
from helpers.public_modules import PUBLIC, exported_by

REFERENCE = ROOT / "docs" / "reference"
BUILD = "import gc, sys; gc.disable(); from sphinx.cmd.build import main; sys.exit(main(sys.argv[1:]))"
"""Builds a site. Its trees stay to the end: a third of the time would be looking for garbage among them."""


@pytest.mark.parametrize("module", PUBLIC)
def test_the_reference_has_everything_that_is_exported(module: str) -> None:
    pages = "\n".join(page.read_text(encoding="utf-8") for page in REFERENCE.glob("*.md"))
    documented = set(re.findall(r"^\.\. auto\w+:: (\S+)$", pages, re.MULTILINE))
    exported = {f"{module}.{name}" for name in exported_by(module) if name != "__version__"}
    assert exported - documented == set(), "write them into a page of docs/reference"


@pytest.mark.slow
@pytest.mark.timeout(1_200)  # one long computation: half a minute of a core
def test_the_site_builds_without_a_warning(tmp_path: Path) -> None:
    if importlib.util.find_spec("sphinx") is None:
        if os.environ.get("CI") == "true":
            raise ModuleNotFoundError("make .venv/.docs-ready installs Sphinx")
        pytest.skip("Sphinx is not installed: make docs")
    site = tmp_path / "site"
    command = ["-c", BUILD, "--fail-on-warning", "--keep-going", "--quiet", "--doctree-dir", tmp_path / "trees"]
    ended = subprocess.run(
        [sys.executable, *map(str, command), ROOT / "docs", site],
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    assert {"index.html", "tutorial.html", "concepts.html", "contributing.html"} <= {
        file.name for file in site.iterdir()
    }
    settings = (site / "reference" / "settings.html").read_text(encoding="utf-8")
    assert "SYNOVIA_LIMITS_MAX_CONNECTIONS_PER_ADDRESS" in settings
    assert "<!-- all settings -->" not in settings
    tutorial = (site / "tutorial.html").read_text(encoding="utf-8")
    assert ">chat/messages.py</span>" in tutorial
    assert 'src="_images/desk-dark.png"' in (site / "index.html").read_text(encoding="utf-8")
