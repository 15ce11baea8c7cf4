"""Where the log goes, and how: for people at a terminal, as lines, or as JSON for what collects logs."""

from __future__ import annotations

import datetime as dt
import json
import logging
from typing import Any

from rich.logging import RichHandler

from synovia.cli.reporting import err
from synovia.cli.visible import set_in, visible
from synovia.config import LogFormat

_OWN = frozenset(logging.makeLogRecord({}).__dict__) | {"message", "asctime"}


def log_for_people(level: str) -> None:
    """Write the log to a terminal; elsewhere, as into a file, a line stays a line however long it is."""
    if err.is_terminal:
        _log_to(RichHandler(console=err, show_path=False), level, TextFormatter("%(message)s"))
    else:
        log_for_operators(level, "text")


def log_for_operators(level: str, form: LogFormat) -> None:
    """Write the log of a hub in production."""
    text = TextFormatter("%(asctime)s %(levelname)s %(name)s: %(message)s")
    _log_to(logging.StreamHandler(), level, JsonFormatter() if form == "json" else text)


def _log_to(handler: logging.Handler, level: str, formatter: logging.Formatter) -> None:
    handler.setFormatter(formatter)
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)


class TextFormatter(logging.Formatter):
    """A record as lines, of which only the first is not set in: texts that clients have sent look like no record."""

    def format(self, record: logging.LogRecord) -> str:
        """Write a record."""
        return set_in(super().format(record))


class JsonFormatter(logging.Formatter):
    """A record as one JSON object in one line.

    It has ``time``, ``level``, ``logger``, ``message``, ``process``, what the record was given as ``extra``, and of an
    exception ``error`` with its type, message and traceback.
    """

    def format(self, record: logging.LogRecord) -> str:
        """Write a record."""
        told: dict[str, Any] = {
            "time": dt.datetime.fromtimestamp(record.created, dt.UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            "process": record.process,
            **{name: value for name, value in record.__dict__.items() if name not in _OWN},
        }
        if record.exc_info and (error := record.exc_info[1]) is not None:
            traceback = self.formatException(record.exc_info)
            told["error"] = {"type": type(error).__name__, "message": str(error), "traceback": traceback}
        return visible(json.dumps(told, ensure_ascii=False, default=str))
