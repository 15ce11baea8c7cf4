"""Updates that are large are merged in a process beside the hub's, small ones where they are; both give the same."""

from __future__ import annotations

from typing import Any

import pytest
from pycrdt import Doc, Text

from synovia.processes import to_process
from synovia.shared_docs import library
from synovia.shared_docs.library import SMALL, merged, merging
from synovia.shared_docs.structure import InvalidUpdate


def typed(text: str) -> bytes:
    doc: Doc[Text] = Doc()
    doc.get("text", type=Text).insert(0, text)
    return bytes(doc.get_update())


@pytest.mark.slow
async def test_only_large_updates_are_merged_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    elsewhere = list[int]()

    async def counted(function: Any, *updates: bytes) -> Any:
        elsewhere.append(len(updates))
        return await to_process(function, *updates)

    monkeypatch.setattr(library, "to_process", counted)
    small, large = [typed("a"), typed("b")], [typed("x" * SMALL), typed("y")]
    assert await merging(*small) == merged(*small)
    assert elsewhere == []
    assert await merging(*large) == merged(*large)
    assert elsewhere == [2]
    with pytest.raises(InvalidUpdate):
        await merging(b"\xff" * (SMALL + 1))
