"""A model may name what is declared below it, also where nothing of it has been validated yet."""

from __future__ import annotations

from apps import forward
from synovia.functions.registry import collect
from synovia.schema.untyped import untyped_fields
from synovia.testing import TestApp


async def test_a_field_deep_inside_is_compared() -> None:
    async with TestApp(collect("forward", [forward])) as app:
        person = await app.caller().mutation("forward:add", {"name": "Ann"})
        assert await app.caller().query("forward:listed_by", {"personId": person}) == []


def test_what_may_be_anything_is_found_deep_inside() -> None:
    assert set(untyped_fields(forward.Form).fields) == {"sheet"}
