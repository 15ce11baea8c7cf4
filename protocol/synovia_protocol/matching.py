"""Where the elements of a list come from: the search behind a list edit.

A *source* is the index of an element of the old list that an element of the new list continues, or -1 for a new one. No
two elements have the same source.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

_MOST = 50_000  # beyond this many changed elements a search costs more than it is likely to save


def runs_of(sources: Sequence[int], b: Sequence[Any], old_length: int) -> list[Any]:
    """Turn sources into the runs of a list edit; none when every element stayed where it was."""
    everywhere = range(old_length)
    if sources == everywhere or (len(sources) == old_length and all(map(int.__eq__, sources, everywhere))):
        return []
    runs: list[Any] = []
    start = 0
    while start < len(sources):
        end = _run_end(sources, start)
        if sources[start] < 0:
            runs.append(list(b[start:end]))
        else:
            runs += (sources[start], end - start)
        start = end
    return runs


def _run_end(sources: Sequence[int], start: int) -> int:
    source = sources[start]
    end = start + 1
    if source < 0:
        while end < len(sources) and sources[end] < 0:
            end += 1
    else:
        while end < len(sources) and sources[end] == source + end - start:
            end += 1
    return end


def match_plain(a: Sequence[Any], b: Sequence[Any], old: list[bytes], new: list[bytes]) -> list[list[int]]:
    """Find sources for elements that have no ids: one or two ways, of which the shorter patch shows the better.

    Args:
        a, b: The old and the new list.
        old, new: Their elements, packed.
    """
    head, tail = _common_ends(old, new)
    ends = [*range(head), *[-1] * (len(new) - head - tail), *range(len(old) - tail, len(old))]
    ways = [list(range(len(old)))] if len(old) == len(new) else []
    if head + tail < min(len(old), len(new)) and len(old) + len(new) - 2 * (head + tail) <= _MOST:
        ways.append(_match_middle(a, b, old, new, ends))
    return ways or [ends]


def _common_ends(old: list[bytes], new: list[bytes]) -> tuple[int, int]:
    most = min(len(old), len(new))
    head = 0
    while head < most and old[head] == new[head]:
        head += 1
    tail = 0
    while tail < most - head and old[-1 - tail] == new[-1 - tail]:
        tail += 1
    return head, tail


def _match_middle(a: Sequence[Any], b: Sequence[Any], old: list[bytes], new: list[bytes], ends: list[int]) -> list[int]:
    sources = list(ends)
    used = bytearray(len(old))
    for source in ends:
        if source >= 0:
            used[source] = 1
    _match_unique(old, new, sources, used)
    _extend(old, new, sources, used, 1)
    _extend(old, new, sources, used, -1)
    _drop_dear_runs(new, sources, used)
    _pair_gaps(a, b, sources, used)
    return sources


def _match_unique(old: list[bytes], new: list[bytes], sources: list[int], used: bytearray) -> None:
    """Match what occurs once in what is left of either list."""
    places = {item: index for index, item in enumerate(old) if not used[index]}
    before = Counter(item for index, item in enumerate(old) if not used[index])
    after = Counter(item for index, item in enumerate(new) if sources[index] < 0)
    for index, item in enumerate(new):
        if sources[index] < 0 and after[item] == 1 and before[item] == 1:
            sources[index] = places[item]
            used[places[item]] = 1


def _extend(old: list[bytes], new: list[bytes], sources: list[int], used: bytearray, step: int) -> None:
    """Let runs grow over equal neighbours, forwards (step 1) or backwards (step -1)."""
    order = range(1, len(new)) if step > 0 else range(len(new) - 2, -1, -1)
    for index in order:
        source = sources[index - step] + step
        if sources[index] >= 0 or sources[index - step] < 0 or not 0 <= source < len(old):
            continue
        if not used[source] and old[source] == new[index]:
            sources[index] = source
            used[source] = 1


def _drop_dear_runs(new: list[bytes], sources: list[int], used: bytearray) -> None:
    """Send again what is shorter than saying where it was."""
    start = 0
    while start < len(sources):
        end = _run_end(sources, start)
        source = sources[start]
        if source >= 0 and sum(map(len, new[start : min(end, start + 8)])) <= 3 + (source > 127) + (source > 255):
            for index in range(start, end):
                used[sources[index]] = 0
                sources[index] = -1
        start = end


def _pair_gaps(a: Sequence[Any], b: Sequence[Any], sources: list[int], used: bytearray) -> None:
    """Pair maps with maps and lists with lists that lie between the same neighbours: a patch may be short."""
    start = 0
    while start < len(sources):
        end = _run_end(sources, start)
        if sources[start] < 0:
            place = sources[start - 1] + 1 if start else 0
            for index in range(start, end):
                if place >= len(a) or used[place] or not _alike(a[place], b[index]):
                    break
                sources[index] = place
                used[place] = 1
                place += 1
        start = end


def _alike(old: Any, new: Any) -> bool:
    return (isinstance(old, dict) and isinstance(new, dict)) or (isinstance(old, list) and isinstance(new, list))
