"""Links between the pages lead somewhere: to a file that exists, and to a heading that it has."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from helpers.documentation_pages import Page, page, pages, slug


@pytest.mark.parametrize("source", pages(), ids=lambda source: source.name)
def test_every_link_leads_somewhere(source: Page) -> None:
    assert list(broken(source)) == []


def broken(source: Page) -> Iterator[str]:
    """Tell the links of a page that lead nowhere."""
    for line, target in source.links:
        path, _, anchor = target.partition("#")
        if "://" in target:
            continue
        found = (source.path.parent / path).resolve() if path else source.path
        if not found.exists():
            yield f"{source.path.name}:{line}: {target}: there is no such file"
        elif anchor and anchor not in Page(found).anchors:
            yield f"{source.path.name}:{line}: {target}: there is no such heading"


def test_anchors_are_those_that_forges_make() -> None:
    assert slug("What is deleted for good, and when") == "what-is-deleted-for-good-and-when"
    assert slug("`synovia dev` & [links](x.md) — Ü_1") == "synovia-dev--links--ü_1"
    assert "settings" in page("docs/operations.md").anchors


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("see [here](nowhere.md)", "page.md:1: nowhere.md: there is no such file"),
        ("# One\nsee [here](#two)", "page.md:2: #two: there is no such heading"),
        ("# One\n\n```\n# Two\n```\n[a](#one), [b](#two)", "page.md:6: #two: there is no such heading"),
        ("# One\n# One\n[a](page.md#one-1), `[b](#code)`", None),
        ('<img src="picture.png">', "page.md:1: picture.png: there is no such file"),
    ],
)
def test_broken_links_are_found(tmp_path: Path, text: str, fault: str | None) -> None:
    (tmp_path / "page.md").write_text(text, encoding="utf-8")
    assert list(broken(Page(tmp_path / "page.md"))) == ([] if fault is None else [fault])
