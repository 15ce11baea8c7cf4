"""What docs/architecture.md and CONTRIBUTING.md name is there: rooms, files, folders of tests, targets of make."""

from __future__ import annotations

import itertools
import re

import pytest

from helpers.documentation_pages import ROOT, page, pages

ARCHITECTURE = page("docs/architecture.md")
_PATH = re.compile(r"`([a-z_][\w-]*(?:/[\w.-]+)+/?)`")


ROOTS = (ROOT, ROOT / "server" / "synovia")
BUILT = ("apps/motion/web", "build/")


def paths_in(cell: str) -> list[str]:
    """Give the words in backticks that look like paths in this project."""
    found = [path for path in _PATH.findall(cell) if any((root / path.split("/")[0]).is_dir() for root in ROOTS)]
    return [path for path in found if not path.startswith(BUILT)]


def exists(path: str) -> bool:
    """Tell whether a path is there, from the project's root or from the server's; endings of modules may be left out."""
    places = [folder / path.rstrip("/") for folder in ROOTS]
    return any(
        place.exists() or place.with_name(f"{place.name}{ending}").exists()
        for place in places
        for ending in (".py", ".ts")
    )


def rows() -> list[list[str]]:
    """Give the rows of the table *Where to change what*."""
    after = ARCHITECTURE.lines[ARCHITECTURE.lines.index("## Where to change what") + 1 :]
    section = itertools.takewhile(lambda line: not line.startswith("## "), after)
    table = [line for line in section if line.startswith("|")]
    return [[cell.strip() for cell in line.split("|")[1:-1]] for line in table[2:]]


def test_the_table_says_where_for_every_subject() -> None:
    assert len(rows()) > 25
    for what, where, tests in rows():
        assert re.search(r"`\w", where), f"{what}: nowhere"
        assert all(exists(path) for path in paths_in(tests)), f"{what}: {tests}"
        assert paths_in(tests), f"{what}: no tests"


@pytest.mark.parametrize("name", [page.name for page in pages() if page.name != "CHANGELOG.md"])
def test_every_path_exists(name: str) -> None:
    missing = [
        f"{name}:{line}: {path}" for line, text in page(name).prose for path in paths_in(text) if not exists(path)
    ]
    assert missing == []


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("a mutation conflicts", "engine/committer"),
        ("how long a session", "auth/settings"),
        ("what a client says of its connection", "clients/python/synovia_client/state"),
    ],
)
def test_the_answer_of_a_newcomer_is_found(question: str, answer: str) -> None:
    (row,) = [row for row in rows() if question in row[0]]
    assert paths_in(row[1])[0] == answer


def test_every_room_of_the_server_is_named() -> None:
    text = "\n".join(line for _, line in ARCHITECTURE.prose)
    server = ROOT / "server" / "synovia"
    rooms = {path.stem for path in server.iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()}
    assert {room for room in rooms - {"__init__"} if f"`{room}`" not in text and f"`{room}/`" not in text} == set()


def test_every_target_of_make_exists() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    named = {
        target
        for name in ("README.md", "CONTRIBUTING.md", "docs/architecture.md", "docs/performance.md", "docs/motion.md")
        for target in re.findall(r"(?:^|`)make ([a-z-]+)", "\n".join(page(name).lines), re.MULTILINE)
    }
    assert named - targets == set()
    assert {"test", "test-fast", "docs"} <= named


def test_a_path_that_is_not_there_is_found() -> None:
    assert paths_in("see `engine/committer`, `ctx.db` and `store/`, not `a/b`") == ["engine/committer"]
    assert exists("engine/committer")
    assert exists("clients/js/src/outbox")
    assert not exists("engine/querying")
