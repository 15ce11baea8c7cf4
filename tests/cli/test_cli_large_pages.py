"""A process that serves asks for large pages for what it uses, and for nothing else."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from cli.command_line import server
from helpers.waiting import until
from synovia.cli.large_pages import LARGE, Region, ask, find_madvise, regions

_ENABLED = Path("/sys/kernel/mm/transparent_hugepage/enabled")
gives = pytest.mark.skipif(
    not _ENABLED.exists() or "[never]" in _ENABLED.read_text(), reason="this system has no large pages for who asks"
)

MIB = 2**20


def mapping(
    start: int, length: int, *, used: float = 1.0, kind: str = "rw-p", file: str = "", flags: str = "rd wr"
) -> str:
    inode = 17 if file.startswith("/") else 0
    return (
        f"{start:x}-{start + length:x} {kind} 00000000 00:00 {inode}      {file}\n"
        f"Size:   {length // 1024} kB\nRss:    {int(used * length) // 1024} kB\nVmFlags: {flags} mr mw\n"
    )


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (mapping(8 * LARGE, 3 * LARGE), [Region(8 * LARGE, 3 * LARGE)]),
        (mapping(8 * LARGE, 3 * LARGE, file="[heap]"), [Region(8 * LARGE, 3 * LARGE)]),
        (mapping(8 * LARGE - 4096, 3 * LARGE), [Region(8 * LARGE, 2 * LARGE)]),
        (
            mapping(8 * LARGE, LARGE, used=0.76) + mapping(16 * LARGE, LARGE),
            [Region(each * LARGE, LARGE) for each in (8, 16)],
        ),
        (mapping(8 * LARGE + 4096, 2 * LARGE - 8192), []),
        (mapping(8 * LARGE, 4 * LARGE, used=0.5), []),
        (mapping(8 * LARGE, 4 * LARGE, file="[stack]"), []),
        (mapping(8 * LARGE, 4 * LARGE, file="/tmp/a file"), []),
        (mapping(8 * LARGE, 4 * LARGE, kind="r-xp"), []),
        (mapping(8 * LARGE, 4 * LARGE, kind="rw-s"), []),
        (mapping(8 * LARGE, 4 * LARGE, flags="rd wr hg"), []),
    ],
    ids=["own", "heap", "whole", "each", "less", "unused", "stack", "file", "code", "shared", "asked"],
)
def test_large_pages_are_for_own_memory_that_is_in_use(text: str, found: list[Region]) -> None:
    assert list(regions(text.splitlines())) == found


def test_what_the_kernel_refuses_is_left() -> None:
    assert ask(lambda *_: -1, at_once=True) == 0


def test_a_python_without_ctypes_does_without(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ctypes", None)
    assert find_madvise() is None


@gives
def test_objects_come_to_lie_in_large_pages() -> None:
    asks = (
        "import re; from pathlib import Path; from synovia.cli.large_pages import ask, find_madvise\n"
        "objects = [{each: str(each)} for each in range(200_000)]\n"
        "asked = ask(find_madvise(), at_once=True)\n"
        "large = int(re.search(r'AnonHugePages: *(\\d+)', Path('/proc/self/smaps_rollup').read_text())[1]) * 1024\n"
        "print(asked, large, ask(find_madvise(), at_once=True))\n"
    )
    told = subprocess.run([sys.executable, "-c", asks], capture_output=True, text=True, check=True).stdout
    asked, large, again = map(int, told.split())
    assert asked >= 16 * MIB
    assert large > 0
    assert again == 0


@gives
async def test_a_server_that_serves_asks(tmp_path: Path) -> None:
    (tmp_path / "nothing.py").write_text("")

    def has_asked() -> bool:
        smaps = Path(f"/proc/{process.pid}/smaps").read_text()
        return any("hg" in line.split() for line in smaps.splitlines() if line.startswith("VmFlags:"))

    with server("serve", str(tmp_path), "--port", "0", "--store", "sqlite://:memory:") as process:
        await until(has_asked)
