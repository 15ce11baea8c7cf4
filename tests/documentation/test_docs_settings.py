"""The tables of settings in the documentation name every setting, and its default."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import BaseModel
from typer.main import get_command

from synovia.auth.settings import AuthSettings
from synovia.cli.commands import app
from synovia.config import Settings
from synovia.files.settings import FileSettings
from synovia.http.settings import HttpSettings
from synovia.hubs.settings import HubsSettings
from synovia.limits.settings import HubLimits
from synovia.maintenance import ArraySettings
from synovia.migrations.settings import DocumentSettings
from synovia.scheduler.settings import SchedulerSettings
from synovia.sealing.settings import EncryptionSettings

DOCS = Path(__file__).resolve().parents[2] / "docs"
UNITS = {"": 1, "MiB": 1 << 20, "GiB": 1 << 30, "days": 86_400}
SECTIONS = {name for name, field in Settings.model_fields.items() if isinstance(field.default, BaseModel)}

TABLES = [
    (
        "operations.md",
        "SYNOVIA_",
        [
            ("", Settings),
            ("ARRAYS_", ArraySettings),
            ("DOCUMENTS_", DocumentSettings),
            ("ENCRYPTION_", EncryptionSettings),
            ("FILES_", FileSettings),
            ("HUBS_", HubsSettings),
        ],
    ),
    ("operations.md", "", [("", HubLimits)]),
    ("security.md", "", [("", AuthSettings)]),
    ("scheduling.md", "", [("", SchedulerSettings)]),
    ("http.md", "SYNOVIA_HTTP_", [("", HttpSettings)]),
]


@pytest.mark.parametrize(("page", "prefix", "models"), TABLES)
def test_every_setting_is_there_with_its_default(
    page: str, prefix: str, models: list[tuple[str, type[BaseModel]]]
) -> None:
    defaults = {
        f"{prefix}{part}{name}".upper(): field.default
        for part, model in models
        for name, field in model.model_fields.items()
        if name not in SECTIONS or model is not Settings
    }
    written = next(table for table in tables(page) if table.keys() & defaults.keys())
    assert written.keys() == defaults.keys()
    for name, default in defaults.items():
        if isinstance(default, (bool, int, float, str)) and "://" not in str(default):
            assert written[name] == default, name


def test_the_flags_are_those_of_serve() -> None:
    page = (DOCS / "operations.md").read_text(encoding="utf-8")
    rows = [line.split("|")[2] for line in page.splitlines() if line.startswith("| `SYNOVIA_")]
    commands = get_command(app).commands  # type: ignore[attr-defined]
    flags = {
        option for shown in commands["serve"].params if not getattr(shown, "hidden", False) for option in shown.opts
    }
    assert {flag for row in rows for flag in re.findall(r"--[a-z-]+", row)} == flags - {"path"}


def test_secrets_have_no_flag_and_may_come_from_a_file() -> None:
    for model in (Settings, AuthSettings, HubsSettings):
        secrets = {name for name, field in model.model_fields.items() if "SecretStr" in str(field.annotation)}
        assert secrets
        assert {f"{name}_file" for name in secrets} <= model.model_fields.keys()


def tables(page: str) -> Iterator[dict[str, object]]:
    """Give the settings of each table of a page: the default as it is written, by the name in full."""
    for block in re.findall(r"(?:^\|.*\n)+", (DOCS / page).read_text(encoding="utf-8"), re.MULTILINE):
        rows = [re.split(r" *\| *", line)[1:-1] for line in block.splitlines()[2:]]
        width = 2 if "flag" in block.splitlines()[0] else 1
        yield {name: value for row in rows if len(row) > width for name, value in settings(row[0], row[width])}


def settings(cell: str, defaults: str) -> Iterator[tuple[str, object]]:
    """Give the names in a cell with their defaults; ``..._FILE`` goes on where the name before it ends."""
    found: list[str] = []
    for name in re.findall(r"`([A-Z._]+)`", cell):
        found.append(f"{found[0]}{name.removeprefix('...')}" if name.startswith("...") else name)
    values = defaults.split(", ") if defaults.count(", ") == len(found) - 1 else [defaults] * len(found)
    yield from ((name, value(text)) for name, text in zip(found, values, strict=True))


def value(text: str) -> object:
    """Read a default: a word between backticks, true or false, or a number with its unit."""
    if match := re.fullmatch(r"`([^`]*)`(?: .*)?", text):
        return int(match[1]) if match[1].isdecimal() else match[1]
    if text in ("true", "false"):
        return text == "true"
    if match := re.match(r"([\d,]+) ?(MiB|GiB|days|)", text):
        return int(match[1].replace(",", "")) * UNITS[match[2]]
    return text
