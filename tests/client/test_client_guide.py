"""The guide says what is there: every name and default in its text exists."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

import synovia_client
from synovia_client import Client, Subscription, SynoviaError, Timeouts
from synovia_client.state import ConnectionState

GUIDE = (Path(__file__).parents[2] / "docs" / "python-client.md").read_text()


def test_every_name_that_the_text_uses_exists() -> None:
    made = Client("ws://host")
    for name, attribute in re.findall(r"`(?:await )?(client|subscription)\.(\w+)", GUIDE):
        assert hasattr(made if name == "client" else Subscription, attribute), attribute
    for state in ConnectionState:
        assert f"`{state}`" in GUIDE
    errors = {name for name in synovia_client.__all__ if isinstance(getattr(synovia_client, name), type)}
    for name in errors:
        if issubclass(getattr(synovia_client, name), SynoviaError):
            assert f"`{name}`" in GUIDE


def test_the_time_limits_are_those_of_the_code() -> None:
    written = re.search(r"`Timeouts\((.*?)\)`", GUIDE)
    assert written is not None
    said = {name: float(value) for name, value in re.findall(r"(\w+)=([\d.]+)", written[1])}
    assert said == {field.name: getattr(Timeouts(), field.name) for field in fields(Timeouts)}
