"""Two hubs behind the proxies of ``deploy/``, as they are there: sockets, uploads, requests, and hubs that are restarted."""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
import ssl
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
import pytest

from apps import cabinet, posts, traces
from helpers.certificates import write_certificate
from helpers.forked_commands import SYNOVIA, Command
from helpers.mongod import free_port
from helpers.patience import PATIENCE
from synovia_client import Backoff, Client

DEPLOY = Path(__file__).resolve().parents[2] / "deploy"
LONGEST_ANSWER = 10.0
"""Seconds that a mutation may take while hubs are restarted; some tenths are usual, but not on a machine that is busy."""
ENVIRONMENT = {key: value for key, value in os.environ.items() if not key.startswith("SYNOVIA_")}
SETTINGS = {
    "SYNOVIA_TRUSTED_PROXIES": "127.0.0.1",
    "SYNOVIA_LIMITS_RETRY_SPREAD": "0.2",
    "SYNOVIA_LIMITS_DRAIN_TIMEOUT": "3",
}
CHECKED_EACH = "200ms"
"""How often Caddy asks for the health of a hub. Its file says 2 s, for a hub that goes on for 5 s."""
LARGE = 70_000_000
"""Bytes of a file: more than a proxy takes as a body where nobody has said otherwise, or said some dozen megabytes."""
SHUTDOWN_DELAY = {"nginx": "0", "caddy": "0.8"}
"""nginx asks for no health: it passes over whoever takes no connection."""
PATHS = f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin"


@dataclass
class Site:
    """Two hubs, and the proxy before them."""

    application: Path
    store: str
    certificate: Path
    ports: tuple[int, int]
    port: int
    shutdown_delay: str
    hubs: dict[int, Command] = field(default_factory=dict)

    @property
    def tls(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=str(self.certificate))

    def start(self, port: int) -> None:
        """Start the hub at a port, and wait until it is well."""
        arguments = ("serve", str(self.application), "--port", str(port))
        environment = {**ENVIRONMENT, **SETTINGS, "SYNOVIA_STORE": self.store}
        environment["SYNOVIA_LIMITS_SHUTDOWN_DELAY"] = self.shutdown_delay
        with (self.application.parent / f"{port}.log").open("a+") as log:
            self.hubs[port] = Command(SYNOVIA, arguments, environment, log.fileno(), log.fileno())
            deadline = time.monotonic() + PATIENCE
            while not _answers(port):
                log.seek(0)
                assert self.hubs[port].poll() is None, log.read()
                assert time.monotonic() < deadline, log.read()
                time.sleep(0.02)

    def stop(self, port: int) -> None:
        """Stop one as a service manager does, and wait for its end."""
        hub = self.hubs.pop(port)
        hub.terminate()
        hub.wait(PATIENCE)

    def client(self) -> Client:
        url = f"wss://localhost:{self.port}"
        return Client(url, ssl=self.tls, proxy=None, backoff=Backoff(initial=0.05, maximum=0.5))

    def ask(self, path: str, body: object | None = None) -> tuple[int, bytes]:
        """Make one request through the proxy."""
        data = None if body is None else json.dumps(body).encode()
        return self._send(urllib.request.Request(f"https://localhost:{self.port}{path}", data), "application/json")

    def patch(self, path: str, content: bytes) -> tuple[int, bytes]:
        """Send a whole file through the proxy."""
        request = urllib.request.Request(f"https://localhost:{self.port}{path}", content, method="PATCH")
        request.add_header("Upload-Offset", "0")
        return self._send(request, "application/octet-stream")

    def _send(self, request: urllib.request.Request, kind: str) -> tuple[int, bytes]:
        request.add_header("Content-Type", kind)
        opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=self.tls)
        )
        try:
            with closing(opener.open(request, timeout=PATIENCE)) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read()


def _answers(port: int) -> bool:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with closing(opener.open(f"http://127.0.0.1:{port}/health", timeout=PATIENCE)) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def _program(name: str) -> str:
    return shutil.which(name, path=PATHS) or pytest.skip(f"there is no {name} (apt-get install {name})")


def _with_ports(text: str, site: Site) -> str:
    for number, port in enumerate(site.ports, 1):
        text = text.replace(f"hub-{number}:8000", f"127.0.0.1:{port}")
    return text


@contextmanager
def nginx(site: Site, folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    text = _with_ports((DEPLOY / "nginx.conf").read_text(encoding="utf-8"), site)
    text = text.replace("listen 443 ssl", f"listen 127.0.0.1:{site.port} ssl")
    text = text.replace("server_name synovia.example.org", "server_name localhost")
    text = re.sub(r"/etc/ssl/synovia\.(pem|key)", str(site.certificate), text)
    places = "".join(
        f"{kind}_temp_path {folder}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    whole = f"daemon off; pid {folder}/pid; error_log stderr; events {{}} http {{ access_log off; {places} {text} }}"
    (folder / "nginx.conf").write_text(whole, encoding="utf-8")
    command = [_program("nginx"), "-p", str(folder), "-e", "stderr", "-c", str(folder / "nginx.conf")]
    with (folder / "log").open("wb") as log, subprocess.Popen(command, stderr=log) as process:
        try:
            yield process
        finally:
            process.terminate()


@contextmanager
def caddy(site: Site, folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    text = _with_ports((DEPLOY / "Caddyfile").read_text(encoding="utf-8"), site)
    text = text.replace("health_interval 2s", f"health_interval {CHECKED_EACH}")
    own = f"localhost:{site.port} {{\n\tbind 127.0.0.1\n\ttls {site.certificate} {site.certificate}"
    text = "{\n\tadmin off\n\tauto_https off\n}\n" + text.replace("synovia.example.org {", own)
    (folder / "Caddyfile").write_text(text, encoding="utf-8")
    environment = {**os.environ, "HOME": str(folder), "XDG_DATA_HOME": str(folder), "XDG_CONFIG_HOME": str(folder)}
    command = [_program("caddy"), "run", "--config", str(folder / "Caddyfile"), "--adapter", "caddyfile"]
    with (folder / "log").open("wb") as log, subprocess.Popen(command, stderr=log, env=environment) as process:
        try:
            yield process
        finally:
            process.terminate()


PROXIES = {"nginx": nginx, "caddy": caddy}


@pytest.fixture(params=PROXIES)
def site(request: pytest.FixtureRequest, mongodb_uri: str, database_name: str, tmp_path: Path) -> Iterator[Site]:
    _program(request.param)
    application = tmp_path / "application"
    application.mkdir()
    for module in (cabinet, posts, traces):
        shutil.copy(str(module.__file__), application)
    found = Site(
        application,
        urlsplit(mongodb_uri)._replace(path=f"/{database_name}").geturl(),
        write_certificate(tmp_path / "site.pem"),
        (free_port(), free_port()),
        free_port(),
        SHUTDOWN_DELAY[request.param],
    )
    try:
        for port in found.ports:
            found.start(port)
        with tempfile.TemporaryDirectory() as folder, PROXIES[request.param](found, Path(folder)) as proxy:
            _await(found, proxy, Path(folder) / "log")
            yield found
    finally:
        for hub in found.hubs.values():
            hub.terminate()
        for port in [*found.hubs]:
            found.stop(port)


def _await(site: Site, proxy: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        assert proxy.poll() is None, log.read_text()
        try:
            if site.ask("/health")[0] == 200:
                return
        except OSError:
            time.sleep(0.02)
    raise AssertionError(log.read_text())


async def test_sockets_uploads_and_requests(site: Site) -> None:
    async with asyncio.timeout(PATIENCE):
        seen = set[int]()
        while len(seen) < 2:  # connections are spread over both
            async with site.client() as client:
                seen.add(await client.query("posts:process"))
        async with (
            site.client() as writer,
            site.client() as reader,
            reader.subscribe("posts:texts", {"wall": "w"}) as live,
        ):
            await writer.mutation("posts:post", {"wall": "w", "text": "hello"})
            async for texts in live:
                if texts == ["hello"]:
                    break
            samples = np.arange(500_000.0)  # 4 MB, more than a proxy takes as the body of a request
            trace = await writer.mutation("traces:keep", {"samples": samples})
            found = await reader.query("traces:read", {"traceId": trace})
            assert np.array_equal(await reader.array(found["samples"]), samples)
            part = {
                "path": "traces:read",
                "args": {"traceId": trace},
                "digest": found["samples"].digest.hex(),
                "start": 5,
            }
            status, body = await asyncio.to_thread(site.ask, "/api/array", {**part, "stop": 9})
            assert (status, np.frombuffer(body, "<f8").tolist()) == (200, [5.0, 6.0, 7.0, 8.0])
        posted = {"path": "posts:post", "args": {"wall": "w", "text": "by HTTP"}}
        assert (await asyncio.to_thread(site.ask, "/api/mutation", posted))[0] == 200
        assert (await asyncio.to_thread(site.ask, "/metrics"))[0] == 404


async def test_a_file_larger_than_most_proxies_take_comes_in_one_request(site: Site) -> None:
    async with asyncio.timeout(PATIENCE):
        content = bytes(LARGE)
        told = {"path": "cabinet:keep", "name": "film.bin", "type": "application/octet-stream", "size": LARGE}
        status, answer = await asyncio.to_thread(site.ask, "/api/uploads", told)
        assert status == 201, answer
        upload = json.loads(answer)["upload"]
        assert (await asyncio.to_thread(site.patch, f"/api/uploads/{upload}", content))[0] == 204
        kept = {"path": "cabinet:keep", "args": {"upload": upload}}
        assert (await asyncio.to_thread(site.ask, "/api/mutation", kept))[0] == 200


async def test_hubs_are_restarted_one_by_one_and_no_client_notices(site: Site) -> None:
    sent: list[str] = []
    slowest = gap = 0.0
    done = asyncio.Event()
    answers = Counter[int]()

    async def ask(kind: str, function: str, **args: str) -> int:
        asked = 0
        while not done.is_set():
            status, _ = await asyncio.to_thread(site.ask, f"/api/{kind}", {"path": function, "args": args})
            answers[status] += 1
            asked += 1
            await asyncio.sleep(0.01)
        return asked

    async def write(client: Client, name: str) -> None:
        nonlocal slowest
        while not done.is_set():
            text, began = f"{name} {len(sent)}", time.perf_counter()
            sent.append(text)
            await client.mutation("posts:post", {"wall": "w", "text": text})
            slowest = max(slowest, time.perf_counter() - began)
            await asyncio.sleep(0.02)

    async def read(client: Client) -> list[str]:
        nonlocal gap
        texts: list[str] = []
        async with client.subscribe("posts:texts", {"wall": "w"}) as live:
            told = time.perf_counter()
            async for texts in live:
                gap = max(gap, time.perf_counter() - told)
                told = time.perf_counter()
                if "the last" in texts:
                    break
        return texts

    async with asyncio.timeout(2 * PATIENCE), site.client() as first, site.client() as second, site.client() as third:
        reading = asyncio.create_task(read(third))
        writing = asyncio.gather(write(first, "first"), write(second, "second"))
        asking = asyncio.gather(
            ask("mutation", "posts:post", wall="h", text="by HTTP"),
            ask("query", "posts:process"),
            ask("query", "posts:process"),
        )
        for port in site.ports:
            await asyncio.to_thread(site.stop, port)
            assert (await asyncio.to_thread(site.ask, "/health/live"))[0] == 200, "the other one answers"
            await asyncio.to_thread(site.start, port)
            while len(sent) % 10:  # noqa: ASYNC110 (some more on both)
                await asyncio.sleep(0.01)
        done.set()
        await writing
        posted, *_ = await asking
        await first.mutation("posts:post", {"wall": "w", "text": "the last"})
        sent.append("the last")
        assert sorted(await reading) == sorted(sent), "each once, and the reader has seen them"
        assert len(await first.query("posts:texts", {"wall": "h"})) == posted
    print(f"{len(sent)} mutations, the slowest took {slowest:.2f} s; requests over HTTP by status: {dict(answers)}")
    print(f"a live query was told nothing new for {gap:.2f} s at most")
    assert [*answers] == [200]
    assert slowest < LONGEST_ANSWER
