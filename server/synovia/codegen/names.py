"""Names in generated clients, and what docstrings say of arguments."""

from __future__ import annotations

import inspect
import re
from dataclasses import dataclass

_TYPESCRIPT = """
    Id ArrayRef StoredFile UploadId TypedArray NdArray Value QueryReference MutationReference ActionReference api table T
    Date Uint8Array Float64Array Record Array Promise Object String Number Boolean Function Symbol
    any bigint boolean never null number object string symbol undefined unknown void
    case catch const debugger default delete do enum export extends false function implements instanceof interface let new
    package private protected public static super switch this throw true typeof var
"""
_PYTHON = """
    Any Generic Literal NDArray StoredFile UploadId NewType NotRequired TypedDict TypeVar QueryCall MutationCall ActionCall
    Unset UNSET datetime np
    bool bytes dict float int list str
"""
RESERVED = frozenset([*_TYPESCRIPT.split(), *_PYTHON.split()])
"""What a model must not be called."""

_UNSEEN = re.compile(r"[\x00-\x08\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
_SECTION = re.compile(r"^(Args|Returns|Raises|Yields|Example|Examples|Note|Attributes):\s*$")
_ENTRY = re.compile(r"^ {2,4}(\w+(?:, \w+)*): ?(.*)$")


@dataclass(frozen=True, slots=True)
class Words:
    """A docstring without its section on arguments, and what that says of each."""

    text: str
    arguments: dict[str, str]


def doc_of(text: str | None) -> str:
    """Clean a docstring, so that it may stand in a file of any language: without what ends a line only here or there, cannot
    be written, or shows others in another order than it is read in."""
    return _UNSEEN.sub("", "\n".join(inspect.cleandoc(text or "").splitlines())).strip()


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
