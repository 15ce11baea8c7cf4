"""``synovia doctor`` and ``reset``: what is wrong and its mend; a database without documents, after a question."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from apps import moved_chat, posts
from cli.command_line import server, synovia
from helpers.convex_exports import chat, write_export
from synovia.export.writing import IMPORTS
from synovia.schema import Document, TableSpec
from synovia.store import open_store
from synovia.store.base import Batch, Write

CHAT, POSTS = Path(moved_chat.__file__), Path(posts.__file__)


def found(*arguments: str, code: int = 0, **environment: str) -> dict[tuple[str, str], dict[str, Any]]:
    done = synovia("doctor", *arguments, "--json", **environment)
    assert done.returncode == code, done.stdout + done.stderr
    return {(each["level"], each["subject"]): each for each in json.loads(done.stdout)}


@pytest.fixture
def database(tmp_path: Path) -> str:
    store = f"sqlite:///{tmp_path / 'chat.db'}"
    export = write_export(tmp_path / "export.zip", chat())
    assert synovia("import", str(export), str(CHAT), "--store", store).returncode == 0
    return store


async def put(store: str, table: str, document: Document) -> None:
    opened = open_store(store)
    await opened.open([TableSpec(table)])
    await opened.commit(Batch([Write(table, document["_id"], None, document)]))
    await opened.close()


def test_nothing_is_wrong(database: str) -> None:
    said = found(str(CHAT), "--store", database)
    assert said["ok", "documents"]["text"] == "7 documents of 2 tables read"
    assert said["note", "sign-in"]["mend"].startswith("SYNOVIA_AUTH_")
    text = synovia("doctor", str(CHAT), "--store", database).stdout
    assert "ok     documents: 7 documents" in text
    assert "mend: SYNOVIA_AUTH_" in text


async def test_what_does_not_fit_and_what_has_not_ended(database: str) -> None:
    await put(database, "users", {"_id": "bad", "name": 5, "tokenIdentifier": "x"})
    await put(database, IMPORTS.name, {"_id": "x", "file": "half.synovia"})
    said = found(str(CHAT), "--store", database, code=1)
    assert said["wrong", "documents"]["text"].startswith("users: 1 do not fit: bad: name: ")
    assert "half.synovia has not ended" in said["wrong", "import"]["text"]


def test_settings_that_cannot_work_or_are_not_safe(database: str, tmp_path: Path) -> None:
    said = found("--store", database, code=1, SYNOVIA_PORT="many")
    assert "SYNOVIA_PORT" in said["wrong", "settings"]["text"]
    said = found(
        str(CHAT), "--store", database, code=1, SYNOVIA_AUTH_SECRET="short", SYNOVIA_AUTH_GOOGLE_CLIENT_IDS="x"
    )
    assert "at least 32 characters" in said["wrong", "sign-in"]["text"]
    said = found("--store", database, code=1, SYNOVIA_DEBUG="true", SYNOVIA_HOST="0.0.0.0")
    assert "SYNOVIA_DEBUG" in said["wrong", "security"]["text"]
    assert "can be reached from other machines" in said["note", "security"]["text"]
    said = found("--store", database, code=1, SYNOVIA_TLS_CERT=str(tmp_path / "none.pem"))
    assert "none.pem" in said["wrong", "tls"]["text"]
    said = found("--store", database, SYNOVIA_TRUSTED_PROXIES="10.0.0.1", SYNOVIA_LIMITS_MAX_CONNECTIONS="9000000")
    assert "SYNOVIA_PUBLIC_URL" in said["note", "proxy"]["text"]
    assert "LimitNOFILE=9000100" in said["note", "open files"]["mend"]


def test_files_with_secrets_that_everybody_may_read(database: str, tmp_path: Path) -> None:
    secret, file = tmp_path / "secret", Path(database.removeprefix("sqlite:///"))
    secret.write_text("x" * 40)
    file.chmod(0o600)
    for mode, told in [(0o644, True), (0o640, False)]:
        secret.chmod(mode)
        said = found(str(CHAT), "--store", database, SYNOVIA_AUTH_SECRET_FILE=str(secret))
        assert (("note", "secrets") in said) == told
    file.chmod(0o604)
    said = found(str(CHAT), "--store", database)
    assert said["note", "secrets"]["text"] == f"SYNOVIA_STORE: everybody on this machine may read {file}"
    assert said["note", "secrets"]["mend"].startswith(f"chmod o= {file}")


def test_databases_that_are_not_there(tmp_path: Path) -> None:
    assert found(code=1)["wrong", "store"]["text"] == "none is named"
    said = found("--store", f"sqlite:///{tmp_path / 'none.db'}", code=1)
    assert "there is no file" in said["wrong", "store"]["text"]
    assert not (tmp_path / "none.db").exists()
    said = found("--store", "mongodb://127.0.0.1:9/x?serverSelectionTimeoutMS=100", code=1)
    assert "rs.initiate()" in said["wrong", "store"]["mend"]
    application = tmp_path / "app.py"
    application.write_text("import nothing_like_this\n")
    said = found(str(application), code=1)
    assert "app.py, line 1" in said["wrong", "application"]["text"]
    assert "is not there yet" in said["note", "store"]["text"]
    made = {*tmp_path.iterdir()} - {tmp_path / "__pycache__"}  # Python keeps what it compiles, unless it is told not to
    assert made == {application}, "nothing was made"


@pytest.mark.mongodb
def test_on_mongodb(mongodb_uri: str, database_name: str) -> None:
    store = urlsplit(mongodb_uri)._replace(path=f"/{database_name}").geturl()
    assert found(str(POSTS), "--store", store)["ok", "store"]["text"].endswith("answers")


@pytest.mark.slow
def test_beside_a_server_that_has_the_file(tmp_path: Path) -> None:
    store = f"sqlite:///{tmp_path / 'posts.db'}"
    with server("serve", str(POSTS), "--store", store, "--port", "0"):
        said = found(str(POSTS), "--store", store)
        assert "a server has it" in said["ok", "store"]["text"]
        done = synovia("reset", "--store", store, "--yes")
        assert (done.returncode, "Traceback" in done.stderr) == (4, False)


def test_a_reset_asks_somebody_or_is_told_not_to(database: str) -> None:
    assert synovia("key", "create", "ops", "--role", "operator", "--store", database).returncode == 0
    done = synovia("reset", "--store", database)
    assert (done.returncode, "--yes" in done.stderr) == (2, True)
    assert found(str(CHAT), "--store", database)["ok", "documents"]["text"].startswith("7 documents")
    done = synovia("reset", "--store", database, "--yes")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[:2] == ["messages: 5 documents deleted", "users: 2 documents deleted"]
    assert found(str(CHAT), "--store", database)["ok", "documents"]["text"].startswith("0 documents")
    assert "ops" in synovia("key", "list", "--store", database).stdout
    assert synovia("reset", "--store", database + ".none", "--yes").returncode == 4
