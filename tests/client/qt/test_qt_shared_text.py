"""A text field that is a shared text, on a real hub; under both bindings."""

from __future__ import annotations

import pytest

from client.qt.scenes import BINDINGS, play

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("binding", BINDINGS)
def test_two_who_write(binding: str) -> None:
    play(binding, "client.qt.shared_text_scenes:two_who_write", in_full=True)
