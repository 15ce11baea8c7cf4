"""An application's web page: the files that its build has made, served at ``/``."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterable
from html import escape
from pathlib import Path

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.staticfiles import NotModifiedResponse, StaticFiles
from starlette.types import Receive, Scope, Send

from synovia.http.proxies import prefix_of

FOLDER = "web"
INDEX = "index.html"
_ENCODINGS = (("br", ".br"), ("gzip", ".gz"))
_HASHED = re.compile(r"/assets/[^/]*[-.](?=[a-z_-]*[A-Z0-9])[A-Za-z0-9_-]{8}\.\w+\Z")
_BASE = b'<base href="/'
_FOR_EVER = "public, max-age=31536000, immutable"
_ASK_AGAIN = "no-cache"
_PLAIN = {"content-security-policy": "default-src 'none'; style-src 'unsafe-inline'", "cache-control": "no-store"}


def page_route(folder: Path | None, others: Iterable[BaseRoute], home: Path | None = None) -> Route:
    """Make the route of a page; it comes after all others.

    Args:
        folder: Where the built files are; None: there is no page.
        others: The other routes; what is below their first words is theirs, also where there is nothing.
        home: The application's folder, if whoever looks may be told how a page gets there.
    """
    reserved = {getattr(route, "path", "").split("/")[1] for route in others if "/" in getattr(route, "path", "")}
    words = frozenset(word for word in reserved if word and "{" not in word)
    return Route("/{path:path}", Page(folder, words, home), include_in_schema=False)


class Page:
    """An ASGI application that serves a built page.

    Files in ``assets/`` with a hash in their names never change, and browsers keep them; all others are asked for again,
    and answered with 304 while they are the same. Where the build has left ``FILE.br`` or ``FILE.gz`` beside a file, that
    is sent to who takes it. Any other path that a browser opens is the page's own: it gets ``index.html``.

    Args:
        folder: Where the files are; it may come into being later.
        reserved: First words of paths that are not the page's.
    """

    def __init__(self, folder: Path | None, reserved: frozenset[str] = frozenset(), home: Path | None = None) -> None:
        self._folder = folder
        self._files = None if folder is None else StaticFiles(directory=folder, check_dir=False)
        self._reserved = reserved
        self._home = home
        self._tags: dict[tuple[str, int, int], str] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one HTTP request."""
        response = await run_in_threadpool(self._respond, Request(scope))
        await response(scope, receive, send)

    def _respond(self, request: Request) -> Response:
        asked = str(request.path_params.get("path", request.scope["path"])).lstrip("/")
        path = os.path.normpath(asked) if asked else INDEX
        found = self._find(path) or (self._find(INDEX) if self._is_own(request, path) else None)
        if request.method not in ("GET", "HEAD"):
            raise HTTPException(405 if found else 404, headers={"Allow": "GET, HEAD"} if found else None)
        if found is not None:
            return self._file(request, *found)
        if path == INDEX:
            return HTMLResponse(_no_page(self._home), 404, headers=_PLAIN)
        raise HTTPException(404)

    def _is_own(self, request: Request, path: str) -> bool:
        """Whether a path that is no file is one of the page's own views, not that of a missing file or of another route."""
        first, last = path.split("/")[0], path.rsplit("/")[-1]
        wanted = "text/html" in request.headers.get("accept", "")
        return wanted and request.method in ("GET", "HEAD") and first not in self._reserved and "." not in last

    def _find(self, path: str) -> tuple[str, os.stat_result] | None:
        if self._files is None:
            return None
        try:
            full, stat = self._files.lookup_path(path)
        except (OSError, ValueError):  # a name that no file can have
            return None
        return (full, stat) if stat is not None and os.path.isfile(full) else None

    def _file(self, request: Request, full: str, stat: os.stat_result) -> Response:
        prefix = prefix_of(request.scope)
        if prefix and os.path.basename(full) == INDEX:
            return _below(prefix, Path(full).read_bytes(), request)
        sent, sent_stat, encoding = self._encoded(request, full, stat)
        headers = {"cache-control": _FOR_EVER if _HASHED.search(full) else _ASK_AGAIN, "vary": "accept-encoding"}
        headers["etag"] = self._tag(sent, sent_stat)
        if encoding:
            headers["content-encoding"] = encoding
        media_type = FileResponse(full).media_type
        response = FileResponse(sent, stat_result=sent_stat, headers=headers, media_type=media_type)
        # By its content only: installed files all carry one and the same time.
        known = request.headers.get("if-none-match", "")
        if known.strip() == "*" or headers["etag"] in (tag.strip().removeprefix("W/") for tag in known.split(",")):
            return NotModifiedResponse(response.headers)
        return response

    def _encoded(self, request: Request, full: str, stat: os.stat_result) -> tuple[str, os.stat_result, str]:
        taken = _taken(request.headers.get("accept-encoding", ""))
        for encoding, suffix in _ENCODINGS:
            packed = full + suffix
            if encoding in taken and os.path.isfile(packed):
                return packed, os.stat(packed), encoding
        return full, stat, ""

    def _tag(self, full: str, stat: os.stat_result) -> str:
        # Of the content: files of one size from two builds may well carry the same time.
        key = (full, stat.st_mtime_ns, stat.st_size)
        if key not in self._tags:
            if len(self._tags) > 1_000:
                self._tags.clear()
            self._tags[key] = f'"{hashlib.sha256(Path(full).read_bytes()).hexdigest()[:32]}"'
        return self._tags[key]


def _below(prefix: str, page: bytes, request: Request) -> Response:
    """Give a page that is reached below a path: its ``<base>`` says so, which all its relative addresses follow."""
    content = page.replace(_BASE, f'<base href="{escape(prefix)}/'.encode(), 1)
    tag = f'"{hashlib.sha256(content).hexdigest()[:32]}"'
    headers = {"cache-control": _ASK_AGAIN, "etag": tag}
    if request.headers.get("if-none-match", "").removeprefix("W/") == tag:
        return Response(status_code=304, headers=headers)
    return HTMLResponse(content, headers=headers)


def _taken(header: str) -> set[str]:
    """Give the encodings that a client takes."""
    parts = [part.strip().split(";") for part in header.lower().split(",")]
    return {part[0] for part in parts if not any(re.fullmatch(r"\s*q=0(\.0*)?\s*", each) for each in part[1:])}


def _no_page(home: Path | None) -> str:
    told = "<p>This application has no web page. Clients connect to <code>/sync</code>.</p>"
    sources = None if home is None else next((file.parent for file in sorted(home.glob("*/package.json"))), None)
    if sources is not None:
        told = f"""<p>The page of this application has not been built yet. Building it needs
            <a href="https://nodejs.org">Node.js</a> 20 or later; then:</p>
            <pre>cd {escape(str(sources))}\nnpm ci\nnpm run build</pre>
            <p>and load this page again. Clients can connect to <code>/sync</code> already.</p>"""
    elif home is not None:
        told += f"<p>If it is to have one, put it into <code>{escape(str(home / FOLDER))}</code>.</p>"
    style = (
        "body{font:16px/1.5 system-ui,sans-serif;max-width:40em;margin:4em auto;padding:0 1em;color-scheme:light dark}"
    )
    return f"""<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
        <title>Synovia</title><style>{style}</style><h1>Synovia is running</h1>{told}</html>"""
