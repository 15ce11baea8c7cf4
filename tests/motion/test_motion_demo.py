"""The demonstration holds what it claims, on both stores."""

from __future__ import annotations

import pytest
from pymongo import MongoClient
from rich.console import Console

from motion.demo import story as demo
from motion.demo.show import Show


def test_embedded_store(capsys: pytest.CaptureFixture[str]) -> None:
    assert demo.main(["--store", "sqlite://:memory:"]) == 0
    shown = capsys.readouterr().out
    assert "claims were checked and held" in shown
    assert "✗" not in shown


@pytest.mark.mongodb
def test_mongodb(mongodb_uri: str, database_name: str, capsys: pytest.CaptureFixture[str]) -> None:
    base, _, options = mongodb_uri.partition("?")
    assert demo.main(["--store", f"{base.rstrip('/')}/{database_name}?{options}"]) == 0
    assert "✗" not in capsys.readouterr().out
    with MongoClient[dict[str, object]](mongodb_uri) as client:
        assert client[database_name]["recordings"].count_documents({}) == demo.EARLIER + 2


def test_store_that_is_none(capsys: pytest.CaptureFixture[str]) -> None:
    assert demo.main(["--store", "papyrus://"]) == 1
    assert "The store cannot be used" in capsys.readouterr().out


def test_a_broken_claim_is_told_and_costs_the_exit_code(capsys: pytest.CaptureFixture[str]) -> None:
    show = Show(Console())
    show.claim("the moon is round", True)
    show.claim("the moon is made of cheese", False)
    assert show.verdict() == 1
    assert "1 of 2 claims did not hold" in capsys.readouterr().out
