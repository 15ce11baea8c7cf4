"""What is in the repository is what somebody has written: no built packages, no databases, nothing large."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
_CODE = {".py", ".ipynb", ".typed", ".ts", ".mts", ".tsx", ".js", ".jsx", ".mjs", ".css", ".html", ".svg"}
_SETTINGS = {".json", ".toml", ".yaml", ".yml", ".spec", ".service", ".conf"}
_DOTFILES = {".editorconfig", ".dockerignore", ".gitignore"}
TEXTS = frozenset({*_CODE, *_SETTINGS, *_DOTFILES, ".md", ".txt"})
WITHOUT_SUFFIX = frozenset({"LICENSE", "Makefile", "Dockerfile", "Caddyfile", "run", "build"})
PICTURES = frozenset({".png"})
COMPILED = frozenset({"clients/qt/synovia_qt/translations/synovia_qt_de.qm"})
"""Files that are made from others and are tracked all the same."""
MOST_BYTES = 256 * 1024


def faults(names: Iterable[str], root: Path) -> Iterator[str]:
    """Tell of each file that has no business in the tree; what is tracked and deleted here is passed over."""
    for name in names:
        path = root / name
        if path.is_symlink() or not path.is_file() or name in COMPILED:
            continue
        kind = path.suffix or (path.name if path.name.startswith(".") else "")
        if kind not in TEXTS | PICTURES and path.name not in WITHOUT_SUFFIX:
            yield f"{name}: files of this kind are not tracked; if they have to be, say so in {Path(__file__).name}"
        elif kind not in PICTURES and b"\0" in path.read_bytes():
            yield f"{name}: is no text"
        elif path.stat().st_size > MOST_BYTES:
            yield f"{name}: has more than {MOST_BYTES:,} bytes"


def tracked() -> list[str]:
    if shutil.which("git") is None or not (ROOT / ".git").exists():
        pytest.skip("this is no clone")
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True)
    return listed.stdout.split("\0")[:-1]


def test_nothing_is_tracked_that_has_no_business_in_the_tree() -> None:
    names = tracked()
    assert len(names) > 1000, "the test looks in the wrong place"
    assert list(faults(names, ROOT)) == []


@pytest.mark.parametrize(
    ("name", "content", "fault"),
    [
        ("synovia-0.1.0-py3-none-any.whl", b"PK", "not tracked"),
        ("hub.db", b"SQLite", "not tracked"),
        ("core", b"", "not tracked"),
        ("page.html", b"<p>\0", "no text"),
        ("large.json", b" " * (MOST_BYTES + 1), "more than 262,144 bytes"),
        ("large.png", b"\0" * (MOST_BYTES + 1), "more than 262,144 bytes"),
    ],
)
def test_the_check_sees_what_has_not(tmp_path: Path, name: str, content: bytes, fault: str) -> None:
    (tmp_path / name).write_bytes(content)
    (tmp_path / "good.png").write_bytes(b"\x89PNG\0")
    [found] = faults([name, "good.png", "deleted.whl"], tmp_path)
    assert found.startswith(f"{name}: ")
    assert fault in found
