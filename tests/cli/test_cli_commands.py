from __future__ import annotations

import json
import re
import signal
from pathlib import Path

import pytest

from cli.command_line import BOARD, server, synovia
from synovia.cli.application import development_store, is_local, without_password
from synovia.cli.server import listen

BULLETIN = Path(__file__).parents[1] / "apps" / "bulletin.py"


# --- run


@pytest.mark.slow
def test_run_calls_functions_of_every_kind_and_keeps_what_they_write(tmp_path: Path) -> None:
    store = ("--store", f"sqlite:///{tmp_path / 'x.db'}")
    posted = synovia("run", str(BOARD), "notes:post", '{"board": "a", "text": "hello"}', *store)
    assert posted.returncode == 0, posted.stderr
    note_id = json.loads(posted.stdout)
    (note,) = json.loads(synovia("run", str(BOARD), "notes:on_board", '{"board": "a"}', *store).stdout)
    assert (note["_id"], note["text"]) == (note_id, "hello")
    text = synovia("run", str(BOARD), "notes:long_text", '{"length": 5}', SYNOVIA_STORE=store[1])
    assert json.loads(text.stdout) == "xxxxx"
    assert synovia("run", str(BOARD), "notes:hidden", *store).returncode == 0


def test_run_as_somebody_only_on_a_store_of_this_machine() -> None:
    there = synovia("run", str(BOARD), "notes:who_am_i", "--as", "alice@example.org", "--store", "sqlite://:memory:")
    assert json.loads(there.stdout) == "alice@example.org"
    claims = ("bulletin:claims", "--as", "alice@example.org?org=acme&level:=3", "--store", "sqlite://:memory:")
    assert json.loads(synovia("run", str(BULLETIN), *claims).stdout) == {"org": "acme", "level": 3}
    away = ("--store", "mongodb://db.example.org/x")
    elsewhere = synovia("run", str(BOARD), "notes:who_am_i", "--as", "alice@example.org", *away)
    assert elsewhere.returncode == 2
    assert "only on an embedded store" in elsewhere.stderr


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("notes:nothing",), 1, "unknown_function"),
        (("notes:on_board", "{}"), 1, "invalid_arguments"),
        (("notes:fail",), 1, "the secret of the mutation"),
        (("notes:on_board", "{board"), 2, "not JSON"),
        (("notes:on_board", "[1]"), 2, "one JSON object"),
        (("notes:who_am_i", "--as", "nobody"), 1, "not an e-mail address"),
        (("notes:who_am_i", "--as", "alice@example.org?org"), 1, "is no claim"),
    ],
)
def test_run_tells_what_is_wrong(arguments: tuple[str, ...], code: int, said: str) -> None:
    ended = synovia("run", str(BOARD), *arguments, "--store", "sqlite://:memory:")
    assert ended.returncode == code
    assert said in re.sub(r"\s+", " ", ended.stderr)


# --- what stops a server from starting


@pytest.mark.parametrize("command", ["dev", "serve", "run"])
def test_no_such_application(command: str, tmp_path: Path) -> None:
    more = ("a:b",) if command == "run" else ()
    ended = synovia(command, str(tmp_path / "nothing"), *more, "--store", "sqlite://:memory:")
    assert ended.returncode == 2
    assert ended.stderr.startswith("error: there is no application at")
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("import os\n\ndef broken(:\n", r"broken_app\.py, line 3: SyntaxError"),
        ("import os\n\nimport no_such_module\n", r"broken_app\.py, line 3: ModuleNotFoundError: No module"),
        (
            "from synovia import query\n\n@query(public=True)\nasync def f(ctx, x) -> int:\n    return 1\n",
            r"f: argument 'x' has no annotation",
        ),
        (
            "import numpy as np\nfrom synovia import Table\n\nclass A(Table):\n    x: np.ndarray\n",
            r"line 4: .*<class 'numpy\.ndarray'>; a field of samples is a Float64Array, or an Array",
        ),
    ],
)
@pytest.mark.parametrize("command", ["dev", "serve"])
@pytest.mark.slow
def test_an_application_that_fails_says_where(command: str, source: str, said: str, tmp_path: Path) -> None:
    path = tmp_path / "broken_app.py"
    path.write_text(source)
    ended = synovia(command, str(path), "--port", "0", "--store", "sqlite://:memory:")
    assert ended.returncode == 2
    assert re.search(said, ended.stderr, re.MULTILINE)
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize("command", ["dev", "serve"])
def test_a_port_in_use(command: str) -> None:
    with listen("127.0.0.1", 0) as listener:
        port = str(listener.getsockname()[1])
        ended = synovia(command, str(BOARD), "--port", port, "--store", "sqlite://:memory:")
    assert ended.returncode == 3
    assert f"another program listens on 127.0.0.1:{port}" in ended.stderr


@pytest.mark.parametrize(
    ("store", "said"),
    [
        ("sqlite:////dev/null/x.db", "cannot be opened"),
        ("redis://127.0.0.1", "names no store"),
        ("mongodb://127.0.0.1:1/x?serverSelectionTimeoutMS=200&connectTimeoutMS=200", "127.0.0.1:1"),
    ],
)
def test_a_store_that_cannot_be_reached(store: str, said: str) -> None:
    ended = synovia("serve", str(BOARD), "--port", "0", "--store", store)
    assert ended.returncode == 4
    assert ended.stderr.startswith("error: the store:")
    assert said in ended.stderr
    assert "Traceback" not in ended.stderr


def test_serve_needs_a_store() -> None:
    ended = synovia("serve", str(BOARD))
    assert ended.returncode == 2
    assert "SYNOVIA_STORE" in ended.stderr


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SYNOVIA_PORT", "many"),
        ("SYNOVIA_LIMITS_MAX_ACTIONS", "0"),
        ("SYNOVIA_LIMITS_MAX_ACTION", "1"),
        ("SYNOVIA_HTTP_MAX_BODY", "1"),
        ("SYNOVIA_AUTH_ISSUERS", "no JSON"),
    ],
)
def test_a_setting_that_makes_no_sense(name: str, value: str) -> None:
    ended = synovia("dev", str(BOARD), **{name: value})
    assert ended.returncode == 2
    assert name in ended.stderr or "auth" in ended.stderr
    assert "Traceback" not in ended.stderr


# --- serving


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("options", [("serve",), ("dev",), ("dev", "--no-reload")], ids=" ".join)
def test_a_server_says_where_it_is_and_stops_cleanly(options: tuple[str, ...], number: signal.Signals) -> None:
    command, *flags = options
    with server(command, str(BOARD), *flags, "--port", "0", "--store", "sqlite://:memory:") as process:
        process.send_signal(number)
        rest = process.ended()
        assert process.returncode == 0
    assert process.url().startswith("ws://")
    assert "notes:on_board" in process.banner
    assert ("dev:alice@example.org" in process.banner) is (command == "dev")
    assert "Traceback" not in rest


def test_development_sign_in_is_not_offered_beyond_loopback() -> None:
    with server("dev", str(BOARD), "--no-reload", "--host", "0.0.0.0", "--port", "0") as process:
        assert "nobody can" in process.banner


# --- addresses


def test_the_development_store_is_beside_the_application(tmp_path: Path) -> None:
    assert development_store(tmp_path) == f"sqlite:///{tmp_path.resolve()}/.synovia/dev.db"
    file = tmp_path / "app.py"
    file.touch()
    assert development_store(file) == f"sqlite:///{tmp_path.resolve()}/.synovia/dev.db"


@pytest.mark.parametrize(
    ("store", "local"),
    [
        ("sqlite://:memory:", True),
        ("sqlite:///x.db", True),
        ("mongodb://127.0.0.1:27017/x", True),
        ("mongodb://user:secret@localhost,127.0.0.1:27018/x", True),
        ("mongodb://[::1]:27017/x", True),
        ("mongodb://localhost,db.example.org/x", False),
        ("mongodb+srv://localhost/x", False),
        ("mongodb://db.example.org/x", False),
    ],
)
def test_which_stores_are_of_this_machine(store: str, local: bool) -> None:
    assert is_local(store) is local


def test_a_password_is_not_shown() -> None:
    assert without_password("mongodb://user:secret@db/x") == "mongodb://user:***@db/x"
    assert without_password("sqlite:///x.db") == "sqlite:///x.db"
