"""Write the test vectors that every implementation of the protocol reads: ``python -m vectors.generate`` in protocol/.

README.md beside this file says how to read them. They are committed; a test checks that this still writes the same.
"""

from __future__ import annotations

import json
from pathlib import Path

from vectors.cases_bad_frames import make_bad_frames
from vectors.cases_messages import make_messages, make_values
from vectors.cases_results import make_arrays, make_digests, make_patches
from vectors.tagged import Case

HERE = Path(__file__).parent


def make_all() -> dict[str, str]:
    """Make every file: its text by its name."""
    made = {
        "values": make_values(),
        "messages": make_messages(),
        "patches": make_patches(),
        "arrays": make_arrays(),
        "digests": make_digests(),
        "bad_frames": make_bad_frames(),
    }
    return {f"{name}.json": _text(content) for name, content in made.items()}


def _text(content: Case) -> str:
    """Write one case a line, so that a change shows as what it is."""
    members = []
    for name, cases in content.items():
        lines = ",\n    ".join(json.dumps(case, ensure_ascii=True) for case in cases)
        members.append(f"  {json.dumps(name)}: [\n    {lines}\n  ]")
    return "{\n" + ",\n".join(members) + "\n}\n"


if __name__ == "__main__":
    for file_name, text in make_all().items():
        (HERE / file_name).write_text(text, encoding="ascii")
