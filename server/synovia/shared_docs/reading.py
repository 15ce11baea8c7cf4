"""What a shared document says, how two of its states differ, and the update that takes it back to one of them.

To know that, an update has to be followed, as editors do; one that is made to harm can end the process in that. So this
module imports nothing of Synovia: ``isolated`` runs it as a program of its own, for all that is not small.
"""

from __future__ import annotations

import difflib
import json
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from pycrdt import Array, Doc, Map, Text, UndoManager, XmlElement, XmlFragment, XmlText

_FOREVER = 1 << 40
_MANY = 20_000
_WORDS = re.compile(r"\w+|\s+|[^\w\s]")


def texts(state: bytes) -> dict[str, str]:
    """Give what each root of a document says, as plain text; a map or a list as JSON."""
    said, unread = dict[str, str](), sorted(_loaded(state).keys())
    # A root has no type of its own: it is what it is taken for, once. A text comes first, since most are that.
    for say in (_plain, _xml, _map, _array):
        document = _loaded(state)  # once for all roots: a small document can have a thousand
        said |= {name: text for name in unread if (text := say(document, name)) is not None}
        unread = [name for name in unread if name not in said]
    return dict(sorted({**said, **dict.fromkeys(unread, "")}.items()))


def compare(before: bytes, after: bytes) -> list[tuple[str, str, str]]:
    """Tell how two documents differ: root, whether it is the same, added or removed, and the piece of text."""
    was, now = texts(before), texts(after)
    return [
        (root, *each) for root in sorted({*was, *now}) for each in _differences(was.get(root, ""), now.get(root, ""))
    ]


def reverting(now: bytes, version: bytes) -> bytes:
    """Give the update that makes a document what it was, by undoing all that has come since.

    Args:
        now: The document; it has come from ``version``.
    """
    current, past = _loaded(now), _loaded(version)
    # how a root is used does not matter for what is undone in it
    scopes: list[Any] = [past.get(name, type=Text) for name in current.keys()]  # noqa: SIM118 - it is no dict
    manager = UndoManager(scopes=scopes, capture_timeout_millis=_FOREVER)
    manager.include_origin("since")
    with past.transaction(origin="since"):
        past.apply_update(now)
    while manager.can_undo():
        manager.undo()
    return bytes(past.get_update(current.get_state()))


def _loaded(state: bytes) -> Doc[Any]:
    document: Doc[Any] = Doc()
    document.apply_update(state)
    return document


def _plain(document: Doc[Any], name: str) -> str | None:
    return "".join(_strings(document.get(name, type=Text).diff())) or None


def _xml(document: Doc[Any], name: str) -> str | None:
    lines = _lines(document.get(name, type=XmlFragment))
    return "\n".join(lines) if lines else None


def _map(document: Doc[Any], name: str) -> str | None:
    return _as_json(document.get(name, type=Map).to_py())


def _array(document: Doc[Any], name: str) -> str | None:
    return _as_json(document.get(name, type=Array).to_py())


def _as_json(items: Any) -> str | None:
    return json.dumps(items, ensure_ascii=False, default=str, sort_keys=True, indent=1) if items else None


def _lines(fragment: XmlFragment) -> list[str]:
    """Give the text of each element that has some, in the order of the document."""
    lines: list[str] = []
    waiting: list[Any] = [fragment]
    while waiting:
        node = waiting.pop()
        if isinstance(node, XmlText):
            lines.append("".join(_strings(node.diff())))
        elif isinstance(node, XmlElement | XmlFragment):
            waiting.extend(reversed(list(node.children)))
    return lines


def _strings(pieces: Iterable[tuple[Any, Any]]) -> Iterator[str]:
    return (piece for piece, _ in pieces if isinstance(piece, str))


def _differences(before: str, after: str) -> Iterator[tuple[str, str]]:
    old, new = _pieces(before, after)
    matcher = difflib.SequenceMatcher(a=old, b=new, autojunk=True)
    for tag, i1, i2, j1, j2 in matcher.get_opcodes():
        if tag == "equal":
            yield "same", "".join(old[i1:i2])
            continue
        if i1 < i2:
            yield "removed", "".join(old[i1:i2])
        if j1 < j2:
            yield "added", "".join(new[j1:j2])


def _pieces(before: str, after: str) -> tuple[list[str], list[str]]:
    """Cut two texts into words, or into lines if they are long."""
    if len(before) + len(after) > _MANY:
        return before.splitlines(keepends=True), after.splitlines(keepends=True)
    return _WORDS.findall(before), _WORDS.findall(after)


def _serve() -> None:
    """Read what is to be done and the states from the standard input, and write what comes of it to the output."""
    source = sys.stdin.buffer
    name, sizes = json.loads(source.readline())
    states = [source.read(size) for size in sizes]
    done: dict[str, Callable[..., Any]] = {"texts": texts, "compare": compare, "reverting": reverting}
    result = done[name](*states)
    sys.stdout.buffer.write(result if isinstance(result, bytes) else json.dumps(result).encode())


if __name__ == "__main__":
    _serve()
