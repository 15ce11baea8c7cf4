"""Names of modules in folders that would be one in a client."""

from __future__ import annotations

from pathlib import Path

import pytest

from helpers.written_applications import function, write_application
from synovia.codegen import CodegenError, generate
from synovia.functions.registry import load_application


@pytest.mark.parametrize(
    ("files", "language", "fault"),
    [
        ({"a/__init__.py": "b", "a/b.py": "f"}, "ts", "the module 'a/b' and a:b would both be a.b; rename"),
        ({"a/__init__.py": "b", "a/b.py": "f"}, "py", "the module 'a/b' and a:b would both be b; rename"),
        ({"a/b_c.py": "f", "a/bC.py": "f"}, "ts", "the module 'a/b_c' and the module 'a/bC' would both be a.bC"),
        ({"a_b/c.py": "f", "aB.py": "f"}, "ts", "the module 'a_b' and the module 'aB' would both be aB"),
        ({"a/class.py": "f"}, "py", "the module 'a/class': a Python client cannot import it"),
        ({"a/datetime.py": "f"}, "py", "the module 'a/datetime': its name has another meaning"),
    ],
)
def test_names_that_clash_are_told(files: dict[str, str], language: str, fault: str, tmp_path: Path) -> None:
    application = write_application(
        tmp_path, {file: function("f", f"public=True, name='{name}'") for file, name in files.items()}
    )
    registry = load_application(application)
    with pytest.raises(CodegenError) as caught:
        generate(registry, **{language: tmp_path / "client"})
    assert fault in str(caught.value)


def test_a_module_becomes_a_folder_and_a_file_again(tmp_path: Path) -> None:
    client = tmp_path / "client"
    for files, wanted in (
        (["a.py"], ["a.py"]),
        (["a/b.py"], ["a/__init__.py", "a/b.py"]),
        (["a.py"], ["a.py"]),
    ):
        registry = load_application(write_application(tmp_path, dict.fromkeys(files, function())))
        (found,) = generate(registry, py=client)
        found.apply()
        assert sorted(str(path.relative_to(client)) for path in client.rglob("*") if path.is_file()) == sorted(
            ["__init__.py", "_types.py", "py.typed", *wanted]
        )
        assert (client / "a").exists() is (wanted != ["a.py"])
