"""The built pages at ``/_synovia/``: what they are sent with, and what is said where there are none."""

from __future__ import annotations

from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from helpers.http_server import APPS
from synovia.app import Synovia
from synovia.config import Settings
from synovia.dashboard.routes import Dashboard
from synovia.functions.registry import load_application
from synovia.limits.addresses import Addresses
from synovia.limits.settings import HubLimits

ASSET = "assets/index-Bwev1mX9.js"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "assets").mkdir()
    (tmp_path / "index.html").write_text('<!doctype html><base href="/_synovia/"><title>Synovia</title>')
    (tmp_path / ASSET).write_text("export {};")
    return tmp_path


def client_of(folder: Path) -> TestClient:
    app = Synovia(load_application(APPS / "ledger.py"), settings=Settings())
    addresses = Addresses(HubLimits(), lambda: 0.0)
    pages = Dashboard(app.operators, addresses.of_peer, 1.0, is_open=False, folder=folder)
    return TestClient(Starlette(routes=pages.routes()), follow_redirects=False)


def test_pages_have_a_strict_policy_and_assets_are_kept_for_ever(folder: Path) -> None:
    client = client_of(folder)
    page = client.get("/_synovia/")
    policy = page.headers["content-security-policy"]
    assert page.status_code == 200
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert page.headers["cache-control"] == "no-cache"
    asset = client.get(f"/_synovia/{ASSET}")
    assert asset.headers["content-type"].startswith(("text/javascript", "application/javascript"))
    assert asset.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert client.get("/_synovia").headers["location"] == "/_synovia/"


@pytest.mark.parametrize("path", ["assets/nothing-Bwev1mX9.js", "../system.py", "%2e%2e/system.py", "session.py"])
def test_what_is_not_there_is_not_found(folder: Path, path: str) -> None:
    assert client_of(folder).get(f"/_synovia/{path}").status_code == 404


def test_below_a_path_the_page_finds_its_files(folder: Path) -> None:
    served = client_of(folder)
    page = TestClient(served.app, root_path="/hub").get("/_synovia/")
    assert '<base href="/hub/_synovia/">' in page.text


def test_without_a_build_it_says_how_to_make_one(tmp_path: Path) -> None:
    page = client_of(tmp_path / "web").get("/_synovia/", headers={"accept": "text/html"})
    assert page.status_code == 503
    assert "npm run build" in page.text
    assert "make dashboard" in page.text
