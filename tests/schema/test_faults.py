"""What a table refuses lists each fault with its place, as arguments that do not fit do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from pydantic import Field

from synovia import InvalidArguments, Model, Table
from synovia.functions.given import brought
from synovia.schema import field_of


class Speaker(Model):
    full_name: str = Field(min_length=1)


class Talk(Table, name="talks_of_faults"):
    title: str = Field(min_length=1)
    starts_at: int = 0
    speakers: list[Speaker] = Field(default=[], max_length=2)


def made(**fields: Any) -> Callable[[], object]:
    return lambda: Talk(**fields)


@pytest.mark.parametrize(
    ("give", "places"),
    [
        (made(), ["title"]),
        (made(title="", starts_at="soon"), ["title", "startsAt"]),
        (made(title="t", speakers=[{"full_name": "Ada"}, {"full_name": ""}]), ["speakers.1.full_name"]),
        (made(title="t", speakers=[{"full_name": "A"}] * 3), ["speakers"]),
        (lambda: Talk(title="t").model_copy(update={"title": ""}), ["title"]),
        (lambda: brought(Talk, {"starts_at": "soon"}), ["startsAt"]),
        (lambda: brought(Talk, {"titel": "t"}), ["titel"]),
        (lambda: brought(Talk, {"id": "t"}), ["id"]),
        (lambda: field_of(Talk, "starts_at").equal("soon"), ["startsAt"]),
    ],
)
def test_each_fault_has_its_place(give: Callable[[], object], places: list[str]) -> None:
    with pytest.raises(InvalidArguments) as refused:
        give()
    assert [fault["at"] for fault in refused.value.data] == places
    assert refused.value.message.startswith("talks_of_faults")
    assert all(fault["message"] for fault in refused.value.data)
