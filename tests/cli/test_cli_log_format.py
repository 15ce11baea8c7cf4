"""``--log-format json``: an object in each line, also of what failed, and of every worker."""

from __future__ import annotations

import json
import logging
from pathlib import Path

import pytest

from apps import failing
from cli.command_line import server, synovia
from synovia.cli.logs import JsonFormatter, TextFormatter
from synovia_client import FunctionError
from synovia_client.blocking import BlockingClient


def _objects(text: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in text.splitlines()]


def test_a_failure_is_one_line_with_its_function_reference_and_traceback(tmp_path: Path) -> None:
    application = tmp_path / "broken.py"
    application.write_text(
        "from synovia import MutationContext, mutation\n"
        "@mutation(public=True)\n"
        "async def fall(ctx: MutationContext) -> None:\n"
        "    raise RuntimeError('two\\nlines')\n"
    )
    store = f"sqlite:///{tmp_path / 'x.db'}"
    with server("serve", str(application), "--port", "0", "--store", store, "--log-format", "json") as running:
        with BlockingClient(running.url()) as client:
            try:
                client.mutation("broken:fall")
            except Exception as error:
                told = str(error)
        running.terminate()
        rest = running.ended()
    failed = next(each for each in _objects(rest) if "function" in each)
    assert failed.items() >= {"level": "error", "logger": "synovia", "function": "broken:fall"}.items()
    assert str(failed["reference"]) in told
    fault = failed["error"]
    assert isinstance(fault, dict)
    assert (fault["type"], fault["message"]) == ("RuntimeError", "two\nlines")
    assert "broken.py" in fault["traceback"]


def test_what_cannot_be_json_is_text() -> None:
    record = logging.makeLogRecord({"msg": "%s", "args": ("ü",), "levelname": "INFO", "file": Path("x"), "n": 1})
    told = json.loads(JsonFormatter().format(record))
    assert (told["message"], told["file"], told["n"], told["level"]) == ("ü", "x", 1, "info")


HOSTILE = "no \x1b[2J\x9b31m\n2026-11-30 19:02:24,079 ERROR synovia: forged\u2028\r\u202e\ud800"


def _failed() -> logging.LogRecord:
    try:
        raise ValueError(HOSTILE)
    except ValueError as error:
        return logging.makeLogRecord({"msg": HOSTILE, "exc_info": (ValueError, error, error.__traceback__)})


def test_what_a_client_has_sent_is_no_record_of_its_own() -> None:
    told = TextFormatter("%(message)s").format(_failed())
    first, *others = told.splitlines()
    assert first == "no \\u001b[2J\\u009b31m"
    assert all(line.startswith("    ") for line in others)
    assert told.count("ERROR synovia: forged\\u2028\\u000d\\u202e\\ud800") == 2


def test_an_object_is_one_line_whatever_a_client_has_sent() -> None:
    told = JsonFormatter().format(_failed())
    assert len(told.splitlines()) == 1
    assert not {"\x1b", "\x9b", "\u202e", "\ud800"} & set(told)
    assert json.loads(told)["message"] == HOSTILE


def test_there_is_no_other_format() -> None:
    done = synovia("serve", failing.__file__, "--store", "sqlite://:memory:", "--log-format", "xml")
    assert (done.returncode, "SYNOVIA_LOG_FORMAT" in done.stderr) == (2, True)


def test_what_dev_logs_into_a_pipe_is_not_cut_into_the_lines_of_a_terminal(tmp_path: Path) -> None:
    application = tmp_path / "an_application_whose_name_is_as_long_as_a_line_of_a_terminal_or_nearly.py"
    application.write_text(
        "from synovia import MutationContext, mutation\n"
        "@mutation(public=True)\n"
        "async def fall(ctx: MutationContext) -> None:\n"
        "    raise RuntimeError('fallen')\n"
    )
    with server("dev", str(application), "--port", "0", "--no-reload") as running:
        with BlockingClient(running.url()) as client, pytest.raises(FunctionError, match="fallen"):
            client.mutation(f"{application.stem}:fall")
        running.terminate()
        rest = running.ended()
    assert f'File "{application}", line 4, in fall\n' in rest
