"""The web page of an application, at ``/``."""

from __future__ import annotations

import gzip
import os
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from helpers.http_server import Served, serving

ROUTES = """
from synovia import ActionContext, http
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

@http.route("/import/files", methods=["POST"], public=True)
async def import_files(ctx: ActionContext, request: Request) -> Response:
    return PlainTextResponse("imported")
"""
BROWSER = {"Accept": "text/html,application/xhtml+xml"}
INDEX, SCRIPT = b"<!doctype html><title>Desk</title>", b"console.log(1);" * 100
HASHED = "assets/index-CLqfi6Mc.js"


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    """An application without a page."""
    home = tmp_path / "paged"
    home.mkdir()
    (home / "__init__.py").write_text("")
    (home / "files.py").write_text(ROUTES)
    yield home
    sys.path.remove(str(tmp_path))
    for name in ("paged", "paged.files"):
        sys.modules.pop(name, None)


@pytest.fixture
def web(home: Path) -> Path:
    """Its page."""
    web = home / "web"
    (web / "assets").mkdir(parents=True)
    (web / "index.html").write_bytes(INDEX)
    (web / HASHED).write_bytes(SCRIPT)
    (web / f"{HASHED}.gz").write_bytes(gzip.compress(SCRIPT))
    (web / "assets" / "component.js").write_bytes(b"1")
    (web / "mark.svg").write_text("<svg/>")
    return web


@pytest.fixture
async def served(home: Path, web: Path) -> AsyncIterator[Served]:
    async with serving(home) as served:
        yield served


async def test_the_page_is_served_with_how_long_it_may_be_kept(served: Served) -> None:
    index = await served.ask("GET", "/")
    assert (index.status, index.body) == (200, INDEX)
    assert index.headers["content-type"] == "text/html; charset=utf-8"
    assert index.headers["cache-control"] == "no-cache"
    assert "frame-ancestors 'none'" in index.headers["content-security-policy"]
    script = await served.ask("GET", f"/{HASHED}")
    assert (script.status, script.body) == (200, SCRIPT)
    assert script.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert script.headers["content-type"].startswith("text/javascript")
    for unhashed in ("/mark.svg", "/assets/component.js"):
        assert (await served.ask("GET", unhashed)).headers["cache-control"] == "no-cache"
    head = await served.ask("HEAD", "/")
    assert (head.status, head.body, head.headers["content-length"]) == (200, b"", str(len(INDEX)))


async def test_a_part_may_be_asked_for(served: Served) -> None:
    tag = (await served.ask("GET", f"/{HASHED}")).headers["etag"]
    for condition in ({}, {"If-Range": tag}):
        part = await served.ask("GET", f"/{HASHED}", headers={"Range": "bytes=0-9", **condition})
        assert (part.status, part.body) == (206, SCRIPT[:10])
    for other in ('"other"', "Fri, 01 Jan 2100 00:00:00 GMT"):
        whole = await served.ask("GET", f"/{HASHED}", headers={"Range": "bytes=0-9", "If-Range": other})
        assert (whole.status, whole.body) == (200, SCRIPT)


async def test_what_is_the_same_is_not_sent_again_and_what_is_not_is(served: Served, web: Path) -> None:
    tag = (await served.ask("GET", "/")).headers["etag"]
    again = await served.ask("GET", "/", headers={"If-None-Match": tag})
    assert (again.status, again.body, again.headers["cache-control"]) == (304, b"", "no-cache")
    before = (web / "index.html").stat()
    (web / "index.html").write_bytes(INDEX.replace(b"Desk", b"Task"))  # as long as before, and soon as old
    os.utime(web / "index.html", ns=(before.st_atime_ns, before.st_mtime_ns + 1))
    for condition in ({"If-None-Match": tag}, {"If-Modified-Since": "Fri, 01 Jan 2100 00:00:00 GMT"}):
        changed = await served.ask("GET", "/", headers=condition)
        assert (changed.status, changed.body) == (200, INDEX.replace(b"Desk", b"Task"))


@pytest.mark.parametrize(
    ("takes", "sent"),
    [("gzip, deflate, br", "gzip"), ("br", None), ("gzip;q=0", None), ("", None), ("GZIP;q=0.5", "gzip")],
)
async def test_packed_files_go_to_who_takes_them(served: Served, takes: str, sent: str | None) -> None:
    answer = await served.ask("GET", f"/{HASHED}", headers={"Accept-Encoding": takes})
    assert answer.headers.get("content-encoding") == sent
    assert (gzip.decompress(answer.body) if sent else answer.body) == SCRIPT
    assert "accept-encoding" in answer.headers["vary"]
    assert answer.headers["content-type"].startswith("text/javascript")


@pytest.mark.parametrize("path", ["/invite/abc", "/recordings/65f0c0ffee65f0c0ffee65f0/", "/index.html"])
async def test_other_paths_that_a_browser_opens_are_the_pages_own(served: Served, path: str) -> None:
    answer = await served.ask("GET", path, headers=BROWSER)
    assert (answer.status, answer.body) == (200, INDEX)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/invite/abc", 404),  # no browser asks
        ("GET", "/assets/gone-CLqfi6Mc.js", 404),
        ("GET", "/api/nothing", 404),
        ("GET", "/import/nothing", 404),
        ("GET", "/health/nothing", 404),
        ("POST", "/invite/abc", 404),
        ("POST", "/", 405),
        ("DELETE", f"/{HASHED}", 405),
        ("POST", "/import/files", 200),
        ("GET", "/health", 200),
    ],
)
async def test_the_page_takes_nothing_from_the_other_routes(
    served: Served, method: str, path: str, status: int
) -> None:
    headers = {} if path == "/invite/abc" and method == "GET" else BROWSER
    answer = await served.ask(method, path, headers=headers)
    assert answer.status == status
    assert INDEX not in answer.body
    if status >= 400:
        assert answer.code in ("not_found", "method_not_allowed")


@pytest.mark.parametrize(
    "path",
    [
        "/../files.py", "/..%2ffiles.py", "/%2e%2e/files.py", "/assets/../../files.py", "//etc/passwd", "/%00", "/.",
        "/..", "/assets", "/" + "a" * 5000, "/assets/%ff%fe", "/..\\files.py", "/link",
    ],
)  # fmt: skip
async def test_nothing_outside_of_the_folder_is_served(served: Served, web: Path, home: Path, path: str) -> None:
    (web / "link").symlink_to(home / "files.py")
    answer = await served.ask("GET", path)
    assert answer.status in (400, 404)
    assert b"synovia" not in answer.body
    assert (await served.ask("GET", "/")).status == 200


async def test_another_folder_may_be_named(home: Path, tmp_path: Path) -> None:
    (tmp_path / "built").mkdir()
    (tmp_path / "built" / "index.html").write_text("elsewhere")
    async with serving(home, web=tmp_path / "built") as served:
        assert (await served.ask("GET", "/")).body == b"elsewhere"


async def test_without_a_page_it_is_told_how_to_get_one(home: Path) -> None:
    (home / "desk").mkdir()
    (home / "desk" / "package.json").write_text("{}")
    async with serving(home, development=True) as served:
        answer = await served.ask("GET", "/", headers=BROWSER)
        assert answer.status == 404
        assert f"cd {home / 'desk'}" in answer.body.decode()
        assert "https://nodejs.org" in answer.body.decode()
        assert (await served.ask("GET", "/other", headers=BROWSER)).code == "not_found"
        (home / "web").mkdir()
        (home / "web" / "index.html").write_bytes(INDEX)
        assert (await served.ask("GET", "/")).body == INDEX
    async with serving(home) as served:
        (home / "web" / "index.html").unlink()
        assert str(home) not in (await served.ask("GET", "/", headers=BROWSER)).body.decode()
