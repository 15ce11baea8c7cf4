"""Every reader of exports reads JSON by one decoder, which takes nothing that another program might read differently."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

import synovia
from synovia.export.strict_json import BadJson, StrictDecoder

ROOMS = [Path(synovia.__file__).parent / name for name in ("export", "convex_export")]


def test_what_json_has_is_read() -> None:
    text = b' {"a": [1, -0.5, 1e3, true, null, "\\u00e9 \\""], "b": {}} \n'
    assert StrictDecoder().decode(text) == {"a": [1, -0.5, 1000.0, True, None, 'é "'], "b": {}}
    assert isinstance(StrictDecoder().decode(b"5"), int)
    assert isinstance(StrictDecoder().decode(b"5.0"), float)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b"", "no JSON: Expecting value at character 1"),
        (b'{"a": 1} 2', "no JSON: Extra data at character 10"),
        (b'{\n"a": 1,\n}', "no JSON: .* at line [23], character"),
        (b'{"a": {"b": 1, "c": 2, "b": 1}}', "one key twice: 'b'"),
        (b'{"a": 1, "\\u0061": 2}', "one key twice: 'a'"),
        (b"[NaN]", "no JSON: NaN"),
        (b"[-Infinity]", "no JSON: -Infinity"),
        (b"[1e999]", "beyond a 64-bit float"),
        (b"[9223372036854775808]", "beyond 64 bits"),
        (b"[" + b"9" * 10_000 + b"]", "beyond 64 bits"),
        (b"[01]", "no JSON"),
        (b"['a']", "no JSON"),
        (b'["a\tb"]', "no JSON: Invalid control character"),
        (b"\xef\xbb\xbf{}", "byte order mark"),
        (b'"\xff"', "not UTF-8"),
        (b"[" * 100_000, "nest more than 200 deep"),
    ],
)
def test_what_it_has_not_is_refused(text: bytes, said: str) -> None:
    with pytest.raises(BadJson, match=said):
        StrictDecoder().decode(text)


def test_no_reader_has_a_decoder_of_its_own() -> None:
    own = {"loads", "load", "JSONDecoder"}
    for file in (each for room in ROOMS for each in room.glob("*.py") if each.name != "strict_json.py"):
        tree = ast.parse(file.read_text(encoding="utf-8"))
        used = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute) and node.attr in own}
        assert not used, file
        assert not re.search(r"from json import", file.read_text(encoding="utf-8")), file
