"""docs/dashboard.md names every system function, and for whom it is."""

from __future__ import annotations

from pathlib import Path

from helpers.http_server import APPS
from synovia.app import Synovia

PAGE = Path(__file__).parents[2] / "docs" / "dashboard.md"


def test_the_table_of_functions_is_complete() -> None:
    rows = [
        line.split("|")[1:4] for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("| `_system/")
    ]
    written = {path.strip().strip("`"): (kind.strip(), who.strip().strip("`")) for path, kind, who in rows}
    system = Synovia(APPS / "ledger.py").registry.system
    assert written == {
        path: (str(each.kind), "both" if each.kind == "query" else "operator") for path, each in system.items()
    }
