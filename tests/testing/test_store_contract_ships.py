"""The contract of a store can be run by whoever writes one, without this repository, and finds a store that breaks it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

SETTINGS = "[pytest]\nasyncio_mode = auto\nasyncio_default_fixture_loop_scope = function\n"
MODULE = """
from dataclasses import replace
from typing import Any

import pytest

from synovia.store.base import Batch, Ts
from synovia.store.sqlite import SQLiteStore
from synovia.testing.stores import MakeStore, PersistentStoreContract, StoreContract

class Forgetful(SQLiteStore):
    async def commit(self, batch: Batch) -> Ts:
        return await super().commit(replace(batch, fence=None))

@pytest.fixture
def make_store(tmp_path) -> MakeStore:
    return lambda: STORE(str(tmp_path / "data.db"))

class TestMine(StoreContract):
    pass

class TestMineKeepsItsData(PersistentStoreContract):
    pass
"""


def run_contract(folder: Path, store: str, *options: str) -> tuple[int, str]:
    """Run the contract's tests of one store in a project that knows nothing but what is installed."""
    (folder / "pytest.ini").write_text(SETTINGS)
    (folder / "test_mine.py").write_text(MODULE.replace("STORE", store))
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *options]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    return done.returncode, done.stdout + done.stderr


def test_a_good_store_keeps_it(tmp_path: Path) -> None:
    code, text = run_contract(tmp_path, "SQLiteStore", "-k", "another_fence or outlives_a_restart or snapshot_stays")
    assert code == 0, text
    assert "warning" not in text, text


def test_a_store_that_does_not_look_at_the_fence_is_found_out(tmp_path: Path) -> None:
    code, text = run_contract(tmp_path, "Forgetful", "-k", "one_wins")
    assert code == 1, text
    assert "test_of_several_commits_with_one_fence_one_wins" in text
    assert "assert 5 == 1" in text, "a failed assertion shows its values, though it stands in a library"


@pytest.mark.parametrize("missing", ["pytest", "hypothesis"])
def test_what_it_needs_is_named(missing: str) -> None:
    program = f"import sys; sys.modules[{missing!r}] = None; import synovia.testing.stores"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert "install synovia[testing]" in done.stderr
