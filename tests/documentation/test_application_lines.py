"""An application is as short as its README says."""

from __future__ import annotations

import pytest

from helpers.application_lines import APPLICATIONS, lines_of, modules, service


@pytest.mark.parametrize(("application", "most"), [("planner", 250), ("learning", 350), ("events", 900)])
def test_its_lines_are_as_its_readme_says(application: str, most: int) -> None:
    lines, beside = lines_of(modules(application)), lines_of(service(application))
    said = f"{lines:,} lines of Python" + (f" and {beside:,} of the service beside it" if beside else "")
    assert said in (APPLICATIONS / application / "README.md").read_text(encoding="utf-8").replace("\n", " ")
    assert lines <= most
