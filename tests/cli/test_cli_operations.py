"""Commands beside a running server: an embedded store belongs to that server, so it is the one that does them."""

from __future__ import annotations

import asyncio
import json
import os
import stat
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from apps import posts
from cli.command_line import synovia
from synovia import FunctionError
from synovia.app import Synovia
from synovia.cli.operations import answering, ask_hub, operate, socket_path
from synovia.config import Settings
from synovia.functions.registry import collect

POSTS = Path(posts.__file__)
REGISTRY = collect("posts", [posts])


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[str]:
    """Give the address of a store that a hub in this process has."""
    where = f"sqlite:///{tmp_path / 'hub.db'}"
    app = Synovia(REGISTRY, settings=Settings(store=where))
    async with app.lifespan(), answering(app, where):
        yield where


async def beside(*arguments: str) -> tuple[int, str, str]:
    ended = await asyncio.to_thread(synovia, *arguments)
    return ended.returncode, ended.stdout, ended.stderr


async def test_run_asks_the_server_that_has_the_store(store: str) -> None:
    code, _, _ = await beside("run", str(POSTS), "posts:post", '{"wall": "w", "text": "ünï"}', "--store", store)
    assert code == 0
    code, out, _ = await beside("run", str(POSTS), "posts:process", "--store", store)
    assert (code, json.loads(out)) == (0, os.getpid())
    code, out, _ = await beside("run", str(POSTS), "posts:texts", '{"wall": "w"}', "--store", store)
    assert json.loads(out) == ["ünï"]
    code, _, err = await beside("run", str(POSTS), "posts:no_such", "--store", store)
    assert (code, "unknown_function" in err) == (1, True)


async def test_keys_are_made_listed_and_revoked_beside_it(store: str) -> None:
    code, token, _ = await beside("key", "create", "billing", "--role", "service", "--store", store)
    assert code == 0
    assert token.startswith("synovia-key-")
    _, out, _ = await beside("key", "list", "--json", "--store", store)
    [key] = json.loads(out)
    assert (key["name"], key["roles"], key["revokedAt"]) == ("billing", ["service"], None)
    assert token.strip() not in out
    assert (await beside("key", "revoke", key["id"], "--store", store))[0] == 0
    assert (await beside("key", "revoke", key["id"], "--store", store))[0] == 1


async def test_only_its_own_user_can_open_the_socket(store: str) -> None:
    path = socket_path(store)
    assert path is not None
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


async def test_without_a_server_it_is_done_here_also_after_one_was_killed(tmp_path: Path) -> None:
    where = f"sqlite:///{tmp_path / 'hub.db'}"
    path = socket_path(where)
    assert path is not None
    listener = await asyncio.start_unix_server(lambda reader, writer: None, path)
    listener.close()  # as a killed hub leaves it: the file is there, and nobody listens
    await listener.wait_closed()
    path.touch()
    made = Synovia(REGISTRY, settings=Settings(store=where))
    assert await operate(lambda: made, where, "call", {"path": "posts:process", "args": {}}) == os.getpid()


@pytest.mark.parametrize("line", [b"\n", b"nonsense\n", b"[]\n", b'{"operation": "no"}\n', b"x" * 100])
async def test_nonsense_on_the_socket_harms_nobody(store: str, line: bytes) -> None:
    path = socket_path(store)
    assert path is not None
    reader, writer = await asyncio.open_unix_connection(path)
    writer.write(line)
    writer.write_eof()
    answer = await reader.read()
    writer.close()
    assert answer == b"" or json.loads(answer)["error"]["code"] == "bad_message"
    with pytest.raises(FunctionError):
        await operate(lambda: pytest.fail("a server runs"), store, "call", {"path": "x:y", "args": {}})


@pytest.mark.parametrize(
    ("store_url", "there"),
    [("sqlite://:memory:", False), ("mongodb://127.0.0.1/x", False), ("sqlite:///x.db", True)],
)
def test_only_a_file_has_one(store_url: str, there: bool) -> None:
    assert (socket_path(store_url) is not None) == there


def test_a_long_path_has_a_short_socket(tmp_path: Path) -> None:
    path = socket_path(f"sqlite:///{tmp_path / ('x' * 150)}.db")
    assert path is not None
    assert len(os.fsencode(path)) <= 100


@pytest.fixture
def everybodys() -> Iterator[Path]:
    """Give a folder with a short path, as that for temporary files has."""
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)


@pytest.mark.parametrize("fault", ["others may write into it", "a link to elsewhere"])
async def test_a_folder_that_others_have_made_where_everybody_may_is_not_used(
    tmp_path: Path, everybodys: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, fault: str
) -> None:
    """Who has made it could take the socket away, and be told what operators ask for."""
    monkeypatch.setattr("tempfile.tempdir", str(everybodys))
    where = f"sqlite:///{tmp_path / ('x' * 150)}.db"
    path = socket_path(where)
    assert path is not None
    if fault == "a link to elsewhere":
        (tmp_path / "elsewhere").mkdir(mode=0o700)
        path.parent.symlink_to(tmp_path / "elsewhere")
    else:
        path.parent.mkdir()
        path.parent.chmod(0o777)
    app = Synovia(REGISTRY, settings=Settings(store=where))
    async with app.lifespan(), answering(app, where):
        assert not path.exists()
        assert "commands cannot reach this hub" in caplog.text
    pretending = await asyncio.start_unix_server(lambda reader, writer: pytest.fail("it is asked"), path)
    async with pretending:
        assert await ask_hub(where, "call", {"path": "posts:process", "args": {}}) == (False, None)
