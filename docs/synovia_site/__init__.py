"""What the site needs beyond Sphinx: pages of the project's root, names of files over code, tables of settings."""

from __future__ import annotations

from typing import Any

from synovia_site import exports, markdown, settings


def setup(app: Any) -> dict[str, Any]:
    """Say where it takes part."""
    app.connect("builder-inited", exports.leave_out_bare_decorators)
    app.connect("source-read", _read_page)
    app.connect("include-read", _read_included)
    app.connect("doctree-read", exports.name_publicly)
    app.connect("missing-reference", exports.pass_over_internal)
    app.connect("autodoc-process-signature", exports.without_making)
    app.connect("autodoc-process-docstring", exports.hide_colon, priority=400)  # before napoleon
    app.connect("autodoc-process-docstring", exports.show_colon, priority=600)
    return {"parallel_read_safe": True, "parallel_write_safe": True, "version": "1"}


def _read_page(app: Any, name: str, source: list[str]) -> None:
    source[0] = markdown.with_titles(markdown.with_captions(source[0].replace(settings.PLACE, settings.definitions())))


def _read_included(app: Any, path: Any, parent: str, source: list[str]) -> None:
    source[0] = markdown.moved_to_site(markdown.with_titles(markdown.with_captions(source[0])))
