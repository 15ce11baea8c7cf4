"""A name that is spelled otherwise, or nearly so, is found among others, and how long anybody's may be is bounded."""

from __future__ import annotations

import pytest

from synovia_protocol.spelling import letters, nearest


@pytest.mark.parametrize("name", ["play_count", "playCount", "PlayCount", "play-count", "play count"])
def test_all_ways_of_writing_a_name_are_the_same(name: str) -> None:
    assert letters(name) == "playcount"
    assert nearest(name, ["title", "play_count"]) == "play_count"


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("titel", "title"),
        ("tite", "title"),
        ("playCuont", "play_count"),
        ("author", None),
        ("", None),
        ("t" * 41, None),
    ],
)
def test_the_nearest_is_found_if_one_is_near(name: str, found: str | None) -> None:
    assert nearest(name, ["title", "play_count", "t" * 40]) == found
