"""Names in generated clients, and what docstrings say of arguments."""

from __future__ import annotations

import re
from dataclasses import dataclass

_TYPESCRIPT = """
    Id ArrayRef StoredFile UploadId TypedArray NdArray Value QueryReference MutationReference ActionReference api table T
    Date Uint8Array Float64Array Record Array Promise Object String Number Boolean Function Symbol
"""
_PYTHON = """
    Any Generic Literal NDArray StoredFile UploadId NewType NotRequired TypedDict TypeVar QueryCall MutationCall ActionCall
    Unset UNSET datetime np
"""
RESERVED = frozenset([*_TYPESCRIPT.split(), *_PYTHON.split()])
"""What a model must not be called."""

_SECTION = re.compile(r"^(Args|Returns|Raises|Yields|Example|Examples|Note|Attributes):\s*$")
_ENTRY = re.compile(r"^ {2,4}(\w+(?:, \w+)*): ?(.*)$")


@dataclass(frozen=True, slots=True)
class Words:
    """A docstring without its section on arguments, and what that says of each."""

    text: str
    arguments: dict[str, str]


def words(doc: str) -> Words:
    """Take a cleaned docstring apart."""
    text: list[str] = []
    found: dict[str, str] = {}
    names: list[str] = []
    inside = False
    for line in doc.splitlines():
        section = _SECTION.match(line)
        if section:
            inside = section[1] == "Args"
        if not inside:
            text.append(line)
        elif entry := _ENTRY.match(line):
            names = entry[1].split(", ")
            found.update(dict.fromkeys(names, entry[2].strip()))
        elif line.strip() and not section:
            found.update({name: f"{found[name]} {line.strip()}".strip() for name in names})
    return Words(re.sub(r"\n{3,}", "\n\n", "\n".join(text)).strip(), found)
