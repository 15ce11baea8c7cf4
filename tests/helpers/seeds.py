"""Seeds of walks by chance on both stores: on MongoDB one takes several times as long, and does what the contract says."""

from __future__ import annotations

import pytest


def seeds(number: int, *, on_mongodb: int, deep: int = 0) -> pytest.MarkDecorator:
    """Give a test ``any_store`` and ``seed``: so many on the embedded store, the first few of them on MongoDB.

    The others are for ``pytest -m torture``, up to the number ``deep`` on both.
    """
    walks = []
    for seed in range(max(number, deep)):
        walks.append(pytest.param("sqlite", seed, marks=[pytest.mark.torture] if seed >= number else []))
        later = [pytest.mark.torture] if seed >= on_mongodb else []
        walks.append(pytest.param("mongodb", seed, marks=[pytest.mark.mongodb, *later]))
    return pytest.mark.parametrize(("any_store", "seed"), walks, indirect=["any_store"])
