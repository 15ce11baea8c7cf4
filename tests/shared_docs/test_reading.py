"""What a shared document says, whatever its roots are."""

from __future__ import annotations

from typing import Any

import pytest
from pycrdt import Array, Doc, Map, Text, XmlElement, XmlFragment, XmlText

from synovia.shared_docs import reading
from synovia.shared_docs.isolated import SMALL


def test_each_root_is_read_as_what_it_is() -> None:
    doc: Doc[Any] = Doc()
    doc.get("text", type=Text).insert(0, "plain")
    page = doc.get("page", type=XmlFragment)
    for line in ("first", "", "third"):
        page.children.append(XmlElement("p")).children.append(XmlText(line))
    doc.get("map", type=Map)["a"] = 1
    doc.get("list", type=Array).extend([1, "b"])
    bare = doc.get("bare", type=XmlFragment)
    bare.children.append(XmlElement("p")).children.append(XmlText("x"))
    bare.children[0].children[0].clear()
    gone = doc.get("gone", type=Text)
    gone.insert(0, "x")
    gone.clear()
    assert reading.texts(doc.get_update()) == {
        "bare": "",
        "gone": "",
        "list": '[\n 1.0,\n "b"\n]',
        "map": '{\n "a": 1.0\n}',
        "page": "first\n\nthird",
        "text": "plain",
    }


def test_a_small_document_of_very_many_roots_is_followed_as_often_as_one_of_few(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    doc: Doc[Any] = Doc(client_id=1)
    for number in range(900):
        doc.get(f"{number:x}", type=Text).insert(0, "a")
    update, followed, load = doc.get_update(), list[bytes](), reading._loaded

    def counted(state: bytes) -> Doc[Any]:
        followed.append(state)
        return load(state)

    monkeypatch.setattr(reading, "_loaded", counted)
    assert len(update) < SMALL
    assert set(reading.texts(update).values()) == {"a"}
    assert len(followed) == 5
