"""The pytest plugin: an application under test for a project that names it, and nothing at all for any other."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from helpers.documentation_pages import page
from helpers.documentation_programs import write_files

pytestmark = pytest.mark.slow

LOADED = """
import sys

def pytest_sessionfinish(session):
    heavy = ("synovia", "numpy", "pydantic", "starlette", "pymongo", "httpx2")
    print("loaded:", sorted(name for name in sys.modules if name.startswith(heavy)))
"""


def run_pytest(folder: Path, *options: str) -> tuple[int, str]:
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *options]
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("PYTEST", "SYNOVIA"))}
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, env=environment)
    return done.returncode, done.stdout + done.stderr


def test_the_tests_of_the_guide_pass_and_fail_without_what_they_test(tmp_path: Path) -> None:
    write_files(page("docs/testing.md"), tmp_path)
    code, text = run_pytest(tmp_path, "-q")
    assert (code, "6 passed" in text) == (0, True), text
    board = tmp_path / "board.py"
    board.write_text(board.read_text().replace("await ctx.db.delete(notice)", "pass"))
    code, text = run_pytest(tmp_path, "-q")
    assert (code, "1 failed, 5 passed" in text) == (1, True), text


@pytest.mark.parametrize(
    ("settings", "mark"),
    [
        ("asyncio_mode = strict\nasyncio_default_fixture_loop_scope = function", "asyncio"),
        ("addopts = -p no:asyncio", "anyio"),
    ],
)
def test_the_fixture_works_wherever_asynchronous_tests_do(tmp_path: Path, settings: str, mark: str) -> None:
    write_files(page("docs/testing.md"), tmp_path)
    (tmp_path / "pytest.ini").write_text(
        f"[pytest]\nsynovia_application = board.py\nfilterwarnings = error\n{settings}\n"
    )
    tests = tmp_path / "test_board.py"
    tests.write_text(f"{tests.read_text()}\npytestmark = pytest.mark.{mark}\n")
    (tmp_path / "conftest.py").write_text("import pytest\nanyio_backend = pytest.fixture(lambda: 'asyncio')\n")
    code, text = run_pytest(tmp_path, "-q")
    assert (code, "6 passed" in text) == (0, True), text


def test_a_project_that_does_not_use_it_loads_nothing_and_keeps_its_names(tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_text(LOADED)
    (tmp_path / "test_other.py").write_text(
        "import pytest\n\n@pytest.fixture\ndef app():\n    return 'mine'\n\ndef test_it(app):\n    assert app == 'mine'\n"
    )
    code, text = run_pytest(tmp_path, "-q", "-s", "-p", "no:asyncio")
    assert code == 0, text
    assert "loaded: []" in text
    code, text = run_pytest(tmp_path, "--fixtures", "-q")
    named = re.sub(r"\S*/\S+", "", text)  # without the places of files, in warnings too: their folder may have any name
    assert "anyio_backend" in named
    assert "synovia" not in named


def test_the_parts_of_the_fixture_can_be_overridden(tmp_path: Path) -> None:
    write_files(page("docs/testing.md"), tmp_path)
    (tmp_path / "conftest.py").write_text(
        "import pytest\n\n@pytest.fixture\ndef synovia_store(tmp_path):\n    return f'sqlite:///{tmp_path}/x.db'\n"
    )
    (tmp_path / "test_board.py").write_text(
        "async def test_it(app, tmp_path):\n    await app.caller().query('board:current')\n"
        "    assert (tmp_path / 'x.db').exists()\n"
    )
    code, text = run_pytest(tmp_path, "-q")
    assert code == 0, text


def test_the_settings_of_an_application_are_those_of_the_test_and_not_of_the_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHOP_TITLE", "Coffee")
    (tmp_path / "shop.py").write_text(
        "from synovia import Env, QueryContext, query\n\nclass Shop(Env):\n    shop_title: str\n\n"
        "@query(public=True)\nasync def title(ctx: QueryContext) -> str:\n    return ctx.env(Shop).shop_title\n"
    )
    (tmp_path / "pytest.ini").write_text("[pytest]\nsynovia_application = shop.py\nasyncio_mode = auto\n")
    (tmp_path / "test_shop.py").write_text(
        "async def test_it(app):\n    assert await app.caller().query('shop:title') == 'Tea'\n"
    )
    code, text = run_pytest(tmp_path, "-q")
    assert code == 1
    assert "SHOP_TITLE: missing" in text
    assert "a test does not look at the variables of the machine: give TestApp(..., variables={...})" in text
    (tmp_path / "conftest.py").write_text(
        "import pytest\n\n@pytest.fixture\ndef synovia_variables():\n    return {'SHOP_TITLE': 'Tea'}\n"
    )
    code, text = run_pytest(tmp_path, "-q")
    assert code == 0, text


def test_an_application_that_is_not_there_is_told(tmp_path: Path) -> None:
    write_files(page("docs/testing.md"), tmp_path)
    (tmp_path / "board.py").unlink()
    code, text = run_pytest(tmp_path, "-q", "-k", "signed_in")
    assert code == 1
    assert "there is no application at" in text
